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
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from autograder.errors import EngineError
from autograder.sandbox.client import Encoded, Timed, Worker, WorkerLost
from autograder.sandbox.forward_passes import Inputs, encoded
from autograder.sandbox.values import Raised, Returned
from autograder.timing import decision
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.devices import locked

Arguments = tuple[torch.Tensor, ...]

FIRST_SECONDS, AGAIN_SECONDS = 9.0, 8.0  # with the calls still running when they are over, a check stays below 30
CALL_SECONDS = 3.0  # for one request; a slower one counts as this long
LONG_ENOUGH = 0.006  # seconds of the reference per request: short calls are repeated, with other inputs
TOO_LONG = 0.1  # seconds of a slow submission per request
MOST_CALLS, MOST_BYTES = 50, 4 * 2**20  # in one request
WARM_UP = {"cpu": 2, "cuda": 10}
ALONE = 5  # requests to the reference before the submission's worker starts
DISTURBED = 1.5  # if the reference is this many times slower beside the submission than alone, nothing is known
RESTLESS_SECONDS, RESTLESS_SHARE = 0.03, 0.1
MOST_OF_IT = 0.8


@dataclass(frozen=True)
class Workload:
    """What is timed: a shipped probe that returns a function, and what makes fresh inputs from a generator."""

    probe: bytes
    inputs: Callable[[torch.Generator], Arguments]
    seed: int = 0


@dataclass(frozen=True)
class Measurement:
    """`ratio` is the median, `bound` its lower bound; `seconds` and `reference_seconds` are for one call. `why` says
    what went wrong if the verdict is `UNKNOWN`; peak bytes are for a GPU."""

    verdict: Verdict
    ratio: float
    bound: float
    quadruples: int
    device: str
    seconds: float
    reference_seconds: float
    peak_bytes: int = 0
    reference_peak_bytes: int = 0
    why: str = ""
    logs: tuple[float, ...] = field(default=(), repr=False)


class Misbehaved(Exception):
    """The submission did something that costs all points; the text tells the student what."""


class _TooLong(Exception):
    """A request to the submission was not answered within `CALL_SECONDS`."""


def measure_and_confirm(
    workload: Workload,
    student: Callable[[], Worker],
    reference: Callable[[], Worker],
    limits: Thresholds,
    agrees: Callable[[object, object], str],
    device: str = "cpu",
) -> Measurement:
    """What `measure` returns; if that is a deduction, the better of two measurements in different processes."""
    first = measure(workload, student, reference, limits, agrees, device, FIRST_SECONDS)
    if first.verdict is not Verdict.SLOW:
        return first
    again = replace(workload, seed=workload.seed + 1)
    second = measure(again, student, reference, limits, agrees, device, AGAIN_SECONDS)
    if second.verdict is not Verdict.SLOW:
        return second
    return min(first, second, key=lambda measurement: measurement.bound)


def measure(
    workload: Workload,
    student: Callable[[], Worker],
    reference: Callable[[], Worker],
    limits: Thresholds,
    agrees: Callable[[object, object], str],
    device: str,
    seconds: float,
) -> Measurement:
    """Measures quadruples until the verdict is clear or `seconds` are over.

    Args:
        student, reference: start a worker that has loaded its module.
        agrees: compares the reference's outputs with the submission's; returns what is wrong, or "".

    Raises:
        Misbehaved: the submission failed, answered wrongly, or broke the rules.
        EngineError: the reference could not be timed.
    """
    with locked(device), contextlib.ExitStack() as workers:
        deadline = time.monotonic() + seconds
        ours = _Side(workers, reference, workload, device, trusted=True)
        one = ours.single()
        count = _calls(one, workload)
        alone = ours.median(_Requests(workload, count, 1), ALONE)
        theirs = _Side(workers, student, workload, device)
        calls = 1
        try:
            calls = max(1, min(count, int(TOO_LONG / theirs.single())))
            requests, order = _Requests(workload, calls, 2), random.Random(workload.seed)
            return _PairedMeasurement(ours, theirs, requests, agrees, order, device).run(limits, alone, calls, deadline)
        except _TooLong:
            bound = CALL_SECONDS / (calls * one)
            slow = Verdict.SLOW if bound > limits.full else Verdict.UNKNOWN
            return Measurement(slow, bound, bound, 0, ours.name, CALL_SECONDS, one, why="a call took too long")


def _calls(one: float, workload: Workload) -> int:
    size = sum(tensor.numel() * tensor.element_size() for tensor in workload.inputs(torch.Generator()))
    return max(1, min(math.ceil(LONG_ENOUGH / one), MOST_CALLS, MOST_BYTES // max(1, size)))


class _Requests:
    """Fresh inputs for every request."""

    def __init__(self, workload: Workload, count: int, stream: int) -> None:
        self._workload = workload
        self._count = count
        self._generator = torch.Generator().manual_seed(workload.seed * 8 + stream)

    def next(self) -> Encoded:
        inputs: Inputs = [self._workload.inputs(self._generator) for _ in range(self._count)]
        return encoded(inputs)


class _Side:
    """One worker. Watches what it does while it should be waiting."""

    def __init__(
        self,
        workers: contextlib.ExitStack,
        start: Callable[[], Worker],
        workload: Workload,
        device: str,
        *,
        trusted: bool = False,
    ) -> None:
        self._trusted = trusted
        self.worker = start()
        workers.callback(self.worker.stop)
        self._workload = workload
        self._warm_up = WARM_UP[device]
        self._idle = self._busy = self.spent = 0.0
        answer = self.worker.prepare(workload.probe, seed=workload.seed, seconds=CALL_SECONDS, device=device)
        if isinstance(answer.outcome, Raised):
            raise self._failed(f"Your code raised {answer.outcome.type}: {answer.outcome.message}")
        self.name = str(answer.outcome.value)
        self._threads = self.worker.threads()
        self._mark = self.worker.processor_seconds()

    def single(self) -> float:
        """Seconds that a call with one input takes, without the protocol's cost; warms up first."""
        requests = _Requests(self._workload, 1, 0)
        times: list[float] = []
        while len(times) < self._warm_up + 3 and sum(times) < 10 * TOO_LONG:
            times.append(self.ask(requests.next()).wall)
        rest = min(self.ask(requests.next(), echo=True).wall for _ in range(3))
        return max(min(times[-3:]) - rest, 0.05 * min(times), 1e-6)

    def median(self, requests: _Requests, count: int) -> float:
        """Median processor time of a request (wall time where the kernel does not report it)."""
        return statistics.median(_steady(self.ask(requests.next())) for _ in range(count))

    def ask(self, inputs: Encoded, *, echo: bool = False) -> Timed:
        before = self.worker.processor_seconds()
        self._idle += before - self._mark
        try:
            timed = self.worker.forward(inputs, seconds=CALL_SECONDS, echo=echo)
        except WorkerLost as lost:
            if lost.timed_out and not self._trusted:
                raise _TooLong from None
            raise self._failed(f"Your code did not return an answer: {lost}.") from None
        self.spent += timed.wall
        self._mark = self.worker.processor_seconds()
        self._busy += self._mark - before
        outcome = timed.answer.outcome
        if isinstance(outcome, Raised):
            raise self._failed(f"Your code raised {outcome.type} in a timed call: {outcome.message}")
        if not (isinstance(outcome, Returned) and isinstance(outcome.value, dict) and "outputs" in outcome.value):
            raise self._failed("Your code interfered with the measurement.")
        return timed

    def _failed(self, text: str) -> Exception:
        return EngineError(f"the reference could not be timed: {text}") if self._trusted else Misbehaved(text)

    def check_rest(self) -> None:
        """Raises Misbehaved if the worker computes outside its calls, or has more threads than before the calls."""
        if self._idle > RESTLESS_SECONDS and self._idle > RESTLESS_SHARE * self._busy:
            raise Misbehaved("Your code keeps computing after it has returned its answer.")
        if self._threads and self.worker.threads() > self._threads and self.name == "CPU":
            raise Misbehaved("Your code starts threads, but only the time of one thread is measured.")


@dataclass
class _PairedMeasurement:
    ours: _Side
    theirs: _Side
    requests: _Requests
    agrees: Callable[[object, object], str]
    order: random.Random
    device: str

    def run(self, limits: Thresholds, alone: float, count: int, deadline: float) -> Measurement:
        series: list[list[float]] = []
        mine: list[float] = []
        others: list[float] = []
        steady: list[float] = []
        peaks = [0, 0]
        verdicts = [Verdict.OPEN]
        first = self.requests.next()
        for side in (self.theirs, self.ours):  # one untimed request of this size
            side.ask(first)
        rests = [self.ours.ask(first, echo=True) for _ in range(4)]
        started, spent = time.monotonic(), self.theirs.spent
        while Verdict.OPEN in verdicts and Verdict.FULL not in verdicts:
            theirs, ours, rest = self._quadruple()
            rests.append(rest)
            quadruple = [_net(times, rests, self.device) for times in (theirs, ours)]
            logs = [(math.log(s1 * s2) - math.log(r1 * r2)) / 2 for (s1, s2), (r1, r2) in zip(*quadruple, strict=True)]
            # On the CPU, the lower number is what the code needs. On a GPU, the higher number cannot be hidden.
            series.append(logs if self.device == "cpu" else [max(logs)])
            mine += [time / count for time in quadruple[0][-1]]
            others += [time / count for time in quadruple[1][-1]]
            steady += map(_steady, ours)
            peaks = [max(peak, _gpu(side, "peak_bytes")) for peak, side in zip(peaks, (theirs, ours), strict=True)]
            late = time.monotonic() > deadline
            verdicts = [decision.verdict(logs, limits, out_of_time=late) for logs in zip(*series, strict=True)]
        self.theirs.check_rest()
        share = (self.theirs.spent - spent) / (time.monotonic() - started)
        if Verdict.UNKNOWN in verdicts and share > MOST_OF_IT:
            # The machine was not too busy: the submission took the time. Then fewer quadruples are enough.
            limit = limits.full if len(series) > 1 else limits.zero
            if min(map(min, series)) > math.log(limit):
                verdicts = [Verdict.SLOW for _ in verdicts]
            elif min(logs[0] for logs in series) > math.log(limits.zero):  # it did not compute: it slept
                verdicts, series = [Verdict.SLOW], [logs[:1] for logs in series]
        return self._conclusion(series, verdicts, alone, steady, mine, others, peaks)

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

    def _conclusion(
        self,
        series: list[list[float]],
        verdicts: list[Verdict],
        alone: float,
        steady: list[float],
        mine: list[float],
        others: list[float],
        peaks: list[int],
    ) -> Measurement:
        columns = [list(logs) for logs in zip(*series, strict=True)]
        found = [
            Measurement(
                verdict,
                decision.ratio(logs),
                decision.lower_bound(logs),
                len(logs),
                self.ours.name,
                statistics.median(mine),
                statistics.median(others),
                peak_bytes=peaks[0],
                reference_peak_bytes=peaks[1],
                why="" if verdict in (Verdict.FULL, Verdict.SLOW) else _NOISY,
                logs=tuple(logs),
            )
            for verdict, logs in zip(verdicts, columns, strict=True)
        ]
        fast = [measurement for measurement in found if measurement.verdict is Verdict.FULL]
        # If two clocks agree, the steadier one is reported.
        best = min(fast or found, key=lambda one: one.ratio / one.bound if fast else one.bound)
        if best.verdict is Verdict.OPEN:
            best = replace(best, verdict=Verdict.UNKNOWN)
        slower = statistics.median(steady) / alone
        if slower > DISTURBED:
            why = f"the reference itself ran {slower:.1f} times slower than on its own"
            return replace(best, verdict=Verdict.UNKNOWN, why=why)
        return best


_NOISY = "the machine was too busy for enough measurements"


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
