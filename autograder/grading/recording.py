"""What a check asks and what the reference answers, written down so that it need not be found out for every submission.

Making examples (Hypothesis) and evaluating the reference on them takes most of the time of a grading run and is the
same for every submission. A recording is made once; a submission is then asked just what it holds (see `examples`).
Only where an answer differs is the check run in full, to find the smallest example. Checks that judge answers by
themselves (`student`, `vectorised`) have nothing to record and are always run in full.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autograder.grading.comparison import Tolerance
from autograder.sandbox.client import Question
from autograder.sandbox.values import Outcome, known


@dataclass(frozen=True)
class RecordedQuestion:
    """What a check asks, and what the reference answers."""

    question: Question
    expected: Outcome
    tolerance: Tolerance | None = None
    reveal: bool = True


@dataclass
class Recording:
    """What one check asks; `complete` unless the check does more than compare outcomes."""

    questions: list[RecordedQuestion] = field(default_factory=list)
    complete: bool = True

    def for_replay(self) -> Recording:
        """The same, with the reference's answers as the likely ones; without questions where the check does more."""
        if not self.complete:
            return Recording(complete=False)
        return Recording([replace(one, question=_expecting(one)) for one in self.questions])


def _expecting(recorded: RecordedQuestion) -> Question:
    return replace(recorded.question, likely=known(recorded.expected))


Recordings = dict[str, Recording]  # by a check's node id
