"""The examples on which a submission fails: found again by replaying a recording, made smaller, and explained."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
import numpy as np
import torch

from autograder.grading import showing
from autograder.grading.comparison import Difference, compare, is_stub, raised_text
from autograder.grading.context import CheckContext
from autograder.grading.diagnosis import Evidence
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.results.model import Status
from autograder.sandbox.client import Question
from autograder.sandbox.values import MAX_NODES, Answer, Outcome, Raised, Returned

# When to stop looking for a smaller example: after this many more questions, this many in a row that did not fail, or
# this long.
SHRINK_QUESTIONS, SHRINK_IN_VAIN, SHRINK_SECONDS = 40, 12, 2.0
# A recorded example is better than the one found only if it is this much smaller, since its numbers are less simple.
SMALLER_BYTES = 96
KEPT_EVIDENCE, KEPT_PASSED = 6, 32
MAX_PASSED_BYTES = 2 * 2**20  # of the right answer to a question that is kept although the submission passed
MAX_HEARD_BYTES = 8 * 2**20  # of an answer that is kept although nobody knows how large a right one is
_CONCEALED = object()

T = TypeVar("T")


@dataclass(frozen=True)
class FailedExample:
    """A question that the submission answered differently from the reference."""

    evidence: Evidence
    difference: Difference


class Examples:
    """The examples on which the submission failed one check.

    `wrong_values` and `exceptions` count the wrong answers of each kind. `unexplained` says what went wrong where a
    failure was to be explained: an explanation is never worth a grade.
    """

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self._evidence: deque[Evidence] = deque(maxlen=KEPT_EVIDENCE)
        self._passed: deque[RecordedQuestion] = deque(maxlen=KEPT_PASSED)
        self._heard: deque[Evidence] = deque(maxlen=KEPT_EVIDENCE)
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

    def heard(self, question: Question, got: Outcome) -> None:
        """Notes an answer that the check judges by itself. A large one is not kept, and neither are those before it:
        without it they would not say why the check failed."""
        if not self._context.explain:
            return
        if isinstance(got, Returned) and _bytes(got.value) > MAX_HEARD_BYTES:
            self._heard.clear()
        else:
            self._heard.append(Evidence(question.probe, question.seed, got))

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
            reference = self._context.reference
            example = self._tried(lambda: showing.counterexample(evidence.probe, reference, *arguments))
        diagnosis, exercise = self._context.diagnosis, self._context.exercise
        right = [*self._passed, *self._context.passed]
        known = self._tried(lambda: diagnosis.explain(exercise, self._evidence, right))
        hint, name = (known.hint, known.name) if known else ("", "")
        return Failure(difference.message, Status.FAILED, example, hint, name)

    def diagnosed(self, failure: Failure, *, judged: bool) -> Failure:
        """The failure of a check that judges answers by itself, with the hint of a misconception that gives the same
        answers, and so fails as well. `judged` is false if the check did not end with a judgement of its own."""
        answers, context = self._heard, self._context
        if not context.explain or not answers or is_stub(answers[-1].got):
            return failure
        if failure.misconception or not (judged or isinstance(answers[-1].got, Raised)):
            return failure
        known = self._tried(lambda: context.diagnosis.explain(context.exercise, answers, context.passed))
        return msgspec.structs.replace(failure, hint=known.hint, misconception=known.name) if known else failure

    def forbidden(self, used: str, question: Question, got: Outcome) -> Failure:
        """The failure of a submission that uses what the check forbids: `used` is the sentence that says so."""
        context, explain = self._context, self._context.diagnosis.explain
        if not context.explain:
            return Failure(used)
        evidence = [Evidence(question.probe, question.seed, got, used=used)]
        known = self._tried(lambda: explain(context.exercise, evidence, context.passed, forbidden=context.forbidden))
        return Failure(used, hint=known.hint, misconception=known.name) if known else Failure(used)

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
        difference = compare(recorded.expected, got, recorded.tolerance)
        if difference is None:
            if recorded.size <= MAX_PASSED_BYTES:
                self._passed.append(recorded)
            return None
        self.wrong_values += isinstance(got, Returned)
        self.exceptions += isinstance(got, Raised)
        if not recorded.reveal:
            difference = self._concealed(difference)
        if not self._context.explain or is_stub(got):
            raise Settled(Failure(difference.message))
        question = recorded.question
        return FailedExample(Evidence(question.probe, question.seed, got, recorded.tolerance), difference)

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


def _bytes(value: object) -> int:
    """About how much memory the tensors, texts and numbers of a decoded answer take."""
    total, left = 0, [value]
    while left:
        item = left.pop()
        if isinstance(item, torch.Tensor | np.ndarray | np.generic):
            total += item.nbytes
        elif isinstance(item, str | bytes):
            total += len(item)
        elif isinstance(item, dict):
            left += (*item.keys(), *item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            total += 8 * len(item)
            left += item if len(item) <= MAX_NODES else ()  # longer ones contain nothing but numbers
        else:
            left += (getattr(item, name) for name in getattr(item, "__match_args__", ()))
    return total


def _size(example: FailedExample) -> int:
    return len(example.evidence.probe)
