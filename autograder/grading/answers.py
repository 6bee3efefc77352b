"""Who answers the questions of a check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from autograder.grading.failures import Failure
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer


class Answers(Protocol):
    """The submission in its worker (`examiner`), or the reference while its answers are recorded (`recorder`)."""

    is_reference: bool

    @property
    def several_files(self) -> bool:
        """Whether a line of the submission is found only by the name of its file or cell and its number."""

    @property
    def names(self) -> Collection[str]:
        """What the module defines."""

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """Errors while it was loaded: type, message and place."""

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """A new check, and the time it may take."""

    def ask(self, *questions: Question) -> list[Answer]:
        """At least one answer, perhaps fewer than there are questions.

        Raises:
            Settled: there is none; the failure says why.
        """

    def load_failure(self) -> Failure | None:
        """What stands in the way of grading anything."""

    def source_line(self, label: str, number: int) -> str:
        """A line of the submission, without the white space around it; empty if there is none."""
