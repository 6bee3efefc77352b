"""What the batch needs from a grader: processes on this machine, or a cluster."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from autograder.errors import EngineError
from autograder.results.model import Result
from autograder.submissions.reading import Submission


class CannotGrade(EngineError):
    """The problem is not this submission: none can be graded, so the batch ends."""


class Grader(Protocol):
    @property
    def device(self) -> str:
        """What forward passes are timed on: "cpu", "cuda", or "" if they are not timed."""

    @property
    def capacity(self) -> int:
        """How many submissions to hand over at a time, so that no process waits and little is held in memory."""

    def submit(self, submission: Submission) -> Future[Result]:
        """The future result, or `EngineError` for this one submission, or `CannotGrade`."""
