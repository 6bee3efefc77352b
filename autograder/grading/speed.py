"""The check of a forward pass's time: what must hold before anything is timed, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Callable

import torch

from autograder.grading.comparison import Tolerance, compare
from autograder.grading.examiner import Examiner
from autograder.grading.failures import Failure, Settled
from autograder.results.feedback import points_text
from autograder.results.model import Status, Timing
from autograder.sandbox.values import Returned
from autograder.timing import decision
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.measuring import Measurement, Misbehaved, Workload, measure_and_confirm

_HINT = (
    "Which line is run most often, and which operator does more than it has to? Let PyTorch's operators do the loops."
)


def timed(
    examiner: Examiner, workload: Workload, limits: Thresholds, device: str, tolerance: Tolerance | None
) -> tuple[Failure, Timing | None, float]:
    """What to say, the figures, and the share of the points.

    Raises:
        Settled: the submission gets no points, for a reason that is no time.
        EngineError: the reference cannot be timed.
    """
    gpu = device == "cuda"

    def agrees(expected: object, got: object) -> str:
        difference = compare(Returned(expected), Returned(got), tolerance)
        return difference.message if difference else ""

    try:
        measured = measure_and_confirm(
            workload,
            lambda: examiner.another_worker(gpu=gpu),
            lambda: examiner.reference_worker(gpu=gpu),
            limits,
            agrees,
            device,
        )
    except Misbehaved as error:
        raise Settled(Failure(str(error))) from None
    if measured.verdict is Verdict.UNKNOWN:
        return Failure(f"Not measured: {measured.why}. This counts as passed.", Status.EXCUSED), None, 1.0
    share = 1.0 if measured.verdict is Verdict.FULL else decision.score(measured.bound, limits)
    timing = Timing(
        ratio=round(measured.ratio, 4),
        bound=round(measured.bound, 4),
        k_full=limits.full,
        k_zero=limits.zero,
        device=measured.device,
        quadruples=measured.quadruples,
        seconds=measured.seconds,
        reference_seconds=measured.reference_seconds,
        peak_bytes=measured.peak_bytes,
        reference_peak_bytes=measured.reference_peak_bytes,
    )
    status = Status.PASSED if share == 1 else Status.FAILED
    return Failure(_text(measured, limits), status, hint="" if share == 1 else _HINT), timing, share


def inputs_of(inputs: Callable[[torch.Generator], tuple[torch.Tensor, ...]]) -> tuple[torch.Tensor, ...]:
    """One sample, always the same."""
    return inputs(torch.Generator().manual_seed(0))


def _text(measured: Measurement, limits: Thresholds) -> str:
    if not measured.quadruples:
        return (
            f"A forward pass did not end in {measured.seconds:.3g} s; the reference takes "
            f"{_seconds(measured.reference_seconds)}. Full points are given up to {points_text(limits.full)} times."
        )
    least = f", and at least {_times(measured.bound)}" if measured.verdict is Verdict.SLOW else ""
    text = (
        f"Your forward pass takes {_times(measured.ratio)} as long as the reference's{least} "
        f"({_seconds(measured.seconds)} and {_seconds(measured.reference_seconds)} for a call; "
        f"{measured.device}, {measured.quadruples} comparisons). "
        f"Full points are given up to {points_text(limits.full)} times, none from {points_text(limits.zero)} times on."
    )
    if measured.peak_bytes:
        mb = 2**20
        text += f" Memory: {measured.peak_bytes / mb:.0f} MB and {measured.reference_peak_bytes / mb:.0f} MB."
    return text


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio < 10 else f"{ratio:.0f} times"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
