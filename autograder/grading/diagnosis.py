"""Finds the known misconception that explains what a student's code does wrong.

A candidate must do what the student's code does on the examples at hand: where that returned a wrong value, return the
same one; where it raised an exception, raise the same kind; where it was right, be right. Exceptions that Python or
PyTorch raised must also say the same, since one kind has many causes; the words of the student's own `raise` are their
own.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import time
import types
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.comparison import compare
from autograder.grading.marks import Misconception
from autograder.grading.operators import forbidden_use
from autograder.grading.recording import RecordedQuestion
from autograder.grading.reference import evaluate, load_misconceptions, load_variant
from autograder.grading.tolerance import Tolerance
from autograder.sandbox.observation import Functions, Operators
from autograder.sandbox.values import Opaque, Outcome, Raised, Returned, Work

# Of the processor's time, for one failed check: if the variants are large networks, a hint is not worth more.
PATIENCE_SECONDS = 5.0
CHECKS_EXPLAINED = 3  # of one exercise, if each of them takes that long: most of a student's checks fail for one reason


@dataclass(frozen=True)
class Evidence:
    """A probe on which the submission failed, and its answer. If it failed because it used something that the check
    forbids, `used` is the sentence about that."""

    probe: bytes
    seed: int
    got: Outcome
    tolerance: Tolerance | None = None
    used: str = ""


class Diagnosis:
    """Knows the misconceptions of one assignment; the wrong variants are built when first needed."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._variants: dict[str, types.ModuleType] = {}
        self._slow: set[str] = set()  # variants that are not tried again: they may never end
        self._spent: dict[str, float] = defaultdict(float)  # seconds, by exercise

    @functools.cached_property
    def known(self) -> list[Misconception]:
        return load_misconceptions(self._assignment)

    def prepare(self) -> None:
        """Does the work of the first diagnosis beforehand, so that forks of this process need not do it."""
        with contextlib.suppress(EngineError):  # reported when it matters
            for candidate in self.known[:1]:
                load_variant(self._assignment, candidate)

    def explain(
        self,
        exercise: str,
        wrong: Iterable[Evidence],
        right: Iterable[RecordedQuestion] = (),
        *,
        forbidden: Sequence[str] = (),
    ) -> Misconception | None:
        """The first misconception of the exercise that does what the submission did, if there is one.

        Args:
            wrong: the questions that it got wrong, with its answers; nothing is found without any.
            right: questions that it got right.
            forbidden: what the check forbids, for those questions where that was used.
        """
        wrong, right = list(wrong), list(right)
        # Those that answer nothing come last: some of them do not end.
        candidates = sorted((item for item in self.known if item.exercise == exercise), key=lambda item: item.crashes)
        patience = min(PATIENCE_SECONDS, CHECKS_EXPLAINED * PATIENCE_SECONDS - self._spent[exercise])
        if patience <= 0:
            return None
        began = time.process_time()
        try:
            return self._first(candidates, wrong, right, forbidden, patience)
        finally:
            self._spent[exercise] += time.process_time() - began

    def _first(
        self,
        candidates: Sequence[Misconception],
        wrong: Sequence[Evidence],
        right: Sequence[RecordedQuestion],
        forbidden: Sequence[str],
        patience: float,
    ) -> Misconception | None:
        """The first of the candidates that agrees; if the time is over first, the one that agreed so far."""
        agreed: Misconception | None = None
        started = time.process_time()
        with contextlib.suppress(_OutOfPatience), _patience(patience):
            for candidate in candidates if wrong else ():
                if candidate.name in self._slow:
                    continue
                agreed, started = None, time.process_time()
                with contextlib.suppress(EngineError):  # `verify` reports broken variants
                    if all(self._agrees(candidate, item, forbidden) for item in wrong):
                        agreed = candidate
                        if all(self._is_right(candidate, item) for item in right):
                            return candidate
            return None
        if time.process_time() - started > patience / 2:
            self._slow.add(candidate.name)
            return None
        return agreed

    def _agrees(self, candidate: Misconception, item: Evidence, forbidden: Sequence[str]) -> bool:
        if item.used:
            with Functions() as functions, Operators() as operators:
                outcome = self._outcome(candidate, item.probe, item.seed)
            if forbidden_use(tuple(forbidden), Work(operators.counts, functions=functions.calls)) != item.used:
                return False
        else:
            outcome = self._outcome(candidate, item.probe, item.seed)
        got = item.got
        if isinstance(outcome, Raised):
            return isinstance(got, Raised) and _same_exception(outcome, got, candidate)
        return isinstance(got, Returned) and _same_value(outcome, got, candidate, item.tolerance)

    def _is_right(self, candidate: Misconception, item: RecordedQuestion) -> bool:
        outcome = self._outcome(candidate, item.question.probe, item.question.seed)
        return compare(item.expected, outcome, item.tolerance) is None

    def _outcome(self, candidate: Misconception, probe: bytes, seed: int) -> Outcome:
        if candidate.name not in self._variants:
            self._variants[candidate.name] = load_variant(self._assignment, candidate)
        return evaluate(probe, self._variants[candidate.name], seed).outcome


class _OutOfPatience(BaseException):
    """Ends a variant that takes too long. Not an Exception, so that the variant's own handlers do not catch it."""


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raises _OutOfPatience in what runs inside after this much of the processor's time, again and again until that
    has ended. Must be in the main thread."""

    def stop(*_: object) -> None:
        raise _OutOfPatience

    before = signal.signal(signal.SIGPROF, stop)
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _same_value(outcome: Returned, got: Returned, candidate: Misconception, tolerance: Tolerance | None) -> bool:
    if not isinstance(got.value, Opaque):
        return compare(outcome, got, tolerance) is None
    # The reference raises, and the submission returns something of which only the type is known, such as a network.
    value = outcome.value
    return isinstance(value, Opaque) and _renamed(value.what, candidate) == _renamed(got.value.what, candidate)


def _renamed(text: str, candidate: Misconception) -> str:
    """A variant has a name of its own, which Python puts into types and into messages about arguments."""
    return text.replace(candidate.name, candidate.exercise)


def _same_exception(outcome: Raised, got: Raised, candidate: Misconception) -> bool:
    """Whether the variant's exception is the submission's, as far as its name and message can tell."""
    if outcome.type != got.type:
        return False
    if got.frames and got.frames[-1].text.startswith("raise"):
        return bool(outcome.message.strip()) == bool(got.message.strip())
    return _renamed(outcome.message, candidate) == _renamed(got.message, candidate)
