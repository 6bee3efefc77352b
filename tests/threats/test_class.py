"""Threat 22: five attackers in a class of forty. The other thirty-five get what they get without them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from command_line import autograder
from toy_course import check, grader, toy_course, write_files

pytestmark = pytest.mark.slow

RIGHT = {
    "double": "def double(x):\n    return 2 * x\n",
    "negate": "def negate(x):\n    return -x\n",
    "square": "def square(x):\n    return x * x\n",
    "halve": "def halve(x):\n    return x / 2\n",
    "total": "def total(x):\n    return x.sum()\n",
}
HEAVY = "import torch\n\n\ndef double(x):\n    return [torch.zeros(20) for _ in range(19_000)]\n"
STOPS_OTHERS = """
import os, signal

for number in (-1, 0, os.getppid()):
    try:
        os.kill(number, signal.SIGKILL)
    except OSError:
        pass


def double(x):
    os.kill(os.getpid(), signal.SIGSTOP)
"""
LONG_TEXTS = "class Error(ValueError):\n    pass\n\n\ndef double(x):\n    raise Error('x' * 10**8)\n"
FILLS = "big = bytearray(10**12)\n\n\ndef double(x):\n    return x\n"
ATTACKERS = {
    "eve/demo/demo.py": HEAVY,  # a folder called as the assignment, as nbgrader has them
    "mal_123_assignsubmission_file_/demo.py": STOPS_OTHERS,  # called as Moodle's are
    "graders/demo.py": LONG_TEXTS,
    "trudy/demo.py": FILLS,
    "trudy/submission_metadata.yml": ":submissions: {}\n",
    "submission_metadata.json": "{}",
    "zoe.py": "import os\n\n\ndef double(x):\n    os._exit(0)\n",
}


def test_the_others_get_what_they_get_without_them(tmp_path: Path) -> None:
    course = toy_course(
        tmp_path / "course",
        exercises=dict.fromkeys(RIGHT, 1),
        solution="\n\n".join(RIGHT.values()),
        checks=grader(*(check(name, 1, f"m.{name}(x)", name=f"values_of_{name}") for name in RIGHT)),
        limits={"import_seconds": 2, "check_seconds": 2, "total_seconds": 6, "memory_mb": 256},
    )
    honest = {}
    for number in range(35):
        known = [text for position, text in enumerate(RIGHT.values()) if number >> position & 1]
        place = f"student{number:02}.py" if number % 2 else f"student{number:02}/demo.py"
        honest[place] = "\n\n".join(known) or "# nothing yet\n"
    grades = {}
    for kind, files in (("alone", honest), ("together", honest | ATTACKERS)):
        folder = write_files(tmp_path / kind, files)
        out = tmp_path / f"out-{kind}"
        done = autograder("batch", folder, "-a", "demo", "--course", course, "-o", out, cwd=tmp_path, seconds=600)
        assert done.returncode in (0, 1), done.stderr
        with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
            grades[kind] = {row["Student"]: row for row in csv.DictReader(file)}
    assert len(grades["alone"]) == 35
    for name, row in grades["alone"].items():
        assert grades["together"][name] == row
    assert len(grades["together"]) == 40
