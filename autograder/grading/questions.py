"""The questions that a check asks. `same_outcome`, `student` and `operators` are fixtures of hidden graders.

A *probe* is a function that takes the module under test. It is shipped to the worker and evaluated there on the
submission, and only then, here, on the reference solution; the two outcomes are compared. So what is checked is
whatever a probe returns: the input after the call, to check that it was not modified; a gradient, to check that.
"""

from __future__ import annotations

import fnmatch
import hashlib
from typing import Any

import torch

from autograder.grading.comparison import Tolerance, compare, raised_text
from autograder.grading.context import CheckContext
from autograder.grading.examples import Examples
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.grading.reference import evaluate
from autograder.results.model import Status, Timing
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.shipping import Probe
from autograder.sandbox.values import Answer, Raised, Returned

ALWAYS_WATCHED, ONE_WATCHED_IN = 4, 8  # where operators are forbidden: the first few questions, then a part


class Questions:
    """The questions of one check, and what they have revealed."""

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.examples = Examples(context)
        self.asked = 0
        self.counts_work = False
        self.timing: Timing | None = None
        self.remark = self.trouble = ""  # for the student, and for the instructor
        self.share = 0.0  # of the points, if the check does not pass

    def same_outcome(self, probe: Probe, *, tolerance: Tolerance | None = None, reveal: bool = True) -> None:
        """The submission returns the same values as the reference, or raises the same kind of exception.

        Both sides evaluate the shipped copy of `probe` with torch's generator set to the same seed, so nothing that one
        does to an argument affects the other. `tolerance` replaces the dtype's default. With `reveal=False` the student
        is told what the submission returned, not what the reference did: for quizzes, whose answers are the solution.
        """
        context = self.context
        self.examples.require_progress(self.asked)
        data = shipping.dumps(probe)
        question = self._watched(data, seed_of(data))
        [answer] = self.ask(question)
        answered = answer.outcome
        expected = answered if context.answers.is_reference else evaluate(data, context.reference, question.seed)
        recorded = RecordedQuestion(question, expected, tolerance, reveal)
        context.recording.questions.append(recorded)
        self.examples.require_same(recorded, answered, self.asked)

    def student(self, probe: Probe, *, seed: int = 0) -> Any:
        """What `probe` returns on the submission, as plain values, for a check that judges it without the reference.

        The values are the submission's own: they may be tensors of any shape and dtype, or anything else. See `expect`.
        """
        self.judges_by_itself()
        return self._returned(self._watched(shipping.dumps(probe), seed)).outcome.value  # type: ignore[union-attr]

    def operators(self, probe: Probe) -> dict[str, int]:
        """How often the submission dispatches each ATen operator in `probe`: {"mm": 1, "permute": 2}."""
        self.judges_by_itself()
        return self._returned(Question(shipping.dumps(probe), operators=True)).work.operators

    def replay(self, recording: Recording) -> bool:
        """Asks the recorded questions. Whether the check passes without being run (see `Examples.replay`)."""
        return self.examples.replay(recording, self.ask)

    def judges_by_itself(self) -> None:
        """Notes that the check does not compare with the reference, so there is nothing to record.

        Raises:
            Settled: while the reference's answers are recorded.
        """
        self.context.recording.complete = False
        if self.context.answers.is_reference:
            raise Settled(Failure("Not recorded.", Status.EXCUSED))

    def ask(self, *questions: Question) -> list[Answer]:
        """At least one answer, perhaps fewer than the questions.

        Raises:
            Settled: there is no answer, or the submission used a forbidden operator.
        """
        try:
            answers = self.context.answers.ask(*questions)
        except Settled as settled:
            self.asked += settled.position + 1
            if settled.failure.status is Status.TIMEOUT or self.examples.found is None:
                raise Settled(self.examples.with_call(settled.failure, questions[settled.position])) from None
            raise
        for answer in answers:
            self.asked += 1
            for name in answer.work.operators:
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.context.forbidden):
                    text = f"Your code uses PyTorch's operator {name}, which this exercise asks you to write yourself."
                    raise Settled(Failure(text))
        return answers

    def _returned(self, question: Question) -> Answer:
        """The answer to a question that the submission must answer with a value."""
        [answer] = self.ask(question)
        if isinstance(answer.outcome, Raised):
            raise Settled(Failure(raised_text(answer.outcome)))
        return answer

    def _watched(self, data: bytes, seed: int) -> Question:
        """Watching operators doubles the time of a small call, so not all calls are watched; the data decide which."""
        watched = len(self.context.recording.questions) < ALWAYS_WATCHED or seed % ONE_WATCHED_IN == 0
        return Question(data, seed, operators=bool(self.context.forbidden) and watched)


def expect(condition: object, message: str, *, hint: str = "") -> None:
    """Fails the check with `message` unless `condition` is true; for checks that judge `student(...)` themselves."""
    if not bool(condition):
        raise CheckFailed(Failure(message, hint=hint))


def expect_tensor(value: object, like: torch.Tensor) -> torch.Tensor:
    """`value` (see `student`) as a tensor with the shape and dtype of `like`, whose entries do not matter.

    Raises:
        CheckFailed: it is something else.
    """
    if isinstance(value, torch.Tensor) and value.shape == like.shape and value.dtype == like.dtype:
        return value.detach()
    difference = compare(Returned(like), Returned(value))
    assert difference is not None
    raise CheckFailed(Failure(difference.message))


def seed_of(data: bytes) -> int:
    """A seed for torch's generator that depends only on the probe, so a replayed example sees the same numbers."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=4).digest(), "little")
