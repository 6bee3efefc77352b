"""`autograder similar`: who is alike in structure, whatever the names and the formatting."""

from __future__ import annotations

import json
import re

import pytest

from autograder.batch.discovery import discover
from autograder.batch.store import Roll, Store
from autograder.course import load_assignment
from command_line import ROOT, autograder
from toy_course import toy_course, write_files

pytest.importorskip("copydetect")
from autograder.commands import similar
from autograder.report.similarity import Class, side_by_side

EXAMPLES = ROOT / "examples" / "pooling"

LOOPS = """
def naive_pooling(feature_map, kernel_size, strides, padding=0, mode="max"):
    rows = (feature_map.shape[0] + 2 * padding - kernel_size) // strides + 1
    columns = (feature_map.shape[1] + 2 * padding - kernel_size) // strides + 1
    result = torch.full((rows, columns), float("-inf"))
    for i in range(rows):
        for j in range(columns):
            window = feature_map[i * strides : i * strides + kernel_size, j * strides : j * strides + kernel_size]
            result[i, j] = window.max() if mode == "max" else window.mean()
    return result
"""
UNFOLDED = """
def naive_pooling(feature_map, kernel_size, strides, padding=0, mode="max"):
    padded = torch.nn.functional.pad(feature_map[None, None], [padding] * 4, value=-torch.inf if mode == "max" else 0)
    patches = padded.unfold(2, kernel_size, strides).unfold(3, kernel_size, strides)
    if mode == "max":
        return patches.amax(dim=(-1, -2))[0, 0]
    elif mode == "avg":
        return patches.reshape(*patches.shape[:4], -1).sum(-1)[0, 0] / kernel_size**2
    raise ValueError(mode)
"""


def disguised(source: str) -> str:
    """Other names, comments and line breaks."""
    for old, new in (("rows", "h"), ("columns", "w_out"), ("window", "patch"), ("result", "answer"), ("i", "a")):
        source = re.sub(rf"\b{old}\b", new, source)
    return source.replace("    ", "  ").replace(" = ", "=  ").replace("return", "# my own idea\n  return")


def test_renaming_and_reformatting_hide_nothing():
    class_ = Class("")
    for name, source in {"ada": LOOPS, "bob": disguised(LOOPS), "chen": UNFOLDED}.items():
        class_.add(name, source)
    (pair,) = class_.pairs(0.5)
    assert (pair.first, pair.second) == ("ada", "bob")
    assert pair.share > 0.8


def test_what_the_skeleton_gives_is_not_counted():
    class_ = Class(LOOPS)
    class_.add("ada", LOOPS + UNFOLDED)
    class_.add(
        "bob", LOOPS + "\n\ndef other(x):\n    return [each**2 for each in x if each is not None][: len(x) // 2]\n"
    )
    assert class_.pairs(0.3) == []


def test_what_many_have_in_common_is_not_counted():
    class_ = Class("")
    for number in range(30):
        class_.add(f"student{number}", LOOPS)
    assert class_.pairs(0.3) == []


def test_the_shared_passages_are_marked_and_nothing_is_lost():
    left, right = side_by_side("a = 1\n" + LOOPS, disguised(LOOPS) + UNFOLDED, ())
    assert "".join(text for text, _ in left) == "a = 1\n" + LOOPS
    assert "".join(text for text, _ in right) == disguised(LOOPS) + UNFOLDED
    assert "patches.amax" not in "".join(text for text, marked in right if marked)
    assert "window.mean" in "".join(text for text, marked in left if marked)


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})


def test_helpers_and_a_second_file_are_compared_but_not_what_the_course_gave_out(tmp_path, capsys):
    """Ada's own code is in Bob's helper and in Eve's notebook; everybody has the course's helper."""
    given = {"given.py": UNFOLDED}
    class_ = {
        "ada": {"demo.py": LOOPS, **given},
        "bob": {"demo.py": "from helpers import *\n", "helpers.py": disguised(LOOPS), **given},
        "chen": {"demo.py": "from given import *\n", **given},
        "eve": {"demo.py": "x = 1\n", "demo.ipynb": notebook(disguised(LOOPS)), **given},
    }
    files = {f"class/{name}/{file}": text for name, own in class_.items() for file, text in own.items()}
    release = {"assignments/demo/demo.ipynb": notebook("x = 1"), "assignments/demo/given.py": UNFOLDED}
    course = toy_course(
        tmp_path, exercises={"double": 1}, submission={"files": ["helpers.py", "given.py"]}, files=files | release
    )
    found = discover(tmp_path / "class", "demo").found
    with Store(tmp_path / "out") as store:
        store.call(Roll("demo", "Demo", {"double": 1}, tuple(found)))
    assert similar.run(tmp_path / "out", threshold=0.3, course=course) == 0
    pairs = {frozenset(pair) for pair in re.findall(r"% +(\w+)  –  (\w+)", capsys.readouterr().out)}
    assert pairs == {frozenset(pair) for pair in (("ada", "bob"), ("ada", "eve"), ("bob", "eve"))}
    page = (tmp_path / "out/similar.html").read_text()
    marked = "".join(re.findall("<mark>(.*?)</mark>", page, re.DOTALL))
    assert ("my own idea" in page, "unfold" in page, "unfold" in marked) == (True, True, False)


@pytest.mark.slow
def test_the_command_lists_pairs_and_shows_them_side_by_side_as_text(tmp_path):
    source = (EXAMPLES / "emil" / "pooling.py").read_text() + "\nEVIL = '</pre><script>alert(1)</script>'\n"
    class_ = {"emil": source, "<b>eve": disguised(source), "ada": (EXAMPLES / "ada/pooling.py").read_text()}
    write_files(tmp_path, {f"class/{name}/pooling.py": text for name, text in class_.items()})
    assignment = load_assignment(ROOT, "pooling")
    roster = discover(tmp_path / "class", "pooling")
    with Store(tmp_path / "out") as store:
        store.call(Roll("pooling", assignment.title, assignment.exercises, tuple(roster.found)))
    done = autograder("similar", tmp_path / "out", "--course", ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"\d+%  <b>eve  –  emil", done.stdout)
    page = (tmp_path / "out" / "similar.html").read_text()
    assert "<script>" not in page
    assert "<b>eve" not in page
    assert page.count("<mark>") >= 2
