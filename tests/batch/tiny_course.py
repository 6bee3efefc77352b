"""A course of one assignment whose grading takes a moment, and a class for it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from command_line import ROOT, autograder, command_line
from toy_course import check, grader, toy_course, write_files

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef negate(x):\n    return -x\n"
WRONG = "def double(x):\n    return 2 * x\n\n\ndef negate(x):\n    return x\n"
HANGING = "import time\n\n\ndef double(x):\n    time.sleep(60)\n\n\ndef negate(x):\n    return -x\n"

_CHECKS = grader(
    check("double", 3, "m.double(x)", "Twice the input."),
    check("negate", 2, "m.negate(x)", "The input with the other sign."),
)


def make_course(root: Path) -> Path:
    return toy_course(
        root,
        "tiny",
        salt="pepper",
        examples=3,
        exercises={"double": 3, "negate": 2},
        submission={"files": ["helpers.py", "data/*.npy"]},
        limits={"check_seconds": 2, "import_seconds": 5, "total_seconds": 20},
        checks=_CHECKS,
        solution=RIGHT,
    )


def make_class(folder: Path, sources: dict[str, str]) -> Path:
    return write_files(folder, {f"{name}/tiny.py": source for name, source in sources.items()})


def varied(source: str, number: int) -> str:
    """The same in effect, but not the same submission."""
    return f"{source}\n\nUNUSED = {number}\n"


def arguments(course: Path, class_: Path, out: Path, *options: object) -> list[object]:
    return ["batch", class_, "-a", "tiny", "-o", out, "--course", course, *options]


def batch(course: Path, class_: Path, out: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return autograder(*arguments(course, class_, out, *options), seconds=240)


def start(course: Path, class_: Path, out: Path, *options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command_line(*arguments(course, class_, out, *options)),
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
    """A running command's grading server, zygote and class server; the grading server forks the zygote first."""
    server = psutil.Process(pid).children()[0]
    zygote, class_server = sorted(server.children(), key=lambda process: (process.create_time(), process.pid))[:2]
    return server, zygote, class_server
