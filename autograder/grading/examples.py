"""The examples on which a submission fails: found again by replaying a recording, made smaller, and explained."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from autograder.grading import showing
from autograder.grading.comparison import Difference, compare, is_stub, raised_text
from autograder.grading.context import CheckContext
from autograder.grading.diagnosis import Evidence
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.results.model import Status
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer, Outcome, Raised

# When to stop looking for a smaller example: after this many more questions, this many in a row that did not fail, or
# this long.
SHRINK_QUESTIONS, SHRINK_IN_VAIN, SHRINK_SECONDS = 40, 12, 2.0
# A recorded example is better than the one found only if it is this much smaller, since its numbers are less simple.
SMALLER_BYTES = 96
KEPT_EVIDENCE = 6
_CONCEALED = object()


@dataclass(frozen=True)
class FailedExample:
    """A question that the submission answered differently from the reference."""

    evidence: Evidence
    difference: Difference


class Examples:
    """The examples on which the submission failed one check."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self._evidence: deque[Evidence] = deque(maxlen=KEPT_EVIDENCE)
        self.found: FailedExample | None = None  # the last one, which Hypothesis has made the smallest
        self._recorded: FailedExample | None = None  # the smallest one of a recording
        self._first_failure: tuple[float, int] | None = None  # when it was, and at which question
        self._last_failure = 0

    def require_progress(self, asked: int) -> None:
        """Raises Settled once the search for a smaller example has taken long enough; `asked` counts the questions."""
        if self._first_failure is None:
            return
        since, first = self._first_failure
        questions, in_vain, seconds = asked - first, asked - self._last_failure, time.monotonic() - since
        if questions >= SHRINK_QUESTIONS or in_vain >= SHRINK_IN_VAIN or seconds > SHRINK_SECONDS:
            raise Settled(Failure("(replaced by the best example found)"))

    def require_same(self, recorded: RecordedQuestion, got: Outcome, asked: int) -> None:
        """Raises CheckFailed or Settled unless the submission's outcome is the reference's."""
        failed = self._failed(recorded, got)
        if failed is None:
            return
        self._first_failure = self._first_failure or (time.monotonic(), asked)
        if not self._evidence or failed.evidence.probe != self._evidence[-1].probe:
            self._evidence.append(failed.evidence)
            self._last_failure = asked
        self.found = failed
        raise CheckFailed(Failure(failed.difference.message))

    def replay(self, recording: Recording, ask: Callable[..., list[Answer]]) -> bool:
        """Asks the recorded questions and returns whether every answer equals the reference's. If not, run the check
        itself, and call `confirm` if it passes."""
        left = recording.questions
        while left:
            answers = ask(*(recorded.question for recorded in left))
            for recorded, answer in zip(left, answers, strict=False):
                failed = self._failed(recorded, answer.outcome)
                if failed and (self._recorded is None or _size(failed) < _size(self._recorded)):
                    self._recorded = failed
            if self._recorded is not None:
                return False
            left = left[len(answers) :]
        return True

    def confirm(self) -> None:
        """Raises CheckFailed if `replay` found a wrong answer although the check passed afterwards."""
        if self._recorded is None:
            return
        evidence, difference = self._recorded.evidence, self._recorded.difference
        message = f"{difference.message}\n  When asked again, your code gave a different answer."
        self._evidence.append(evidence)
        self.found = FailedExample(evidence, replace(difference, message=message))
        raise CheckFailed(Failure(message))

    def explained(self) -> Failure | None:
        """The best example on which `same_outcome` failed, with everything that helps a student."""
        best = self.found
        if best is None:
            return None
        if self._recorded is not None and _size(self._recorded) < _size(best) - SMALLER_BYTES:
            best = self._recorded
            self._evidence.append(best.evidence)
        evidence, difference, example = best.evidence, best.difference, None
        if difference.expected is not _CONCEALED:
            arguments = (evidence.seed, difference.expected, difference.got, evidence.tolerance)
            example = showing.counterexample(evidence.probe, self._context.reference, *arguments)
        known = self._context.diagnosis.explain(self._context.exercise, self._evidence)
        hint, name = (known.hint, known.name) if known else ("", "")
        return Failure(difference.message, Status.FAILED, example, hint, name)

    def with_call(self, failure: Failure, question: Question) -> Failure:
        """The failure to get an answer, with the call that was made if that adds information."""
        if failure.status is Status.SKIPPED or self._context.answers.load_failure() is not None:
            return failure
        call = showing.call_text(question.probe, self._context.reference, question.seed)
        return Failure(f"{failure.message}\n  The call was: {call}" if call else failure.message, failure.status)

    def _failed(self, recorded: RecordedQuestion, got: Outcome) -> FailedExample | None:
        """None if the answer is right.

        Raises:
            Settled: it is wrong, and an example would add nothing.
        """
        difference = compare(recorded.expected, got, recorded.tolerance)
        if difference is None:
            return None
        if not recorded.reveal:
            difference = _concealed(difference)
        if not self._context.explain or is_stub(got):
            raise Settled(Failure(difference.message))
        question = recorded.question
        return FailedExample(Evidence(question.probe, question.seed, got, recorded.tolerance), difference)


def _size(example: FailedExample) -> int:
    return len(example.evidence.probe)


def _concealed(difference: Difference) -> Difference:
    """The difference without what the reference returned."""
    got = difference.got
    if isinstance(got, Raised):
        return Difference(raised_text(got), _CONCEALED, got)
    return Difference(f"This is not right: {showing.show(got).text}.", _CONCEALED, got)
