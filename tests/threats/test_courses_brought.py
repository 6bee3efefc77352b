"""Threats 13 and 22: a submission that brings its own course, and one that changes what becomes of the class."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import autograder
from toy_course import write_files

WRONG = "def refusing(x):\n    return 1\n\n\ndef honest(x):\n    return 1\n\n\ndef attacked(x):\n    return 1\n"
RIGHT = """\
import torch


def refusing(x):
    raise ValueError("this is refused")


def honest(x, noise=False):
    return 2 * x + torch.ones(x.shape) + (torch.rand(x.shape) if noise else 0)


def attacked(x):
    return 3 * x
"""
EVIL = "import pathlib\n\npathlib.Path('{}').touch()\n"


def run(course, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    process = course.runner.start(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=cwd,
        env=course.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdout, stderr = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.returncode, stdout.decode(), stderr.decode())


@pytest.fixture
def eve(course) -> Path:
    """Her submission: wrong, with a course in which it is right, and which leaves a trace when it is used."""
    folder = course.submissions / "eve"
    shutil.copytree(course.root / "course", folder)
    trace = EVIL.format(course.temporary / "I_RAN")
    files = {"attack.py": WRONG, "solutions/attack/attack.py": trace + WRONG, "nbgrader_config.py": trace}
    write_files(folder, files)
    grader = folder / "graders/attack/test_attack.py"
    grader.write_text(trace + grader.read_text())
    course.runner.own(folder)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("grade", "."),
        ("grade", "attack.py"),
        ("grade", "../eve", "-a", "attack"),
        ("batch", "..", "-a", "attack", "-o", "o"),
    ],
    ids=" ".join,
)
def test_standing_in_a_submission_that_brings_a_course_nothing_is_graded_with_it(course, eve, arguments):
    before = course.state()
    done = run(course, *arguments, "--no-timing", cwd=eve)
    assert done.returncode == 2, done.stdout
    assert "may have been handed in" in done.stderr
    assert "--course" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(course.temporary.iterdir())
    assert course.state() == before


def test_one_entry_of_a_class_neither_removes_nor_names_nor_grades_the_others(course):
    class_ = course.root / "course/submitted"
    files = {"ada/attack.py": RIGHT, "bob/attack.py": WRONG, "eve/attack/attack.py": RIGHT}
    files |= {f"{name}/attack.py": RIGHT for name in ("solutions", "autograder", ".git")}
    files |= {"submission_metadata.yml": "ada:\n  :submitters:\n  - :name: Eve\n"}
    write_files(class_, files)
    shutil.copytree(course.root / "course/graders", class_ / "graders")
    write_files(class_ / "graders", {"attack/attack.py": WRONG})
    course.runner.own(course.root / "course")
    out = course.root / "results"
    done = run(course, "batch", ".", "-a", "attack", "-o", out, "--no-timing", cwd=class_)
    assert done.returncode == 0, done.stderr
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        grades = {row["Student"]: float(row["attack (total)"]) for row in csv.DictReader(file)}
    assert grades == {"ada": 12, "autograder": 12, "bob": 0, "eve": 12, "graders": 0, "solutions": 12}
    assert "Found 6 submissions: 4 plain, 2 laid out as in nbgrader's submitted/." in done.stdout
    done = run(course, "similar", out, cwd=class_)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", ".", ".."])
def test_results_brought_by_a_submission_do_not_say_where_pages_are_written(tmp_path, name):
    found = [{"name": name, "label": "eve", "path": "/", "students": []}]
    class_list = {"assignment": "attack", "title": "Attack", "exercises": {"honest": 4}, "found": found}
    write_files(tmp_path, {"out/.autograder/class.json": json.dumps(class_list)})
    for command in ("report", "similar"):
        done = autograder(command, ".", cwd=tmp_path / "out")
        assert done.returncode == 2
        assert "is not a file name" in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["class.json"]


def test_modules_in_the_working_directory_are_not_imported_by_the_command(course):
    names = ("click", "pathlib", "rich", "torch", "msgspec", "yaml")
    folder = course.root / "brought"
    write_files(folder, {f"{name}.py": "raise SystemExit('evil ran')\n" for name in names})
    course.runner.own(folder)
    done = run(course, "--version", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
