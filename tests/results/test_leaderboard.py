"""Timed checks on Gradescope's leaderboard."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.results.gradescope import leaderboard
from autograder.results.model import Status, Visibility


def timed(ratio: float = 1.25, seconds: float | None = 0.0213, **changes: Any) -> Any:
    values: dict[str, Any] = {"exercise": "pool2d", "name": "speed", "status": Status.PASSED, "points": 2.0}
    values |= {"visibility": Visibility.VISIBLE, "timing": SimpleNamespace(ratio=ratio, seconds=seconds)}
    return SimpleNamespace(**(values | changes))


def test_the_ratio_is_shown_and_seconds_only_if_asked_for() -> None:
    ratio = {"name": "pool2d (speed): time, as a multiple of the reference", "value": 1.25, "order": "asc"}
    assert leaderboard([timed()]) == [ratio]
    seconds = {"name": "pool2d (speed): seconds", "value": 0.0213, "order": "asc"}
    assert leaderboard([timed()], seconds=True) == [ratio, seconds]
    assert leaderboard([timed(seconds=None)], seconds=True) == [ratio]


@pytest.mark.parametrize(
    "check",
    [
        timed(timing=None),
        timed(math.nan),
        timed(math.inf),
        timed(status=Status.FAILED, points=0.0),
        timed(visibility=Visibility.HIDDEN),
        timed(status=Status.EXCUSED),
    ],
)
def test_what_is_not_timed_not_earned_or_not_shown_is_left_out(check: Any) -> None:
    assert leaderboard([check]) == []


def test_who_earned_a_part_is_listed() -> None:
    assert leaderboard([timed(status=Status.FAILED, points=0.5)])
