"""The questions that a check asks. `same_outcome`, `student` and `operators` are fixtures of hidden graders.

A *probe* is a function that takes the module under test. It is evaluated here on the reference solution, and shipped to
the worker and evaluated there on the submission; the two outcomes are compared. So what is checked is whatever a probe
returns: the input after the call, to check that it was not modified; a gradient, to check that.
"""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import replace
from typing import Any

import msgspec
import torch

from autograder.grading.comparison import compare, raised_text, require_comparable
from autograder.grading.context import CheckContext
from autograder.grading.examples import Examples
from autograder.grading.failures import CheckFailed, Failure, GraderFault, Settled
from autograder.grading.operators import forbidden_use
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.grading.reference import evaluate
from autograder.grading.tolerance import Standard, Tolerance, same_dtype, same_shape
from autograder.output.inert import one_line
from autograder.results.model import Status, Timing
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.shipping import Probe
from autograder.sandbox.values import Answer, Outcome, Raised, Returned

Kinds = type[Exception] | tuple[type[Exception], ...]

UNUSABLE = "This check could not go on with what your code returned earlier in it."

ALWAYS_WATCHED, ONE_WATCHED_IN = 4, 8  # where something is forbidden: the first few questions, then a part


class Questions:
    """The questions of one check, and what they have revealed."""

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.examples = Examples(context)
        self._forbidden = tuple(context.forbidden)
        self.asked = self.values = 0  # questions, and those answered with a value
        self.uses_answers = False  # other than to compare them with the reference's
        self.counts_work = False
        self.stopped: Question | None = None  # the one during which the submission was stopped or ended
        self.uses_forbidden = False
        self.timing: Timing | None = None
        self.remark = self.trouble = ""  # for the student, and for the instructor
        self.share = 0.0  # of the points, if the check does not pass

    def same_outcome(
        self,
        probe: Probe,
        *,
        raises: Kinds | None = None,
        exact: str = "",
        tolerance: Tolerance | None = None,
        reveal: bool = True,
    ) -> None:
        """The submission returns the same values as the reference; with `raises`, it raises this kind of exception.

        Both sides evaluate the shipped copy of `probe` with the generators set to the same seed, so nothing that one
        does to an argument affects the other. Of several kinds in `raises`, the submission raises the one that the
        reference raises. Between float32 and float64 values are compared with the precision of float32, and extents of
        1 do not count in a shape; `exact="dtype"`, `exact="shape"` or `exact="dtype shape"` is for the checks that are
        about these. `tolerance` replaces the dtype's default. With `reveal=False` the student is told what the
        submission returned, not what the reference did: for quizzes, whose answers are the solution.

        Raises:
            CheckFailed, Settled: the submission does something else.
            GraderFault: the reference raises without `raises`, does not raise what `raises` says, or returns what
                cannot be compared.
        """
        context = self.context
        self.examples.require_progress(self.asked)
        data = shipping.dumps(probe)
        question = self._watched(data, seed_of(data))
        # First, since the size of the right answer determines how large the submission's may be.
        likely = evaluate(data, context.reference, question.seed)
        expected = self._expected(raises, likely.outcome)
        question = replace(question, likely=likely)
        [answer] = self.ask(question)
        recorded = RecordedQuestion(question, expected, _standard(exact, tolerance), reveal)
        context.recording.add(recorded)
        self.examples.require_same(recorded, answer.outcome, self.asked)

    def student(self, probe: Probe, *, seed: int = 0) -> Any:
        """What `probe` returns on the submission, as plain values, for a check that judges it without the reference.

        The values are the submission's own: they may be tensors of any shape and dtype, or anything else. See `expect`.
        """
        self.judges_by_itself()
        question = self._watched(shipping.dumps(probe), seed)
        [answer] = self.ask(question)
        return _value(answer.outcome)

    def operators(self, probe: Probe) -> dict[str, int]:
        """How often the submission dispatches each ATen operator in `probe`: {"mm": 1, "permute": 2}."""
        self.judges_by_itself()
        [answer] = self.ask(Question(shipping.dumps(probe), operators=True))
        _value(answer.outcome)
        return answer.work.operators

    def replay(self, recording: Recording) -> bool:
        """Asks the recorded questions. Whether the check passes without being run (see `Examples.replay`)."""
        return self.examples.replay(recording, self.ask)

    def judges_by_itself(self) -> None:
        """Notes that the check does not compare with the reference, so there is nothing to record.

        Raises:
            Settled: while the reference's answers are recorded.
        """
        self.context.recording.complete = False
        self.uses_answers = True
        if self.context.answers.is_reference:
            raise Settled(Failure("Not recorded.", Status.EXCUSED))

    def ask(self, *questions: Question) -> list[Answer]:
        """At least one answer, perhaps fewer than the questions.

        Raises:
            Settled: there is no answer, or the submission used something that is forbidden.
        """
        try:
            answers = self.context.answers.ask(*questions)
        except Settled as settled:
            self.asked += settled.position + 1
            if settled.failure.status is not Status.SKIPPED:
                self.stopped = questions[settled.position]
            if settled.failure.status is Status.TIMEOUT or self.examples.found is None:
                raise Settled(self.examples.with_call(settled.failure, questions[settled.position])) from None
            raise
        for question, answer in zip(questions, answers, strict=False):
            self.asked += 1
            self.values += isinstance(answer.outcome, Returned)
            if question.operators and self._forbidden and (used := forbidden_use(self._forbidden, answer.work)):
                self.uses_forbidden = True
                raise Settled(Failure(used))
        return answers

    def _expected(self, raises: Kinds | None, outcome: Outcome) -> Outcome:
        """See `held_to` and `require_comparable`. A check that has asked `student` may have made the probe from what
        the submission returned, and a submission must not be able to make the grader fail: such a check fails, and the
        log says why."""
        try:
            expected = held_to(raises, outcome)
            require_comparable(expected)
        except GraderFault as fault:
            if not self.uses_answers:
                raise
            self.trouble = str(fault)
            raise Settled(Failure(UNUSABLE)) from None
        return expected

    def _watched(self, data: bytes, seed: int) -> Question:
        """Watching operators doubles the time of a small call, so not all calls are watched; the data decide which."""
        watched = len(self.context.recording.questions) < ALWAYS_WATCHED or seed % ONE_WATCHED_IN == 0
        return Question(data, seed, operators=bool(self._forbidden) and watched)


def _value(outcome: Outcome) -> Any:
    """What the submission returned, where it must return something."""
    if isinstance(outcome, Raised):
        raise Settled(Failure(raised_text(outcome)))
    return outcome.value


def expect(condition: object, message: str, *, hint: str = "") -> None:
    """Fails the check with `message` unless `condition` is true; for checks that judge `student(...)` themselves."""
    if not bool(condition):
        raise CheckFailed(Failure(message, hint=hint))


def expect_tensor(value: object, like: torch.Tensor, *, exact: str = "") -> torch.Tensor:
    """`value` (see `student`) as a tensor with the shape and dtype of `like`, whose entries do not matter. What may be
    different about the submission's is said by `exact`, as for `same_outcome`.

    Raises:
        CheckFailed: it is something else.
    """
    standard = _standard(exact, None)
    if isinstance(value, torch.Tensor) and same_shape(like, value, standard) and same_dtype(like, value, standard):
        return value.detach().reshape(like.shape).to(like.dtype)
    difference = compare(Returned(like), Returned(value), standard)
    assert difference is not None
    raise CheckFailed(Failure(difference.message))


def _standard(exact: str, tolerance: Tolerance | None) -> Standard:
    parts = set(exact.split())
    if parts - {"dtype", "shape"}:
        raise GraderFault(f'exact= takes "dtype", "shape" or both, not {exact!r}')
    return Standard(tolerance, dtype="dtype" in parts, shape="shape" in parts)


def held_to(raises: Kinds | None, outcome: Outcome) -> Outcome:
    """The reference's outcome as a submission must meet it: of an exception, the kind is the one that `raises` names.

    Raises:
        GraderFault: the outcome is an exception without `raises`, or is not what `raises` says.
    """
    if raises is None:
        if not isinstance(outcome, Raised):
            return outcome
        advice = f"correct the probe or the solution, or say raises={outcome.builtins[0]}"
        raise GraderFault(f"the reference raises {_in_short(outcome)} where a value was expected; {advice}")
    kinds = raises if isinstance(raises, tuple) else (raises,)
    if not kinds or not all(map(_is_built_in, kinds)):
        raise GraderFault("raises= takes a built-in exception type, such as ValueError, or a tuple of them")
    names = [kind.__name__ for kind in kinds]
    wanted = f"{' or '.join(names)}; correct the check or the solution"
    if not isinstance(outcome, Raised):
        raise GraderFault(f"the reference returns instead of raising {wanted}")
    for position, name in enumerate(outcome.builtins):  # nearest first
        if name in names:
            return msgspec.structs.replace(outcome, builtins=outcome.builtins[position:])
    raise GraderFault(f"the reference raises {_in_short(outcome)} instead of {wanted}")


def _is_built_in(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception) and getattr(builtins, kind.__name__, None) is kind


def _in_short(raised: Raised) -> str:
    message = one_line(raised.message, 200)
    return f"{raised.type} ({message})" if message else raised.type


def seed_of(data: bytes) -> int:
    """A seed for the generators that depends only on the probe, so a replayed example sees the same numbers."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=4).digest(), "little")
