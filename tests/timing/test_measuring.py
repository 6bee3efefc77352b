"""What is asked of both sides, and what is concluded, also when the time is over early: with workers and a clock of our
making."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from autograder.errors import EngineError
from autograder.sandbox.client import Timed, Worker, WorkerLost
from autograder.sandbox.decoding import decode
from autograder.sandbox.values import Answer, Raised, Returned
from autograder.timing import measuring, sides
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.measuring import Measurement, _PairedMeasurement, measure_and_confirm
from autograder.timing.sides import Misbehaved, NotReady, Workload


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


class Side:
    """Every request takes so long by the clock, and so long on a processor."""

    name = "CPU"

    def __init__(self, clock: Clock, wall: float, processor: float, slower: Sequence[float] = (1,)) -> None:
        self._clock, self._wall, self._processor = clock, wall, processor
        self._slower = itertools.chain((1,), itertools.cycle(factor for factor in slower for _ in range(2)))
        self.spent = 0.0

    def ask(self, _inputs: object, *, echo: bool = False) -> Timed:
        factor = 1 if echo else next(self._slower)
        wall, processor = (0.001, 0.001) if echo else (self._wall * factor, self._processor * factor)
        self._clock.now += wall
        self.spent += wall
        return Timed(Answer(Returned({"outputs": []})), wall, processor)

    def check_rest(self) -> None:
        """It rests."""


class Requests:
    def next(self) -> None:
        """Nobody looks at it."""


def played(
    monkeypatch: pytest.MonkeyPatch,
    theirs: tuple[float, float],
    ours: tuple[float, float],
    alone: float,
    seconds: float = 9.0,
    slower: Sequence[float] = (1,),
) -> Measurement:
    """In the comparisons, in turn, theirs take so many times longer still (`slower`)."""
    clock = Clock()
    monkeypatch.setattr(measuring, "time", clock)
    both: list[Any] = [Side(clock, *ours), Side(clock, *theirs, slower)]
    requests: Any = Requests()
    made = _PairedMeasurement(*both, requests, lambda _one, _other: "", random.Random(0), "cpu")
    return made.run(Thresholds(4, 16), alone, 1, seconds)


def test_who_is_slow_and_leaves_time_for_few_comparisons_is_not_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = played(monkeypatch, (1.0, 1.0), (0.1, 0.1), alone=0.1)
    assert measured.quadruples < 9
    assert measured.verdict is Verdict.SLOW
    assert measured.bound == pytest.approx(10, rel=0.05)


def test_one_comparison_is_enough_only_far_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (2.9, 2.9), (0.4, 0.4), alone=0.4, seconds=6).verdict is Verdict.UNKNOWN
    assert played(monkeypatch, (2.9, 2.9), (0.1, 0.1), alone=0.1, seconds=6).verdict is Verdict.SLOW


def test_who_sleeps_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (2.0, 0.01), (0.1, 0.1), alone=0.1).verdict is Verdict.SLOW


def test_a_busy_machine_is_nobody_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (0.9, 0.9), (0.8, 0.8), alone=0.1).verdict is Verdict.UNKNOWN
    assert played(monkeypatch, (1.0, 0.1), (0.2, 0.1), alone=0.1).verdict is Verdict.UNKNOWN


def test_times_that_differ_too_much_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = played(monkeypatch, (0.012, 0.012), (0.011, 0.011), alone=0.011, slower=(1.6, 9, 9))
    assert noisy.verdict is Verdict.UNKNOWN
    assert noisy.quadruples == 21
    assert noisy.why == "on this busy machine a forward pass took 1.8 to 11 times as long as the reference's"
    assert played(monkeypatch, (0.012, 0.012), (0.011, 0.011), 0.011, slower=(1, 1, 9)).verdict is Verdict.FULL


class FakeWorker:
    """Doubles numbers, in so many seconds a call. It is `asleep` in each of its first calls, computes between them for
    a share of the time (`restless`), and may never end one; its first call takes longer by `cold`. It makes the calls
    of those `beside` it so many times as slow (`disturbs`) until it is stopped. In `float64` a call takes so many times
    as long, or raises an error if that is 0. `asked` are the inputs of each request."""

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        *,
        building: float = 0.0,
        asleep: float = 0.0,
        cold: float = 0.0,
        restless: float = 0.0,
        hangs_in: int = 10**9,
        disturbs: float = 1.0,
        float64: float = 2.0,
        beside: list[FakeWorker],
    ) -> None:
        self.device = "CPU"
        self._clock, self._seconds, self._building, self._asleep = clock, seconds, building, asleep
        self._cold = cold
        self._restless, self._hangs_in = restless, hangs_in
        self._disturbs, self._beside = disturbs, beside
        self._float64, self._factor = float64, 1.0
        self._busy = 0.0
        self._last: list[torch.Tensor] = []
        self.asked: list[list[torch.Tensor]] = []

    def begins_beside_fast_ones(self) -> Answer:
        for other in self._beside[:-1]:
            other._disturbs = 1.0
        return Answer(Returned(None))

    def prepare(self, _probe: bytes, *, seconds: float, float64: bool = False, **_: object) -> Answer:
        self._factor = self._float64 if float64 else 1.0
        self._require(self._building, seconds)
        self._clock.now += self._building
        return Answer(Returned(None))

    def forward(self, inputs: Any, *, seconds: float, echo: bool = False, **_: object) -> Timed:
        header, chunks = inputs
        took = 0.0001
        if not echo:
            [answer] = decode(header, bytearray().join(chunks))[1]
            self.asked.append([x for (x,) in answer.outcome.value])  # type: ignore[union-attr]
            self._last = [2 * x for x in self.asked[-1]]
            disturbed = max((other._disturbs for other in self._beside if other is not self), default=1.0)
            took += len(self._last) * self._seconds * disturbed * self._factor
            if not self._factor:
                return Timed(Answer(Raised("RuntimeError", "expected Float")), took, took)
            self._busy += took
            took += self._asleep if len(self.asked) <= 5 else 0
            took += self._cold if len(self.asked) == 1 else 0
        self._require(1e9 if len(self.asked) == self._hangs_in else took, seconds)
        self._clock.now += took
        return Timed(Answer(Returned({"outputs": self._last, "milliseconds": 1000 * took})), took, took)

    def _require(self, took: float, seconds: float) -> None:
        if took > seconds:
            self._clock.now += seconds
            raise WorkerLost(f"it took longer than {seconds:.3g} s", 0, timed_out=True)

    def processor_seconds(self) -> float:
        return self._busy + self._restless * self._clock.now

    def threads(self) -> int:
        return 1

    def stop(self) -> None:
        self._disturbs = 1.0


WORKLOAD = Workload(b"", lambda generator: (torch.randn(4, generator=generator),), seed=3, seconds=5.0)


def measured(
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    *,
    reference: dict[str, Any] | None = None,
    device: str = "cpu",
    **theirs: Any,
) -> tuple[Measurement, FakeWorker, FakeWorker]:
    """What comes of a submission that takes so long and a reference that takes a millisecond, and the workers of both
    sides in the last measurement."""
    clock = Clock()
    monkeypatch.setattr(measuring, "time", clock)
    monkeypatch.setattr(sides, "time", clock)
    monkeypatch.setattr(measuring, "locked", contextlib.nullcontext)
    started: list[FakeWorker] = []

    def start(seconds: float, **options: Any) -> Any:
        started.append(FakeWorker(clock, seconds, beside=started, **options))
        return started[-1]

    found = measure_and_confirm(
        WORKLOAD,
        lambda: start(seconds, **theirs),
        lambda: start(**{"seconds": 0.001} | (reference or {})),
        Thresholds(4, 16),
        lambda *_: "",
        device,
    )
    return found, started[-1], started[-2]


def test_no_seed_tells_what_will_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    for _ in range(2):
        _, theirs, ours = measured(monkeypatch, 0.001)
        seen += [request[0] for request in (*theirs.asked, *ours.asked[:10])]  # later on, both are asked the same
    assert not any(torch.equal(one, other) for i, one in enumerate(seen) for other in seen[:i])


@pytest.mark.parametrize("asleep", [0.0, 2.0])
def test_who_sleeps_in_calls_that_do_not_count_does_not_get_shorter_requests(
    monkeypatch: pytest.MonkeyPatch, asleep: float
) -> None:
    found, theirs, ours = measured(monkeypatch, 0.001, asleep=asleep)
    assert found.verdict is Verdict.FULL
    counted = [len(request) for request in theirs.asked if len(request) > 1]
    assert len(counted) == 2 * found.quadruples + 1
    assert set(counted) == {len(ours.asked[-1])} == {6}


def test_building_is_not_part_of_the_time_for_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = measured(monkeypatch, 0.01, building=4.9)
    assert (found.verdict, found.quadruples) == (Verdict.SLOW, 21)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_cold_first_call_of_either_side_counts_nowhere(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    found, _, ours = measured(monkeypatch, 0.001, reference={"cold": 4.0}, cold=4.0, device=device)
    assert found.verdict is Verdict.FULL
    assert found.ratio == pytest.approx(1)
    assert len(ours.asked[-1]) == 6  # calls in a request


@pytest.mark.parametrize(("reference", "bound"), [(0.001, 3 / 0.0061), (1.0, 8 / 1.0001), (2.5, 15 / 2.5001)])
def test_a_request_that_never_ends_is_too_slow(monkeypatch: pytest.MonkeyPatch, reference: float, bound: float) -> None:
    found, _, _ = measured(monkeypatch, 0.001, hangs_in=6, reference={"seconds": reference})
    assert (found.verdict, found.quadruples) == (Verdict.SLOW, 0)
    assert found.bound == pytest.approx(bound, rel=0.01)


def test_who_is_not_built_in_time_gets_no_points(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReady) as caught:
        measured(monkeypatch, 0.001, building=5.1)
    assert caught.value.timed_out
    assert str(caught.value) == "Not timed: building what is timed took longer than 5 s."


@pytest.mark.parametrize("hangs_in", [10**9, 15])
def test_who_computes_while_the_reference_is_timed_gets_no_points(
    monkeypatch: pytest.MonkeyPatch, hangs_in: int
) -> None:
    """Compared with what it computes in its own calls it is little, but the reference takes much longer beside it, or
    does not come to an end."""
    assert measured(monkeypatch, 0.002, restless=0.05)[0].verdict is Verdict.FULL
    with pytest.raises(Misbehaved, match="keeps computing"):
        measured(monkeypatch, 0.2, restless=0.5, reference={"hangs_in": hangs_in})


def test_a_reference_that_does_not_come_to_an_end_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError):
        measured(monkeypatch, 0.2, reference={"hangs_in": 15})


@pytest.mark.parametrize(
    ("seconds", "disturbs", "verdict", "ratio"),
    [
        (0.001, 1.4, Verdict.FULL, 1 / 1.4),
        (0.001, 10.0, Verdict.FULL, 1),
        (0.01, 10.0, Verdict.SLOW, 10),
        (0.01, 100.0, Verdict.SLOW, 10),  # there is time for few comparisons only
    ],
)
def test_who_keeps_the_gpu_busy_is_compared_with_the_reference_alone(
    monkeypatch: pytest.MonkeyPatch, seconds: float, disturbs: float, verdict: Verdict, ratio: float
) -> None:
    found, _, _ = measured(monkeypatch, seconds, disturbs=disturbs, device="cuda")
    assert found.verdict is verdict, found
    assert found.ratio == pytest.approx(ratio, rel=0.05)
    assert found.disturbed == pytest.approx(disturbs if disturbs > 1.5 else 0, rel=0.05)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_reference_that_stays_slow_when_the_submission_is_gone_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(FakeWorker, "stop", lambda _: None)
    monkeypatch.setattr(FakeWorker, "prepare", lambda worker, *_, **__: worker.begins_beside_fast_ones())
    found, _, _ = measured(monkeypatch, 0.01, disturbs=3.0, device=device)
    assert found.verdict is Verdict.UNKNOWN
    assert found.why == "the reference itself ran 3.0 times slower than on its own"


@pytest.mark.parametrize(
    ("seconds", "float64", "limits", "verdict"),
    [
        (0.06, 64.0, (128, 512), Verdict.FULL),  # a consumer's GPU, and what computes in float64 there
        (0.2, 64.0, (128, 512), Verdict.SLOW),
        (0.06, 1.0, (4, 16), Verdict.SLOW),
        (0.06, 0.0, (4, 16), Verdict.SLOW),  # the reference cannot compute in float64
    ],
)
def test_on_a_gpu_that_is_slow_in_float64_the_limits_are_larger(
    monkeypatch: pytest.MonkeyPatch, seconds: float, float64: float, limits: tuple[float, float], verdict: Verdict
) -> None:
    found, _, _ = measured(monkeypatch, seconds, reference={"float64": float64}, device="cuda")
    assert found.verdict is verdict, found
    assert (found.limits.full, found.limits.zero) == pytest.approx(limits, rel=0.1)


def test_on_the_cpu_the_limits_are_those_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = measured(monkeypatch, 0.01, reference={"float64": 64.0})
    assert (found.verdict, found.limits) == (Verdict.SLOW, Thresholds(4, 16))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("FULL", Verdict.FULL),
        ("SLOW FULL", Verdict.FULL),
        ("SLOW SLOW", Verdict.SLOW),
        ("UNKNOWN FULL", Verdict.FULL),
        ("UNKNOWN UNKNOWN", Verdict.UNKNOWN),
        ("UNKNOWN SLOW FULL", Verdict.FULL),
        ("SLOW UNKNOWN SLOW", Verdict.SLOW),
        ("NOT_READY UNKNOWN UNKNOWN", Verdict.UNKNOWN),
        ("NOT_READY SLOW", Verdict.SLOW),
        ("UNKNOWN NOT_READY NOT_READY", None),
    ],
)
def test_neither_a_deduction_nor_a_noise_is_believed_at_once(
    monkeypatch: pytest.MonkeyPatch, seen: str, expected: Verdict | None
) -> None:
    answers = iter(seen.split())
    bounds = iter([5.0, 4.5, 6.0])

    def measure(*_: object) -> Measurement:
        if (name := next(answers)) == "NOT_READY":
            raise NotReady("not built", timed_out=True)
        return Measurement(Verdict[name], Thresholds(4, 16), 6.0, next(bounds), 21, "CPU", 1.0, 1.0)

    monkeypatch.setattr(measuring, "measure", measure)

    def confirmed() -> Measurement:
        return measure_and_confirm(WORKLOAD, no_worker, no_worker, Thresholds(4, 16), lambda *_: "")

    if expected is None:
        with pytest.raises(NotReady):
            confirmed()
    else:
        assert confirmed().verdict is expected
    assert not list(answers)


def no_worker() -> Worker:
    raise AssertionError
