"""Threat 14: submissions that are not what they should be, given to the command."""

from __future__ import annotations

import io
import json
import os
import re
import time
import zipfile
from pathlib import Path

import pytest

CODE = "def honest(x):\n    return x\n"


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def deep_notebook():
    return '{"nbformat": 4, "cells": ' + "[" * 200_000


TOO_MUCH = "could not be read as Python|raised an error while loading|failed while loading"  # depends on the Python
# A file's name and content, and what the student reads: a regular expression.
FILES = {
    "empty.py": ("", "not defined"),
    "blank.ipynb": ("", "not a readable notebook"),
    "nul.py": ("x = 1" + "\0" * 100, "not text"),
    "latin.py": (b"x = '\xe9'\n", "UTF-8"),
    "encoding.py": (b"# coding: rot13\nk = 1\n", "encoding"),
    "syntax.py": ("def attacked(:\n", "could not be read as Python"),
    "indentation.py": ("def f():\nreturn 1\n", "could not be read as Python"),
    "tabs.py": ("if 1:\n\tx = 1\n        y = 2\n", "could not be read as Python"),
    "python2.py": ("print 'hello'\n", "could not be read as Python"),
    "parentheses.py": ("(" * 100_000, TOO_MUCH),
    "brackets.py": ("x = " + "[" * 90 + "]" * 90 + "\n" + "y = " + "[" * 150_000 + "]" * 150_000, TOO_MUCH),
    "minus.py": ("x = " + "-" * 500_000 + "1", TOO_MUCH),
    "additions.py": ("x = " + "+".join(["1"] * 200_000), TOO_MUCH),
    "attributes.py": ("x = a" + ".a" * 200_000, TOO_MUCH),
    "f_strings.py": ("x = " + "f'{" * 150 + "1" + "}'" * 150, TOO_MUCH),
    "digits.py": ("x = " + "9" * 900_000, TOO_MUCH),
    "large.py": ("#" * (2**20 + 1), "larger than"),
    "broken.ipynb": ('{"nbformat": 4, "cells": [', "not a readable notebook"),
    "deep.ipynb": (deep_notebook(), "not a readable notebook"),
    "list.ipynb": ("[1, 2, 3]", "not a readable notebook"),
    "many_cells.ipynb": (json.dumps({"nbformat": 4, "cells": [{}] * 20_000}), "more than"),
    "bomb.zip": (archive(**{"attack.py": b"#" * (200 * 2**20)}), "larger than"),
    "dots.zip": (archive(**{"../attack.py": CODE}), "unsafe file name"),
    "absolute.zip": (archive(**{"/tmp/stray-of-a-submission/attack.py": CODE}), "unsafe file name"),
    "nothing.zip": (archive(**{"readme.txt": "hello"}), "No file named"),
    "truncated.zip": (archive(**{"attack.py": CODE * 1000})[:-30], "not a readable zip"),
    "text.zip": ("not a zip", "not a readable zip"),
    "program.exe": (b"MZ", "not a Python file"),
}


def odd_things():
    """What cannot be written as text: name → (how it is made, what the student reads)."""

    def sparse(path):
        with open(path, "wb") as file:
            file.truncate(300 * 2**20)

    return {
        "sparse.py": (sparse, "larger than"),
        "sparse.zip": (sparse, "larger than"),
        "pipe.py": (os.mkfifo, "not an ordinary file"),
        "folder": (lambda path: path.mkdir(), "No file named"),
        "folder.py": (lambda path: path.mkdir(), "No file named"),
        "link_within": (
            lambda path: (path.mkdir(), (path / "attack.py").symlink_to("/etc/passwd")),
            "not an ordinary file",
        ),
        "pipe_within": (lambda path: (path.mkdir(), os.mkfifo(path / "attack.py")), "not an ordinary file"),
        "folder_within": (lambda path: (path / "attack.py").mkdir(parents=True), ""),
        "two_within": (
            lambda path: (path.mkdir(), (path / "attack.py").touch(), (path / "attack.ipynb").touch()),
            "attack.ipynb is not a readable notebook",
        ),
    }


@pytest.mark.slow
def test_malformed_submissions_score_0_with_a_message_in_seconds(course, grade):
    expected = {}
    for name, (content, text) in FILES.items():
        path = course.submissions / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        expected[path] = text
    for name, (make, text) in odd_things().items():
        path = course.submissions / name
        make(path)
        expected[path] = text
    course.runner.own(course.submissions)
    witness = course.submissions / "000_witness.py"
    started = time.monotonic()
    done = grade(course, *expected, witness)
    assert time.monotonic() - started < 120
    assert done.code == 0, done.stderr[-3000:]
    assert done.results[witness.name].data["score"] == 12
    for path, text in expected.items():
        result = done.results[path.name]
        assert result.data["score"] == 0, path.name
        assert re.search(text, result.text), (path.name, result.notice)
        assert str(course.root) not in result.text, path.name
        assert "Traceback" not in result.text, path.name
    assert done.before == done.after
    assert not course.left_alive()


def test_a_missing_submission_is_a_usage_error(course):
    process = course.start(course.submissions / "missing.py", output=course.root / "home/out.json")
    assert process.wait() == 2
    error = (course.root / "stderr").read_text()
    assert error.startswith("autograder: There is no file or folder")
    assert error.count("\n") == 1


def test_a_link_is_not_followed(course, grade):
    link = course.submissions / "link.py"
    link.symlink_to(course.root / "course/solutions/attack/attack.py")
    dangling = course.submissions / "dangling.py"
    dangling.symlink_to("nowhere.py")
    done = grade(course, link, dangling)
    for name in ("link.py", "dangling.py"):
        assert done.results[name].data["score"] == 0
        assert "not an ordinary file" in done.results[name].notice


def test_a_device_is_refused(course, grade):
    done = grade(course, Path("/dev/zero"))
    assert done.code == 0
    assert done.results["zero"].data["score"] == 0
    assert "not an ordinary file" in done.results["zero"].notice
