"""A course of one assignment whose grading takes a moment, and a class for it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef negate(x):\n    return -x\n"
WRONG = "def double(x):\n    return 2 * x\n\n\ndef negate(x):\n    return x\n"
HANGING = "import time\n\n\ndef double(x):\n    time.sleep(60)\n\n\ndef negate(x):\n    return -x\n"

_ASSIGNMENT = """\
title = "Tiny"
salt = "pepper"
examples = 3

[exercises]
double = 3
negate = 2

[limits]
check_seconds = 2
import_seconds = 5
total_seconds = 20
"""

_GRADER = """\
import torch
from hypothesis import given

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors

maps = tensors(shapes((1, 3), (1, 3)))


@exercise("double")
@points(3)
@given(x=maps)
def test_double(same_outcome, x):
    '''Twice the input.'''
    same_outcome(lambda m: m.double(x))


@exercise("negate")
@points(2)
@given(x=maps)
def test_negate(same_outcome, x):
    '''The input with the other sign.'''
    same_outcome(lambda m: m.negate(x))
"""


def make_course(root: Path) -> Path:
    graders, solution = root / "graders" / "tiny", root / "solutions" / "tiny"
    graders.mkdir(parents=True)
    solution.mkdir(parents=True)
    (graders / "assignment.toml").write_text(_ASSIGNMENT)
    (graders / "test_tiny.py").write_text(_GRADER)
    (solution / "tiny.py").write_text(RIGHT)
    return root


def make_class(folder: Path, sources: dict[str, str]) -> Path:
    for name, source in sources.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "tiny.py").write_text(textwrap.dedent(source))
    return folder


def varied(source: str, number: int) -> str:
    """The same in effect, but not the same submission."""
    return f"{source}\n\nUNUSED = {number}\n"


def command(course: Path, class_: Path, out: Path, *options: object) -> list[str]:
    given = [class_, "-a", "tiny", "-o", out, "--course", course, *options]
    return [sys.executable, "-m", "autograder", "batch", *map(str, given)]


def batch(course: Path, class_: Path, out: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(course, class_, out, *options), cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )


def start(course: Path, class_: Path, out: Path, *options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(course, class_, out, *options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def family(pid: int) -> tuple[psutil.Process, psutil.Process, psutil.Process]:
    """The bench, the zygote and the stage of a running command: the bench forks the zygote first."""
    bench = psutil.Process(pid).children()[0]
    zygote, stage = sorted(bench.children(), key=lambda process: (process.create_time(), process.pid))[:2]
    return bench, zygote, stage
