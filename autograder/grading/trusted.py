"""Stands in for the examiner: trusted code answers the checks' questions in this process."""

from __future__ import annotations

import contextlib
import signal
import types
from collections.abc import Iterator

from autograder.grading.failures import Failure, Settled
from autograder.grading.reference import evaluate, outcome_of
from autograder.results.model import Status
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.observation import Functions, Lines, Operators
from autograder.sandbox.torch_state import reset_torch
from autograder.sandbox.values import Answer, Work

MOST_SECONDS = 10.0  # of the processor's time, for one question: a known mistake may be a loop that never ends


class Reference:
    """The reference, while its answers are recorded."""

    is_reference = True
    several_files = False

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self.names = set(vars(module))
        self.problems: list[str] = []

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """Nothing to reset."""

    def ask(self, *questions: Question) -> list[Answer]:
        answers = [one.likely or evaluate(one.probe, self._module, one.seed) for one in questions]
        return [Answer(answer.outcome) for answer in answers]

    def load_failure(self) -> Failure | None:
        return None

    def source_line(self, label: str, number: int) -> str:  # noqa: ARG002
        return ""


class Variant(Reference):
    """A known wrong variant of the reference, watched like a submission."""

    is_reference = False

    def begin(self, exercise: str, seconds: float | None = None) -> None:  # noqa: ARG002
        reset_torch()

    def ask(self, *questions: Question) -> list[Answer]:
        """As the examiner's.

        Raises:
            Settled: the variant does not end.
        """
        answers = []
        for position, question in enumerate(questions):
            try:
                with _limited():
                    answers.append(self._answer(question))
            except _TooLong:
                raise Settled(Failure("", Status.TIMEOUT), position) from None
        return answers

    def _answer(self, question: Question) -> Answer:
        operators, functions = (Operators(), Functions()) if question.operators else (None, None)
        lines = Lines() if question.lines else None
        with contextlib.ExitStack() as watching:
            for watch in (operators, functions, lines):  # not the profiler: no variant hides what it does
                if watch is not None:
                    watching.enter_context(watch)
            outcome = outcome_of(question.probe, self._module, question.seed)
        work = Work(
            operators=operators.counts if operators else {},
            lines=lines.counts if lines else (),
            functions=functions.calls if functions else {},
            elsewhere=lines.elsewhere if lines else 0,
            listed=lines.listed if lines else 0,
        )
        return Answer(as_sent(outcome).outcome, work)


class _TooLong(BaseException):
    """The time for one question is over."""


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Ends what runs inside after `MOST_SECONDS`. Only the main thread can be interrupted, and judges have no other."""

    def end(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS, 0.5)  # again, in case the code catches everything
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
