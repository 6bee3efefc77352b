"""The examples on which a submission fails: found again by replaying a recording, made smaller, and explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from autograder.grading import showing
from autograder.grading.comparison import Difference, compare, is_stub, raised_text
from autograder.grading.context import CheckContext
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.hearing import Heard
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.results.model import Status
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer, Outcome, Raised, Returned

# When to stop looking for a smaller example: after this many more questions, this many in a row that did not fail, or
# this long.
SHRINK_QUESTIONS, SHRINK_IN_VAIN, SHRINK_SECONDS = 40, 12, 2.0
# A recorded example is better than the one found only if it is this much smaller, since its numbers are less simple.
SMALLER_BYTES = 96
_CONCEALED = object()

T = TypeVar("T")


@dataclass(frozen=True)
class FailedExample:
    """A question that the submission answered differently from the reference."""

    recorded: RecordedQuestion
    difference: Difference
    got: Outcome

    @property
    def probe(self) -> bytes:
        return self.recorded.question.probe


class Examples:
    """The examples on which the submission failed one check.

    `wrong_values` and `exceptions` count the wrong answers of each kind. `unexplained` says what went wrong where a
    failure was to be explained: an explanation is never worth a grade.
    """

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self.heard = Heard()
        self.wrong_values = self.exceptions = 0
        self.unexplained: list[str] = []
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
        if self.found is None or failed.probe != self.found.probe:
            self._last_failure = asked
        self.found = failed
        raise CheckFailed(Failure(failed.difference.message))

    def replay(self, recording: Recording, ask: Callable[..., list[Answer]]) -> bool:
        """Asks the recorded questions and returns whether every answer equals the reference's. If not, run the check
        itself, and call `confirm` if it passes.

        Raises:
            Settled: an answer is wrong, and an example would add nothing.
        """
        left, settled = recording.questions, None
        self.heard.replaying = True
        try:
            while left and not (settled and self._context.hurried):
                answers = ask(*(recorded.question for recorded in left))
                for recorded, answer in zip(left, answers, strict=False):
                    try:
                        failed = self._failed(recorded, answer.outcome)
                    except Settled as end:
                        settled = settled or end
                        continue
                    if failed and (self._recorded is None or _size(failed) < _size(self._recorded)):
                        self._recorded = failed
                left = left[len(answers) :]
        finally:
            self.heard.close()
        if settled is not None:
            raise settled
        return self._recorded is None

    def confirm(self) -> None:
        """Raises CheckFailed if `replay` found a wrong answer although the check passed afterwards."""
        if self._recorded is None:
            return
        difference = self._recorded.difference
        message = f"{difference.message}\n  When asked again, your code gave a different answer."
        self.found = replace(self._recorded, difference=replace(difference, message=message))
        raise CheckFailed(Failure(message))

    @property
    def best(self) -> FailedExample | None:
        """The example to show of those on which `same_outcome` failed."""
        best = self.found or self._recorded
        if best is not None and self._recorded is not None and _size(self._recorded) < _size(best) - SMALLER_BYTES:
            best = self._recorded
        return best

    def explained(self) -> Failure | None:
        """The best example, as a student sees it."""
        best = self.best
        if best is None:
            return None
        recorded, difference, example = best.recorded, best.difference, None
        if difference.expected is not _CONCEALED:
            question, values = recorded.question, (difference.expected, difference.got, recorded.standard.tolerance)
            reference = self._context.reference
            example = self._tried(lambda: showing.counterexample(question.probe, reference, question.seed, *values))
        return Failure(difference.message, Status.FAILED, example)

    def with_call(self, failure: Failure, question: Question) -> Failure:
        """The failure to get an answer, with the call that was made if that adds information."""
        if failure.status is Status.SKIPPED or self._context.answers.load_failure() is not None:
            return failure
        call = self._tried(lambda: showing.call_text(question.probe, self._context.reference, question.seed))
        return Failure(f"{failure.message}\n  The call was: {call}" if call else failure.message, failure.status)

    def _failed(self, recorded: RecordedQuestion, got: Outcome) -> FailedExample | None:
        """None if the answer is right.

        Raises:
            Settled: it is wrong, and an example would add nothing.
        """
        margins = None if self.heard.complete else self._context.margins
        comparing = margins.compare if margins else compare
        difference = comparing(recorded.expected, got, recorded.standard)
        self.heard.add(recorded, got, right=difference is None)
        if difference is None:
            return None
        self.wrong_values += isinstance(got, Returned)
        self.exceptions += isinstance(got, Raised)
        if not recorded.reveal:
            difference = self._concealed(difference)
        if not self._context.explain or is_stub(got):
            raise Settled(Failure(difference.message))
        return FailedExample(recorded, difference, got)

    def _concealed(self, difference: Difference) -> Difference:
        """The difference without what the reference returned."""
        got = difference.got
        if isinstance(got, Raised):
            return Difference(raised_text(got), _CONCEALED, got)
        shown = self._tried(lambda: showing.show(got).text)
        return Difference(f"This is not right: {shown}." if shown else "This is not right.", _CONCEALED, got)

    def _tried(self, explain: Callable[[], T]) -> T | None:
        """A part of an explanation; None, with a line for the instructor, if it cannot be given."""
        try:
            return explain()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a wrong variant may call exit()
            self.unexplained.append(f"{type(error).__name__}: {error}")
            return None


def _size(example: FailedExample) -> int:
    return len(example.probe)
