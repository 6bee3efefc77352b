"""Grading in the container of a PrairieLearn external grader."""

from __future__ import annotations

from pathlib import Path

from autograder.output import atomic
from autograder.platforms.places import Places
from autograder.platforms.supervisor import Platform
from autograder.results import prairielearn
from autograder.results.model import Result

HOME = Path("/grade")


class PrairieLearn(Platform):
    """`root` is /grade. What is printed, only instructors see."""

    def __init__(self, course: Path, root: Path, deadline_seconds: float) -> None:
        secret = [root / name for name in ("student", "results", "data", "tests", "serverFilesCourse")]
        student, results, *_ = secret
        places = Places(root, course, student, results, (course, *secret), is_container=root == HOME)
        super().__init__(places, deadline_seconds)

    def write(self, result: Result) -> None:
        atomic.replace(self.places.root / "results/results.json", prairielearn.encode(result))
