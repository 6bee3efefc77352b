"""What a paired measurement concludes when its time is over early, with workers and a clock of our making."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autograder.sandbox.client import Timed
from autograder.sandbox.values import Answer, Returned
from autograder.timing import measuring
from autograder.timing.decision import Thresholds, Verdict
from autograder.timing.measuring import Measurement, _PairedMeasurement


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Side:
    """Every request takes so long by the clock, and so long on a processor."""

    name = "CPU"

    def __init__(self, clock: Clock, wall: float, processor: float) -> None:
        self._clock, self._wall, self._processor = clock, wall, processor
        self.spent = 0.0

    def ask(self, _inputs: object, *, echo: bool = False) -> Timed:
        wall, processor = (0.001, 0.001) if echo else (self._wall, self._processor)
        self._clock.now += wall
        self.spent += wall
        return Timed(Answer(Returned({"outputs": []})), wall, processor)

    def check_rest(self) -> None:
        """It rests."""


class Requests:
    def next(self) -> None:
        """Nobody looks at it."""


def played(
    monkeypatch: pytest.MonkeyPatch, theirs: tuple[float, float], ours: tuple[float, float], alone: float
) -> Measurement:
    clock = Clock()
    monkeypatch.setattr(measuring, "time", clock)
    sides: list[Any] = [Side(clock, *ours), Side(clock, *theirs)]
    requests: Any = Requests()
    made = _PairedMeasurement(*sides, requests, lambda _one, _other: "", random.Random(0), "cpu")
    return made.run(Thresholds(4, 16), alone, 1, deadline=9.0)


def test_who_is_slow_and_leaves_time_for_few_comparisons_is_not_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = played(monkeypatch, (1.0, 1.0), (0.1, 0.1), alone=0.1)
    assert measured.quadruples < 9
    assert measured.verdict is Verdict.SLOW
    assert measured.bound == pytest.approx(10, rel=0.05)


def test_one_comparison_is_enough_only_far_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (2.9, 2.9), (0.4, 0.4), alone=0.4).verdict is Verdict.UNKNOWN
    assert played(monkeypatch, (2.9, 2.9), (0.1, 0.1), alone=0.1).verdict is Verdict.SLOW


def test_who_sleeps_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (2.0, 0.01), (0.1, 0.1), alone=0.1).verdict is Verdict.SLOW


def test_a_busy_machine_is_nobody_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, (0.9, 0.9), (0.8, 0.8), alone=0.1).verdict is Verdict.UNKNOWN
    assert played(monkeypatch, (1.0, 0.1), (0.2, 0.1), alone=0.1).verdict is Verdict.UNKNOWN
