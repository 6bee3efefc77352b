"""Networks that take long to build: that is not part of a forward pass, and it has a limit of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import CheckResult, State, Status
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from toy_course import toy_course

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="shares memory as Linux does")]

SOLUTION = """\
import torch


class Smooth(torch.nn.Module):
    def forward(self, x):
        y = x
        for _ in range(20):
            y = torch.tanh(y + x)
        return y
"""
CHECKS = """\
from autograder.grading import exercise, points
from autograder.grading.strategies import normal


@exercise("Smooth")
@points(1)
def test_speed(forward_time):
    '''Fast enough.'''
    forward_time(lambda m: m.Smooth(), normal((64, 256)))
"""
# In the calls of `prepare`, where the timed network is built.
BUILDING = """
import sys
import time


def is_timed():
    frame = sys._getframe()
    while frame and frame.f_code.co_name != "_timed":
        frame = frame.f_back
    return frame is not None


class Slow(Smooth):
    def __init__(self):
        super().__init__()
        {building}

    def forward(self, x):
        {calling}
        return super().forward(x)


Smooth = Slow
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_course(
        tmp_path_factory.mktemp("building"),
        "timed",
        exercises={"Smooth": 1},
        checks=CHECKS,
        solution=SOLUTION,
        limits={"check_seconds": 6.0, "import_seconds": 2.0},
    )


def speed_of(engine: Engine, course: Path, building: str, calling: str = "pass", importing: str = "") -> CheckResult:
    source = SOLUTION + BUILDING.format(building=building, calling=calling) + importing
    submission = Submission("timed", "timed.py", (Cell("timed.py", source),), False)
    result = engine.grade(Job(str(course), "timed", submission, device="cpu"))
    assert result.state is State.GRADED, result.log
    [speed] = result.checks
    return speed


def test_a_slow_constructor_costs_nothing(engine: Engine, course: Path) -> None:
    speed = speed_of(engine, course, "time.sleep(3.4)")
    assert speed.points == 1, speed.message


@pytest.mark.parametrize(
    ("building", "calling"), [("is_timed() and time.sleep(60)", "pass"), ("pass", "is_timed() and time.sleep(60)")]
)
def test_a_network_that_is_never_ready_to_be_timed_gets_no_points(
    engine: Engine, course: Path, building: str, calling: str
) -> None:
    speed = speed_of(engine, course, building, calling)
    assert (speed.status, speed.points) == (Status.TIMEOUT, 0), speed.message
    assert "6 s" in speed.message


@pytest.mark.parametrize("building", ["is_timed() and os._exit(3)", "is_timed() and os.kill(os.getpid(), 9)"])
def test_a_network_that_dies_before_it_is_timed_gets_no_points(engine: Engine, course: Path, building: str) -> None:
    speed = speed_of(engine, course, f"import os; {building}")
    assert (speed.status, speed.points) == (Status.FAILED, 0), speed.message


# The worker whose calls are timed shares much memory with the judge.
IMPORTING = """

frame = sys._getframe()
while frame and "shared" not in frame.f_locals:
    frame = frame.f_back
if len(frame.f_locals["shared"]) > 1000:
    time.sleep(60)
"""


def test_a_file_that_is_never_loaded_to_be_timed_gets_no_points(engine: Engine, course: Path) -> None:
    speed = speed_of(engine, course, "pass", importing=IMPORTING)
    assert (speed.status, speed.points) == (Status.TIMEOUT, 0), speed.message
    assert "could not be run again" in speed.message
