"""The graders run once against the reference, so that for a class their examples need not be made again.

Making examples (Hypothesis) and evaluating the reference on them takes most of the time of a grading run, and is the
same for every submission. A rehearsal writes down what every check asks and what the reference answers; a submission
is then asked just that. Only where an answer differs is the check run in full, to find the smallest example. Checks
that judge answers by themselves (`student`, `vectorised`) have nothing to write down, are not rehearsed, and are always
run in full.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field, replace

from autograder.grading.comparison import Tolerance
from autograder.grading.diagnosis import evaluate
from autograder.grading.failures import Failure
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer, Outcome, known


@dataclass(frozen=True)
class RecordedQuestion:
    """What a check asks, and what the reference answers."""

    question: Question
    expected: Outcome
    tolerance: Tolerance | None = None
    reveal: bool = True


@dataclass
class Recording:
    """What one check asks; `complete` unless it does more than compare outcomes."""

    lines: list[RecordedQuestion] = field(default_factory=list)
    complete: bool = True

    def learnt(self) -> Recording:
        """The same with the reference's answers as likely ones, to be put to many submissions; nothing if there is more
        to the check."""
        if not self.complete:
            return Recording(complete=False)
        lines = [replace(line, question=replace(line.question, likely=known(line.expected))) for line in self.lines]
        return Recording(lines)


Recordings = dict[str, Recording]  # by a check's node id


class Recorder:
    """Answers in the examiner's place with the reference itself, here in the judge."""

    def __init__(self, reference: types.ModuleType) -> None:
        self._reference = reference
        self.names = set(vars(reference))
        self.problems: list[tuple[str, str, str]] = []
        self.layers: dict[str, str] = {}
        self.several_files = False

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """Nothing to reset."""

    def ask(self, question: Question) -> list[Answer]:
        return [Answer(evaluate(question.probe, self._reference, question.seed))]

    def load_failure(self) -> Failure | None:
        return None

    def source_line(self, label: str, number: int) -> str:  # noqa: ARG002
        return ""
