"""Who answers a check's questions."""

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
        """Whether the submission has several files or cells, so that a line number alone does not identify a line."""

    @property
    def names(self) -> Collection[str]:
        """What the module defines."""

    @property
    def problems(self) -> list[str]:
        """Errors raised while it was being loaded: where, and what they say."""

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """Starts a new check; `seconds` is its time limit."""

    def ask(self, *questions: Question) -> list[Answer]:
        """At least one answer, perhaps fewer than the questions.

        Raises:
            Settled: there is no answer; the failure says why.
        """

    def load_failure(self) -> Failure | None:
        """Why nothing can be graded; None if it can."""

    def source_line(self, label: str, number: int) -> str:
        """A line of the submission, without surrounding white space; empty if there is no such line."""
