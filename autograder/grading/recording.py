"""What a check asks and what the reference answers, recorded so that it need not be worked out for every submission.

Making examples (Hypothesis) and evaluating the reference on them takes most of the time of a grading run and is the
same for every submission. A recording is made once; each submission is then asked only what it contains (see
`examples`). Only if an answer differs is the check run in full, to find the smallest example. Checks that judge answers
without the reference (`student`, `vectorised`) have nothing to record and are always run in full.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autograder.grading.tolerance import EXACTLY, Standard
from autograder.sandbox.client import Question
from autograder.sandbox.encoding import known
from autograder.sandbox.values import Outcome

KEPT_BYTES = 64 * 2**20  # of one check's answers


@dataclass(frozen=True)
class RecordedQuestion:
    """One question that a check asks, and the reference's answer."""

    question: Question
    expected: Outcome
    standard: Standard = EXACTLY
    reveal: bool = True

    @property
    def size(self) -> int:
        """The bytes of the reference's tensors and long texts."""
        return len(self.question.likely.body) if self.question.likely else 0


@dataclass
class Recording:
    """What one check asks; `complete` is false if the check does more than compare outcomes."""

    questions: list[RecordedQuestion] = field(default_factory=list)
    complete: bool = True
    _size: int = 0  # in bytes

    def add(self, question: RecordedQuestion) -> None:
        """Answers that are very large in total are not kept: the check is then run in full each time."""
        self._size += question.size
        if self._size <= KEPT_BYTES:
            self.questions.append(question)
        else:
            self.complete = False
            self.questions.clear()

    def for_replay(self) -> Recording:
        """A copy with the reference's answers as the likely ones; without questions if the check does more."""
        if not self.complete:
            return Recording(complete=False)
        return Recording([replace(one, question=_expecting(one)) for one in self.questions])


def _expecting(recorded: RecordedQuestion) -> Question:
    likely = recorded.question.likely
    if likely is None or likely.outcome is not recorded.expected:
        likely = known(recorded.expected)
    return replace(recorded.question, likely=likely)


Recordings = dict[str, Recording]  # by a check's node id
