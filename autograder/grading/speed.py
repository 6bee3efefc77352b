"""The fixture `forward_time`: what must be true before anything is timed, and what the student is told afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from autograder.errors import EngineError, EngineGone
from autograder.grading.comparison import compare, require_comparable
from autograder.grading.context import TimingPlan
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.questions import Questions, seed_of
from autograder.grading.tolerance import Standard, Tolerance
from autograder.results.feedback import points_text
from autograder.results.model import Status, Timing
from autograder.sandbox import shipping
from autograder.sandbox.values import Returned
from autograder.timing import decision
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.measuring import Measurement, measure_and_confirm
from autograder.timing.sides import Misbehaved, NotReady, Workload

_HINT = (
    "Which line runs most often, and which operator does more than it has to? Let PyTorch's operators do the looping."
)


def forward_time(
    questions: Questions,
    probe: Callable[[Any], Callable[..., Any]],
    inputs: Callable[[torch.Generator], tuple[torch.Tensor, ...]],
    *,
    cpu: tuple[float, float] = (2, 8),
    cuda: tuple[float, float] = (2, 8),
    tolerance: Tolerance | None = None,
) -> None:
    """A forward pass takes at most a given multiple of the time that the reference's takes on the same machine.

    Nothing is timed unless the results are right, no forbidden operator is used, and `vectorised` did not fail.

    Args:
        probe: takes the module under test and makes what is timed: a function, or a network with filled weights. It is
            called once; what it returns is called many times, without a graph, each time with new inputs. Its outputs
            must have the same types, shapes and dtypes every time.
        inputs: makes the inputs of one call from a generator (see `strategies.normal`).
        cpu, cuda: full points up to the first multiple, no points from the second, linear in the logarithm in between.
            The first should be at least 1.5 times the slowest acceptable correct solution: see `autograder timing`.
        tolerance: replaces the dtype's default.
    """
    context = questions.context
    plan = context.timing
    thresholds = Thresholds(*(cuda if plan is not None and plan.device == "cuda" else cpu))
    if context.untimed:
        raise Settled(Failure(f"Not timed: {context.untimed}"))
    _require_right_results(questions, probe, inputs, tolerance)
    if plan is None:
        raise Settled(Failure("Not timed this time. This counts as passed.", Status.EXCUSED))
    data = shipping.dumps(probe)
    try:
        measured = _measured(Workload(data, inputs, seed_of(data), plan.seconds), plan, thresholds, tolerance)
    except EngineGone:  # the others would fail too: the whole submission is graded again
        raise
    except EngineError as error:  # no other check needs this
        questions.trouble = str(error)
        raise Settled(Failure("Not measured; this is not your fault. It counts as passed.", Status.EXCUSED)) from error
    if measured.verdict is Verdict.UNKNOWN:
        questions.remark, questions.share = f"Not measured: {measured.why}. This counts as passed.", 1.0
        raise Settled(Failure(questions.remark, Status.EXCUSED))
    questions.remark, questions.timing = _text(measured), _timing(measured)
    fast = measured.verdict is Verdict.FULL
    questions.share = 1.0 if fast else decision.score(measured.bound, measured.limits)
    if questions.share < 1:
        raise Settled(Failure(questions.remark, Status.FAILED, hint=_HINT))


def _require_right_results(
    questions: Questions,
    probe: Callable[[Any], Callable[..., Any]],
    inputs: Callable[[torch.Generator], tuple[torch.Tensor, ...]],
    tolerance: Tolerance | None,
) -> None:
    sample = inputs(torch.default_generator)  # which has a secret seed, the same for every submission

    def once(module: Any) -> Any:
        with torch.no_grad():
            return probe(module)(*sample)

    try:
        questions.same_outcome(once, tolerance=tolerance, exact="dtype shape")
    except CheckFailed as failed:
        questions.examples.found = None  # too large to be shown
        raise Settled(Failure(f"Not timed: the result is wrong. {failed.failure.message}")) from None
    finally:
        questions.context.recording.complete = False


def _measured(workload: Workload, plan: TimingPlan, thresholds: Thresholds, tolerance: Tolerance | None) -> Measurement:
    """Raises Settled: no points, for a reason other than time; EngineError: the reference cannot be timed."""

    def agrees(expected: object, got: object) -> str:
        require_comparable(Returned(expected))
        difference = compare(Returned(expected), Returned(got), Standard(tolerance))
        return difference.message if difference else ""

    try:
        return measure_and_confirm(workload, plan.submission, plan.reference, thresholds, agrees, plan.device)
    except NotReady as error:
        raise Settled(Failure(str(error), Status.TIMEOUT if error.timed_out else Status.FAILED)) from None
    except Misbehaved as error:
        raise Settled(Failure(str(error))) from None


def _timing(measured: Measurement) -> Timing:
    return Timing(
        ratio=round(measured.ratio, 4),
        bound=round(measured.bound, 4),
        k_full=measured.limits.full,
        k_zero=measured.limits.zero,
        device=measured.device,
        quadruples=measured.quadruples,
        seconds=measured.seconds,
        reference_seconds=measured.reference_seconds,
        peak_bytes=measured.peak_bytes,
        reference_peak_bytes=measured.reference_peak_bytes,
    )


def _text(measured: Measurement) -> str:
    limits = measured.limits
    if not measured.quadruples:
        return (
            f"A forward pass takes more than {_seconds(measured.seconds)}; the reference's takes "
            f"{_seconds(measured.reference_seconds)}. Full points are given up to {points_text(limits.full)} times."
        )
    least = f", and at least {_times(measured.bound)}" if measured.verdict is Verdict.SLOW else ""
    text = (
        f"Your forward pass takes {_times(measured.ratio)} as long as the reference's{least} "
        f"({_seconds(measured.seconds)} and {_seconds(measured.reference_seconds)} per call; "
        f"{measured.device}, {measured.quadruples} comparisons). "
        f"Full points are given up to {points_text(limits.full)} times, "
        f"no points for {points_text(limits.zero)} times or more."
    )
    if measured.disturbed:
        text += (
            f" Beside your code, the reference takes {_times(measured.disturbed)} as long as alone, so its time alone "
            "counts. Does something keep running after your function has returned?"
        )
    if measured.peak_bytes:
        mb = 2**20
        text += f" Memory: {measured.peak_bytes / mb:.0f} MB and {measured.reference_peak_bytes / mb:.0f} MB."
    return text


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio < 10 else f"{ratio:.0f} times"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
