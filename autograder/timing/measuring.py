"""Measures one function of a submission against the reference's: two workers that differ only in the code take turns.

Why in turns: on a machine that is also doing other things, two consecutive series differ by more than any fair limit.
Calls that alternate within a tenth of a second see the same machine. What a call costs besides the function (sending,
decoding) is measured with empty calls on the reference's worker and subtracted.
"""

from __future__ import annotations

import contextlib
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from autograder.errors import EngineError, EngineGone
from autograder.sandbox.client import Timed, Worker
from autograder.sandbox.layouts import Layout
from autograder.sandbox.values import Returned
from autograder.timing import decision
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.devices import locked
from autograder.timing.sides import (
    CALL_SECONDS,
    Misbehaved,
    NotReady,
    ReferenceRaised,
    Requests,
    Side,
    TooLong,
    Workload,
)

FIRST_SECONDS, AGAIN_SECONDS = 9.0, 8.0  # for comparisons; what comes before them has limits of its own
LONG_ENOUGH = 0.006  # seconds of the reference per request: short calls are repeated, with other inputs
MOST_SECONDS = 15.0  # for a request of a submission whose reference is slow
MOST_CALLS, MOST_BYTES = 50, 4 * 2**20  # in one request
ALONE = 5  # requests to the reference before the submission's worker starts
RESTS = 4  # empty ones
DISTURBED = 1.5  # if the reference is this many times slower beside the submission than alone, nothing is known
MOST_OF_IT = 0.8
ROUNDS = 5  # to find out that this GPU is slow in float64
FLOAT64 = 2.0  # times as long as float32, on CPUs and on GPUs for data centres: the limits are meant for these


@dataclass(frozen=True)
class Measurement:
    """`ratio` is the median, `bound` its lower bound; `seconds` and `reference_seconds` are for one call. `why` says
    what went wrong if the verdict is `UNKNOWN`; peak bytes are for a GPU. `disturbed` is how many times slower the
    reference ran beside the submission than alone, if therefore its time alone is what the submission's is compared
    with, else 0."""

    verdict: Verdict
    limits: Thresholds
    ratio: float
    bound: float
    quadruples: int
    device: str
    seconds: float
    reference_seconds: float
    peak_bytes: int = 0
    reference_peak_bytes: int = 0
    why: str = ""
    disturbed: float = 0.0
    logs: tuple[float, ...] = field(default=(), repr=False)


def measure_and_confirm(
    workload: Workload,
    student: Callable[[], Worker],
    reference: Callable[[], Worker],
    limits: Thresholds,
    agrees: Callable[[object, object], str],
    device: str = "cpu",
) -> Measurement:
    """What `measure` finds. A deduction needs two measurements in different processes, of which the better one counts,
    and so does the verdict that nothing is known.

    Raises: as `measure`.
    """
    slow: list[Measurement] = []
    unknown: list[Measurement] = []
    not_ready: list[NotReady] = []
    while len(slow) + len(not_ready) < 2 and len(unknown) < 2:
        try:
            seconds = AGAIN_SECONDS if slow or not_ready or unknown else FIRST_SECONDS
            measured = measure(workload, student, reference, limits, agrees, device, seconds)
        except NotReady as error:
            not_ready.append(error)
            continue
        if measured.verdict is Verdict.FULL:
            return measured
        (slow if measured.verdict is Verdict.SLOW else unknown).append(measured)
    if len(unknown) == 2:
        return unknown[-1]
    if not slow:
        raise not_ready[-1]
    return min(slow, key=lambda measurement: measurement.bound)


def measure(
    workload: Workload,
    student: Callable[[], Worker],
    reference: Callable[[], Worker],
    limits: Thresholds,
    agrees: Callable[[object, object], str],
    device: str,
    seconds: float,
) -> Measurement:
    """Measures quadruples until the verdict is clear or `seconds` are over; what comes before the first one does not
    count.

    Args:
        student, reference: start a worker that has loaded its module.
        agrees: compares the reference's outputs with the submission's; returns what is wrong, or "".

    Raises:
        Misbehaved: the submission failed, answered wrongly, or broke the rules.
        NotReady: it could not be timed, perhaps through the machine's fault.
        EngineError: the reference could not be timed, and not because the submission left it no time.
    """
    with locked(device), contextlib.ExitStack() as workers:
        layouts: dict[int, Layout] = {}
        ours = Side(workers, reference, workload, device, layouts, trusted=True)
        # The reference decides how many calls a request has. If the submission's calls did, whoever slept in those
        # that do not count would get short requests, which are noisy.
        if device == "cuda":
            limits = limits.times(_slowness_of_float64(ours))
        requests = Requests(workload, _calls(_single(ours, workload, device), workload))
        undisturbed = [ours.ask(requests.next()) for _ in range(ALONE)]
        alone = statistics.median(map(_steady, undisturbed))
        one = statistics.median(timed.wall for timed in undisturbed) / requests.calls
        theirs: Side | None = None
        try:
            theirs = Side(workers, student, workload, device, layouts)
            # Whoever never answers is to be too slow, also where the reference is slow.
            theirs.call_seconds = max(CALL_SECONDS, min(2 * limits.full * one * requests.calls, MOST_SECONDS))
            theirs.warm_up()
            paired = _PairedMeasurement(ours, theirs, requests, agrees, random.SystemRandom(), device)
            return paired.run(limits, alone, requests.calls, seconds)
        except EngineGone:
            raise
        except EngineError:
            if theirs is None:
                raise
            theirs.check_rest()
            if device == "cuda":
                _require_a_working_gpu(workers, reference, workload)
                raise NotReady("Not timed: beside your code, the reference could not use the GPU.") from None
            raise
        except NotReady:
            if device == "cuda":
                _require_a_working_gpu(workers, reference, workload)
            raise
        except TooLong as error:
            bound = error.seconds / one
            slow = Verdict.SLOW if bound > limits.full else Verdict.UNKNOWN
            return Measurement(slow, limits, bound, bound, 0, ours.name, error.seconds, one, why="a call took too long")


def _require_a_working_gpu(workers: contextlib.ExitStack, reference: Callable[[], Worker], workload: Workload) -> None:
    """Two references take the places of both sides, to find out whose fault an error was.

    Raises:
        EngineError: they fail as well, so it was the machine's.
    """
    workers.close()
    for _ in range(2):
        Side(workers, reference, workload, "cuda", {}, trusted=True).warm_up()


def _slowness_of_float64(ours: Side) -> float:
    """How many times slower the reference is in float64 on this GPU than the limits allow for; 1 if it is not, or if it
    cannot compute in float64. Afterwards it computes as before."""
    shortest = {True: math.inf, False: math.inf}
    slowness = math.inf
    for _ in range(ROUNDS):  # other processes only ever make a call longer
        for float64 in (True, False):
            try:
                ours.prepare(float64=float64)
                shortest[float64] = min(shortest[float64], *map(_steady, ours.warm_up()[-3:]))
            except ReferenceRaised:
                if not float64:
                    raise
                shortest[float64] = 0.0
        slowness = min(slowness, shortest[True] / shortest[False] / FLOAT64)
        if slowness <= 1:
            return 1.0
    return slowness


def _single(side: Side, workload: Workload, device: str) -> float:
    """Seconds that a call with one input takes, without the protocol's cost; warms up first."""
    calls, requests = side.warm_up(), Requests(workload, 1)
    empty = [side.ask(requests.next(), echo=True) for _ in range(3)]

    def seconds(timed: Timed) -> float:  # where other processes wait as well, the clock on the wall says little
        return timed.wall if device == "cuda" else _number(timed.processor) or timed.wall

    shortest = min(map(seconds, calls[-3:]))
    return max(shortest - min(map(seconds, empty)), 0.05 * shortest, 1e-6)


def _calls(one: float, workload: Workload) -> int:
    size = sum(tensor.numel() * tensor.element_size() for tensor in workload.inputs(torch.Generator()))
    return max(1, min(math.ceil(LONG_ENOUGH / one), MOST_CALLS, MOST_BYTES // max(1, size)))


@dataclass
class _PairedMeasurement:
    ours: Side
    theirs: Side
    requests: Requests
    agrees: Callable[[object, object], str]
    order: random.Random
    device: str

    def run(self, limits: Thresholds, alone: float, calls: int, seconds: float) -> Measurement:
        mine: list[list[float]] = []  # seconds of a call by each clock, one list for each quadruple
        others: list[list[float]] = []
        steady: list[float] = []
        peaks = [0, 0]
        verdicts = [Verdict.OPEN]
        # On the CPU, the lower number is what the code needs. On a GPU, the higher number cannot be hidden.
        strict = self.device == "cuda"
        first = self.requests.next()
        for side in (self.theirs, self.ours):  # one untimed request of this size
            side.ask(first)
        rests = [self.ours.ask(first, echo=True) for _ in range(RESTS)]
        started, spent = time.monotonic(), self.theirs.spent
        deadline = started + seconds
        while decision.overall(verdicts, strict=strict) is Verdict.OPEN:
            theirs, ours, rest = self._quadruple()
            rests.append(rest)
            for of_side, times in ((mine, theirs), (others, ours)):
                by_clock = _net(times, rests, self.device)
                of_side.append([statistics.geometric_mean(two) / calls for two in by_clock])
            steady += map(_steady, ours)
            peaks = [max(peak, _gpu(side, "peak_bytes")) for peak, side in zip(peaks, (theirs, ours), strict=True)]
            late = time.monotonic() > deadline
            series = _logs(mine, others)
            verdicts = [decision.verdict(logs, limits, out_of_time=late) for logs in series]
        self.theirs.check_rest()
        share = (self.theirs.spent - spent) / (time.monotonic() - started)
        disturbed, why = 0.0, ""
        if (slower := statistics.median(steady) / alone) > DISTURBED:
            quiet = self._quiet(alone, calls) if strict else None
            if quiet is None:
                why = f"the reference itself ran {slower:.1f} times slower than on its own"
            else:  # so the submission took the time of both
                disturbed, share, others = slower, 1.0, [quiet] * len(mine)
                series = _logs(mine, others)
                verdicts = [decision.verdict(logs, limits, out_of_time=True) for logs in series]
        if Verdict.UNKNOWN in verdicts and share > MOST_OF_IT:
            # The machine was not too busy: the submission took the time. Then fewer quadruples are enough.
            limit = limits.full if len(mine) > 1 else limits.zero
            beyond = [min(logs) > math.log(limit) for logs in series]
            if any(beyond) if strict else all(beyond):
                verdicts = [Verdict.SLOW if slow else Verdict.UNKNOWN for slow in beyond]
            elif min(series[0]) > math.log(limits.zero):  # it did not compute: it slept
                verdicts, series = [Verdict.SLOW], series[:1]
        best = self._conclusion(limits, series, verdicts, mine, others, peaks, strict=strict)
        return replace(best, verdict=Verdict.UNKNOWN, why=why) if why else replace(best, disturbed=disturbed)

    def _quadruple(self) -> tuple[list[Timed], list[Timed], Timed]:
        """Two calls of each side in turns, the first side chosen at random, and one empty call."""
        inputs = [self.requests.next() for _ in range(2)]
        theirs: list[Timed] = []
        ours: list[Timed] = []
        turns = [(theirs, 0), (ours, 0), (ours, 1), (theirs, 1)]
        if self.order.random() < 0.5:
            turns = [(ours, 0), (theirs, 0), (theirs, 1), (ours, 1)]
        for times, which in turns:
            side = self.theirs if times is theirs else self.ours
            times.append(side.ask(inputs[which]))
        rest = self.ours.ask(inputs[0], echo=True)
        for got, expected in zip(theirs, ours, strict=True):
            if wrong := self.agrees(_outputs(expected), _outputs(got)):
                raise Misbehaved(f"An answer in a timed call is wrong. {wrong}")
        return theirs, ours, rest

    def _quiet(self, alone: float, calls: int) -> list[float] | None:
        """Seconds of the reference's calls by each clock, with the submission's worker gone; None if they are still
        slow: then something else on this machine is the reason."""
        self.theirs.worker.stop()
        again = [self.ours.ask(self.requests.next()) for _ in range(ALONE)]
        if statistics.median(map(_steady, again)) > DISTURBED * alone:
            return None
        rests = [self.ours.ask(self.requests.next(), echo=True) for _ in range(RESTS)]
        return [statistics.median(times) / calls for times in _net(again, rests, self.device)]

    def _conclusion(
        self,
        limits: Thresholds,
        series: list[list[float]],
        verdicts: list[Verdict],
        mine: list[list[float]],
        others: list[list[float]],
        peaks: list[int],
        *,
        strict: bool,
    ) -> Measurement:
        found = [
            Measurement(
                verdict,
                limits,
                decision.ratio(logs),
                decision.lower_bound(logs),
                len(logs),
                self.ours.name,
                statistics.median(times[clock] for times in mine),
                statistics.median(times[clock] for times in others),
                peak_bytes=peaks[0],
                reference_peak_bytes=peaks[1],
                why="" if verdict in (Verdict.FULL, Verdict.SLOW) else _noise(logs),
                logs=tuple(logs),
            )
            for clock, (verdict, logs) in enumerate(zip(verdicts, series, strict=True))
        ]
        verdict = decision.overall(verdicts, strict=strict)
        agreeing = [measurement for measurement in found if measurement.verdict is verdict]
        if strict:
            best = max(agreeing, key=lambda one: one.bound)
        else:  # if two clocks agree on full points, the steadier one is reported
            best = min(agreeing, key=lambda one: one.ratio / one.bound if verdict is Verdict.FULL else one.bound)
        return replace(best, verdict=Verdict.UNKNOWN) if best.verdict is Verdict.OPEN else best


def _logs(mine: list[list[float]], others: list[list[float]]) -> list[list[float]]:
    """The log ratios of all quadruples, by each clock."""
    clocks = range(len(mine[0]))
    return [[math.log(one[clock] / other[clock]) for one, other in zip(mine, others, strict=True)] for clock in clocks]


def _noise(logs: Sequence[float]) -> str:
    if len(logs) < decision.EARLY:
        return "the machine was too busy for enough measurements"
    least, most = math.exp(min(logs)), math.exp(max(logs))
    return f"on this busy machine a forward pass took {least:.2g} to {most:.2g} times as long as the reference's"


def _net(times: list[Timed], rests: list[Timed], device: str) -> list[list[float]]:
    """The times of two requests without the protocol's cost, by each available clock."""
    rest = statistics.median(timed.wall for timed in rests)
    if device == "cuda":
        return [
            [_less(timed.wall, rest) for timed in times],
            [max(_gpu([timed], "milliseconds") / 1000, 1e-9) for timed in times],
        ]
    # Work spread over several processors takes less wall time, but not less processor time.
    found = [[_less(max(timed.wall, _number(timed.processor)), rest) for timed in times]]
    busy = statistics.median(timed.processor for timed in rests)
    if not math.isnan(busy):
        found.append([_less(timed.processor, busy) for timed in times])
    return found


def _less(time: float, protocol: float) -> float:
    return max(time - protocol, 0.05 * time, 1e-9)


def _number(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _steady(timed: Timed) -> float:
    """The time of a request by the clock that other processes disturb least."""
    gpu = _gpu([timed], "milliseconds") / 1000
    return gpu or _number(timed.processor) or timed.wall


def _outputs(timed: Timed) -> object:
    outcome = timed.answer.outcome
    return outcome.value["outputs"] if isinstance(outcome, Returned) else outcome


def _gpu(times: list[Timed], name: str) -> int:
    """The largest number that the worker reports under that name; anything that is not a number counts as 0."""
    found = [0]
    for timed in times:
        outcome = timed.answer.outcome
        value = outcome.value.get(name, 0) if isinstance(outcome, Returned) and type(outcome.value) is dict else 0
        found.append(value if type(value) in (int, float) and 0 <= value < 2**62 else 0)
    return max(found)
