"""A tiny course with one timed exercise, graded by the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import CheckResult, State
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from timing.smooth import SOLUTION, Graded
from toy_course import toy_course

CHECKS = """\
import torch

from autograder.grading import exercise, points
from autograder.grading.strategies import normal

pytestmark = exercise("smooth")


@points(2)
def test_vectorised(vectorised):
    '''No loop over rows.'''
    vectorised(lambda m, x: m.smooth(x), torch.ones(4, 4), torch.ones(16, 4), torch.ones(4, 16))


@points(2)
def test_speed(forward_time):
    '''Fast enough.'''
    forward_time(lambda m: m.smooth, normal((64, 256)), cuda=(3, 8))
"""


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("timed")
    return toy_course(root, "timed", salt="some secret", exercises={"smooth": 4}, checks=CHECKS, solution=SOLUTION)


@pytest.fixture(scope="module")
def graded(engine: Engine, course: Path) -> Graded:
    def grade(source: str, device: str = "cpu") -> tuple[CheckResult, CheckResult]:
        submission = Submission("timed", "timed.py", (Cell("timed.py", source),), False)
        result = engine.grade(Job(str(course), "timed", submission, device=device))
        assert result.state is State.GRADED, result.log
        vectorised, speed = result.checks
        return vectorised, speed

    return grade
