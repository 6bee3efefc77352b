"""The entries of timed checks for Gradescope's leaderboard, which shows them to the whole course under nicknames."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograder.results.inert import one_line
from autograder.results.model import CheckResult, Status, Visibility

_NAME_LIMIT = 100


def leaderboard(checks: Iterable[CheckResult], *, seconds: bool = False) -> list[dict[str, object]]:
    """For every timed check how many times the reference's time was needed and, if asked for, the seconds.

    Only of checks that earned points and could be measured: wrong code is fast. And only of those that students may
    see already.
    """
    entries: list[dict[str, object]] = []
    for check in checks:
        timing = check.timing
        if timing is None or check.visibility is not Visibility.VISIBLE:
            continue
        if check.status is Status.EXCUSED or not check.points > 0:
            continue
        name = one_line(f"{check.exercise} ({check.name})", _NAME_LIMIT)
        entries += _entry(f"{name}: time, as a multiple of the reference", timing.ratio)
        if seconds:
            entries += _entry(f"{name}: seconds", timing.seconds)
    return entries


def _entry(name: str, value: float | None) -> list[dict[str, object]]:
    if value is None or not math.isfinite(value) or value < 0:
        return []
    return [{"name": name, "value": float(f"{value:.4g}"), "order": "asc"}]
