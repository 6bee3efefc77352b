"""How good the timing of forward passes is on this machine, and whether the machine is fit for it.

A/A: the solution against itself, many times; any deduction there is wrong. Power: the solution slowed down to a known
multiple; any full score there is wrong.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.results.model import CheckResult, Status, Timing

SLOWER = 3  # times the limit for full points
MOST_UNMEASURED = 0.1  # share of the decisions, on a machine that is fit

_SLOWED = """

_timed_as_it_is = {name}


def {name}(*arguments, **named):
    import torch

    made = _timed_as_it_is(*arguments, **named)
    if isinstance(made, torch.nn.Module):
        forward = made.forward
        made.forward = lambda *inputs: [forward(*inputs) for _ in range({times})][-1]
        return made
    for _ in range({times} - 1):
        made = _timed_as_it_is(*arguments, **named)
    return made
"""


def slowed(solution: str, exercise: str, times: int) -> str:
    """The solution with all the work of one exercise repeated `times` times."""
    return solution + _SLOWED.format(name=exercise, times=times)


@dataclass
class Decisions:
    """The repeated results of one exercise's speed check for one submission."""

    full: int = 0
    deducted: int = 0
    unmeasured: int = 0
    timings: list[Timing] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    trouble: str = ""
    reasons: Counter[str] = field(default_factory=Counter)  # why some could not be measured

    def add(self, check: CheckResult, log: Sequence[str] = ()) -> None:
        """`log` is that of the result."""
        self.seconds.append(check.seconds)
        if check.status is Status.EXCUSED:
            self.unmeasured += 1
            self.reasons[next(iter(log), check.message)] += 1
        elif check.points == check.max_points:
            self.full += 1
        else:
            self.deducted += 1
            self.trouble = self.trouble or check.message
        if check.timing is not None:
            self.timings.append(check.timing)

    @property
    def count(self) -> int:
        return self.full + self.deducted + self.unmeasured

    @property
    def unpunished(self) -> int:
        """How many got all points, including those that could not be measured."""
        return self.full + self.unmeasured

    @property
    def ratios(self) -> tuple[float, float, float]:
        """Smallest, median and largest ratio; NaN if nothing could be measured."""
        found = sorted(timing.ratio for timing in self.timings) or [math.nan]
        return found[0], statistics.median(found), found[-1]


@dataclass
class Calibration:
    """The results for one exercise."""

    exercise: str
    same: Decisions = field(default_factory=Decisions)
    slow: Decisions = field(default_factory=Decisions)
    times: int = 1  # how many times the slowed solution does its work

    @property
    def problems(self) -> list[str]:
        """Why this machine is not fit for timing this exercise; empty if it is."""
        found = []
        if self.same.deducted:
            found.append(f"the solution itself lost points {_times(self.same.deducted)}: {self.same.trouble}")
        if self.slow.unpunished:
            found.append(f"the solution, made {self.times} times slower, got all points {_times(self.slow.unpunished)}")
        if self.same.unmeasured > MOST_UNMEASURED * self.same.count:
            [(reason, _)] = self.same.reasons.most_common(1)
            found.append(f"{self.same.unmeasured} of {self.same.count} decisions were not possible: {reason}")
        return found


def false_deductions(decisions: int, deducted: int) -> float:
    """A 95 % upper bound on the share of wrong deductions, after `decisions` decisions of which `deducted` deducted
    (exact for none and close for few: the rule of three, Hanley and Lippman-Hand 1983)."""
    if not decisions:
        return 1.0
    return min(1.0, (3.0 if not deducted else deducted + 2 * math.sqrt(deducted) + 3) / decisions)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
