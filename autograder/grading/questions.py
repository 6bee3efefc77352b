"""The fixtures of hidden graders: `same_outcome`, `student`, `operators`, `vectorised`, `forward_time`. The rest is
pytest and Hypothesis.

A *probe* is a function of the module under test. It is shipped to the worker and evaluated there on the submission,
and only afterwards, here, on the reference solution; the two outcomes are compared. So whatever a probe returns is what
is checked: return the input after the call to check that it was not modified, return a gradient to check that.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import time
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from autograder.errors import EngineError
from autograder.grading import showing, speed
from autograder.grading.comparison import Difference, Tolerance, compare, is_stub, raised_text
from autograder.grading.diagnosis import Diagnosis, Evidence, evaluate
from autograder.grading.examiner import Examiner
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.recording import RecordedQuestion, Recorder, Recording
from autograder.results.model import Status, Timing
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.shipping import Probe
from autograder.sandbox.values import Answer, Raised, Returned, Work
from autograder.timing.decision import Thresholds
from autograder.timing.measuring import Workload

# Enough of looking for a smaller example: so many more questions, so many in a row that did not fail, or so long.
SHRINK_QUESTIONS, SHRINK_IN_VAIN, SHRINK_SECONDS = 40, 12, 2.0
# An example from the rehearsal is better than what was found if it is so much smaller: its numbers are less simple.
SMALLER_BYTES = 96
KEPT_EVIDENCE = 6
VECTORISED_SLACK = 4
ALWAYS_WATCHED, ONE_WATCHED_IN = 4, 8  # where operators are forbidden: so many questions at first, then a part
_CONCEALED = object()


class Questions:
    """The questions of one check. Its methods are the fixtures."""

    def __init__(
        self,
        examiner: Examiner | Recorder,
        reference: types.ModuleType,
        diagnosis: Diagnosis,
        exercise: str,
        forbidden: Sequence[str],
        recording: Recording,
        *,
        explain: bool = True,
        device: str = "",
        untimed: str = "",
    ) -> None:
        self._examiner = examiner
        self._reference = reference
        self._diagnosis = diagnosis
        self._exercise = exercise
        self._forbidden = forbidden
        self._recording = recording
        self._explain = explain
        self._evidence: deque[Evidence] = deque(maxlen=KEPT_EVIDENCE)
        self._difference: tuple[Evidence, Difference] | None = None  # the last one that a check found
        self._replayed: tuple[Evidence, Difference] | None = None  # the smallest one of a rehearsal
        self._first_failure: tuple[float, int] | None = None  # when, and at which question
        self._last_failure = 0
        self._device = device
        self._untimed = untimed
        self.asked = 0
        self.counts_work = False
        self.timing: Timing | None = None
        self.remark = self.trouble = ""
        self.share = 0.0

    def same_outcome(self, probe: Probe, *, tolerance: Tolerance | None = None, reveal: bool = True) -> None:
        """The submission returns the same values as the reference, or raises the same kind of exception.

        Both sides evaluate the shipped copy of `probe` with torch's generator seeded alike, so nothing that one does
        to an argument reaches the other. `tolerance` replaces the dtype's own. With `reveal=False` the student is
        told what the submission returned and not what the reference did: for quizzes, whose answers are the solution.
        """
        self._stop_shrinking()
        data = shipping.dumps(probe)
        seed = seed_of(data)
        question = self._question(data, seed)
        [answer] = self._ask(question)
        recorded = isinstance(self._examiner, Recorder)  # then this is the reference's answer
        expected = answer.outcome if recorded else evaluate(data, self._reference, seed)
        self._recording.lines.append(RecordedQuestion(question, expected, tolerance, reveal))
        difference = compare(expected, answer.outcome, tolerance)
        if difference is None:
            return
        if not reveal:
            difference = _concealed(difference)
        if not self._explain or is_stub(answer.outcome):  # no example says more
            raise Settled(Failure(difference.message))
        evidence = Evidence(data, seed, answer.outcome, tolerance)
        self._first_failure = self._first_failure or (time.monotonic(), self.asked)
        if not self._evidence or data != self._evidence[-1].probe:
            self._evidence.append(evidence)
            self._last_failure = self.asked
        self._difference = evidence, difference
        raise CheckFailed(Failure(difference.message))

    def student(self, probe: Probe, *, seed: int = 0) -> Any:
        """What `probe` returns on the submission, as plain values, for a check that judges it by itself.

        The values are the submission's own: tensors of any shape and dtype, anything at all. See `expect`.
        """
        self._judges_by_itself()
        [answer] = self._ask(self._question(shipping.dumps(probe), seed))
        if isinstance(answer.outcome, Raised):
            raise Settled(Failure(raised_text(answer.outcome)))
        return answer.outcome.value

    def operators(self, probe: Probe) -> dict[str, int]:
        """How often the submission dispatches each ATen operator in `probe`: {"mm": 1, "permute": 2}."""
        self._judges_by_itself()
        [answer] = self._ask(Question(shipping.dumps(probe), operators=True))
        if isinstance(answer.outcome, Raised):
            raise Settled(Failure(raised_text(answer.outcome)))
        return answer.work.operators

    def vectorised(self, probe: Callable[[Any, Any], Any], first: Any, *others: Any) -> None:
        """The Python work of `probe(module, input)` is the same for every input: operators dispatched and lines run.

        Give inputs that differ in one extent each, all extents at least 2.
        """
        self._judges_by_itself()
        self.counts_work = True
        for value in (first, *others):  # tables made at the first call are not work that grows
            self._work(probe, value, count=False)
        base = self._work(probe, first)
        for other in others:
            work = self._work(probe, other)
            for what, one, two, grows in _compared(base, work):
                if grows:
                    shapes = f"{showing.show(first).kind} and {two} for {showing.show(other).kind}"
                    text = (
                        f"The work in Python grows with the input: {one} {what} for {shapes}.{self._loop(base, work)}"
                    )
                    hint = "Loop over the positions inside the window, not over rows, columns or channels."
                    raise Settled(Failure(text, hint=hint))

    def forward_time(
        self,
        probe: Callable[[Any], Callable[..., Any]],
        inputs: Callable[[torch.Generator], tuple[torch.Tensor, ...]],
        *,
        cpu: tuple[float, float] = (2, 8),
        cuda: tuple[float, float] = (2, 8),
        tolerance: Tolerance | None = None,
    ) -> None:
        """A forward pass takes at most a multiple of the time that the reference's takes, on the same machine.

        Nothing is timed unless the results are right, no forbidden operator is used, and `vectorised` did not fail.

        Args:
            probe: makes, of the module under test, what is timed: a function, or a network with filled weights. It is
                called once; what it returns is called often, without a graph, with new inputs each time.
            inputs: makes the inputs of one call from a generator (see `strategies.normal`).
            cpu, cuda: full points up to the first multiple, none from the second on, linear in the logarithm between.
                At least 1.5 times the slowest acceptable correct solution: see `autograder timing`.
            tolerance: replaces the dtype's own.
        """
        limits = Thresholds(*(cuda if self._device == "cuda" else cpu))
        if self._untimed:
            raise Settled(Failure(f"Not timed: {self._untimed}"))
        sample = speed.inputs_of(inputs)

        def once(module: Any) -> Any:
            with torch.no_grad():
                return probe(module)(*sample)

        try:
            self.same_outcome(once, tolerance=tolerance)
        except CheckFailed as failed:
            self._difference = None  # too large to be shown
            raise Settled(Failure(f"Not timed: the result is not right. {failed.failure.message}")) from None
        finally:
            self._recording.complete = False
        if not self._device or isinstance(self._examiner, Recorder):
            raise Settled(Failure("Not timed this time. It counts as passed.", Status.EXCUSED))
        data = shipping.dumps(probe)
        workload = Workload(data, inputs, seed_of(data))
        try:
            told, self.timing, self.share = speed.timed(self._examiner, workload, limits, self._device, tolerance)
        except EngineError as error:  # all other checks can do without
            self.trouble = str(error)
            raise Settled(Failure("Not measured, for a reason that is not yours.", Status.EXCUSED)) from error
        self.remark = told.message
        if told.status is not Status.PASSED:
            raise Settled(told)

    def _judges_by_itself(self) -> None:
        self._recording.complete = False
        if isinstance(self._examiner, Recorder):
            raise Settled(Failure("Not rehearsed.", Status.EXCUSED))

    def _work(self, probe: Callable[[Any, Any], Any], value: Any, *, count: bool = True) -> Work:
        data = shipping.dumps(lambda module: probe(module, value))
        [answer] = self._ask(Question(data, operators=True, lines=count))
        if isinstance(answer.outcome, Raised):
            raise Settled(Failure(raised_text(answer.outcome)))
        if answer.work.started:
            raise Settled(Failure("Your code starts threads. Here it has to do all its work itself, in one."))
        if not answer.work.watched:
            raise Settled(Failure("Your code replaces sys.settrace's function, which this check needs to count lines."))
        return answer.work

    def _loop(self, base: Work, work: Work) -> str:
        """The outermost of the loops that run more often than before: of the lines with a `for` or `while` the one that
        runs least; where there is none (a `map`), the line that runs most."""
        before = {(line.file, line.number): line.count for line in base.lines}
        after = {(line.file, line.number): line.count for line in work.lines}
        grown = [place for place in after if after[place] - before.get(place, 0) > VECTORISED_SLACK]
        if not grown:
            return ""
        loops = [place for place in grown if re.search(r"\b(for|while)\b", self._examiner.source_line(*place))]
        place = (
            min(loops, key=lambda place: (after[place], place)) if loops else max(grown, key=lambda place: after[place])
        )
        where = f"Line {place[1]}" + (f" of {place[0]}" if self._examiner.several_files else "")
        source = self._examiner.source_line(*place)
        return f"\n  {where} ran {before.get(place, 0)} times, then {after[place]} times: {source}"

    def replay(self, recording: Recording) -> bool:
        """Asks what a rehearsal wrote down. Whether every answer is the reference's; if not, run the check itself, and
        `confirm` if it passes."""
        left = recording.lines
        while left:
            answers = self._ask(*(line.question for line in left))
            for line, answer in zip(left, answers, strict=False):
                difference = compare(line.expected, answer.outcome, line.tolerance)
                if difference is None:
                    continue
                if not self._explain or is_stub(answer.outcome):
                    raise Settled(Failure(difference.message))
                evidence = Evidence(line.question.probe, line.question.seed, answer.outcome, line.tolerance)
                if self._replayed is None or len(evidence.probe) < len(self._replayed[0].probe):
                    self._replayed = evidence, difference if line.reveal else _concealed(difference)
            if self._replayed is not None:
                return False
            left = left[len(answers) :]
        return True

    def confirm(self) -> None:
        """Raises CheckFailed if `replay` has seen another answer than the check after it: neither may be the last."""
        if self._replayed is None:
            return
        evidence, difference = self._replayed
        message = f"{difference.message}\n  Asked again, your code gave another answer."
        self._evidence.append(evidence)
        self._difference = evidence, replace(difference, message=message)
        raise CheckFailed(Failure(message))

    def explained(self) -> Failure | None:
        """The last failure of `same_outcome`, which Hypothesis has made the smallest, with all that helps a student."""
        if self._difference is None:
            return None
        evidence, difference = self._difference
        if self._replayed is not None and len(self._replayed[0].probe) < len(evidence.probe) - SMALLER_BYTES:
            evidence, difference = self._replayed
            self._evidence.append(evidence)
        message, example = difference.message, None
        if difference.expected is not _CONCEALED:
            arguments = (evidence.seed, difference.expected, difference.got, evidence.tolerance)
            example = showing.counterexample(evidence.probe, self._reference, *arguments)
        known = self._diagnosis.explain(self._exercise, self._evidence)
        failure = Failure(message, Status.FAILED, example)
        if known is None:
            return failure
        return Failure(message, Status.FAILED, example, known.hint, known.name)

    def _question(self, data: bytes, seed: int) -> Question:
        """Watching operators doubles the time of a small call, so not all are watched; which, the data decide."""
        watched = len(self._recording.lines) < ALWAYS_WATCHED or seed % ONE_WATCHED_IN == 0
        return Question(data, seed, operators=bool(self._forbidden) and watched)

    def _ask(self, *questions: Question) -> list[Answer]:
        try:
            answers = self._examiner.ask(*questions)
        except Settled as settled:
            self.asked += settled.position + 1
            if settled.failure.status is Status.TIMEOUT or self._difference is None:
                raise self._with_call(settled.failure, questions[settled.position]) from None
            raise
        for answer in answers:
            self.asked += 1
            for name in answer.work.operators:
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in self._forbidden):
                    text = f"Your code uses PyTorch's operator {name}, which this exercise asks you to write yourself."
                    raise Settled(Failure(text))
        return answers

    def _with_call(self, failure: Failure, question: Question) -> Settled:
        if failure.status is Status.SKIPPED or self._examiner.load_failure() is not None:
            return Settled(failure)
        call = showing.call_text(question.probe, self._reference, question.seed)
        return Settled(
            Failure(f"{failure.message}\n  The call was: {call}" if call else failure.message, failure.status)
        )

    def _stop_shrinking(self) -> None:
        if self._first_failure is None:
            return
        since, first = self._first_failure
        questions, in_vain, seconds = self.asked - first, self.asked - self._last_failure, time.monotonic() - since
        if questions >= SHRINK_QUESTIONS or in_vain >= SHRINK_IN_VAIN or seconds > SHRINK_SECONDS:
            raise Settled(Failure("(replaced by the best example found)"))


def _compared(one: Work, two: Work) -> Iterator[tuple[str, int, int, bool]]:
    """What was counted, how often on both occasions, and whether that is growth."""
    for what, first, second in (
        ("operators", sum(one.operators.values()), sum(two.operators.values())),
        ("lines of Python", sum(line.count for line in one.lines), sum(line.count for line in two.lines)),
    ):
        yield what, first, second, abs(first - second) > VECTORISED_SLACK
    # Operators call others, and which may depend a little on the size.
    yield "operators in all", one.profiled, two.profiled, two.profiled > 1.5 * one.profiled + 5 * VECTORISED_SLACK


def _concealed(difference: Difference) -> Difference:
    got = difference.got
    if isinstance(got, Raised):
        return Difference(raised_text(got), _CONCEALED, got)
    return Difference(f"This is not right: {showing.show(got).text}.", _CONCEALED, got)


def expect(condition: object, message: str, *, hint: str = "") -> None:
    """Fails the check with `message` unless `condition` holds; for checks that judge `student(...)` themselves."""
    if not bool(condition):
        raise CheckFailed(Failure(message, hint=hint))


def expect_tensor(value: object, like: torch.Tensor) -> torch.Tensor:
    """`value` (see `student`) as a tensor of the shape and dtype of `like`, whose entries do not matter.

    Raises:
        CheckFailed: it is something else.
    """
    if isinstance(value, torch.Tensor) and value.shape == like.shape and value.dtype == like.dtype:
        return value.detach()
    difference = compare(Returned(like), Returned(value))
    assert difference is not None
    raise CheckFailed(Failure(difference.message))


def seed_of(data: bytes) -> int:
    """A seed for torch's generator that depends on the probe alone: a replayed example sees the same numbers."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=4).digest(), "little")
