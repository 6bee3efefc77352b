"""What a series of paired measurements proves about a ratio of times, whatever the noise.

A *quadruple* (ABBA) is two calls of the submission and two of the reference in alternation; its log ratio is
d = ½ · (ln s₁s₂ − ln r₁r₂). Nothing is assumed about the noise except that a quadruple is as likely to come out too
high as too low. Then the number of quadruples above the true ratio is binomial, and the smallest of them bound it from
below (the order-statistic interval for a median, see Conover, Practical Nonparametric Statistics, section 3.2).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

QUADRUPLES = 21
EARLY = 9  # all on the same side: by chance once in 512
FEW = 5  # enough if all of them are far beyond the limit, in both measurements
DOUBT = 0.1  # no deduction is proved, but the median would cost this share of the points or more: nothing is known


@dataclass(frozen=True)
class Thresholds:
    """Full points up to `full` times the reference's time, none at `zero` times or more."""

    full: float = 2.0
    zero: float = 8.0

    def __post_init__(self) -> None:
        if not 1 <= self.full < self.zero < math.inf:
            raise ValueError(f"limits must be 1 ≤ full < zero, not {self.full:g} and {self.zero:g}")

    def times(self, factor: float) -> Thresholds:
        """Both are so many times as large."""
        return Thresholds(round(self.full * factor, 1), round(self.zero * factor, 1))


class Verdict(enum.Enum):
    FULL = "full"  # fast enough
    SLOW = "slow"  # slower than `full`, proved by the bound
    OPEN = "open"  # not decided yet
    UNKNOWN = "unknown"  # cannot be decided: too few quadruples in the time available, or they differ too much


def verdict(logs: Sequence[float], limits: Thresholds, *, out_of_time: bool = False) -> Verdict:
    """The verdict from the quadruples so far (natural logarithms of ratios). A clear case is decided early."""
    count = len(logs)
    if count >= EARLY and max(logs[:EARLY]) <= math.log(limits.full):
        return Verdict.FULL
    if count >= EARLY and min(logs[:EARLY]) >= math.log(limits.zero):
        return Verdict.SLOW
    if count >= (EARLY if out_of_time else QUADRUPLES):
        if lower_bound(logs) > limits.full:
            return Verdict.SLOW
        return Verdict.FULL if 1 - score(ratio(logs), limits) < DOUBT else Verdict.UNKNOWN
    if not out_of_time:
        return Verdict.OPEN
    if count >= FEW and min(logs) >= math.log(limits.zero):
        return Verdict.SLOW
    return Verdict.UNKNOWN


def overall(verdicts: Sequence[Verdict], *, strict: bool) -> Verdict:
    """The verdict of several clocks, each of which has its own: the larger of two noisy ratios would be too large, and
    the smaller one too small. One clock is enough to be slow if it is `strict`, else one is enough for full points."""
    first, last = (Verdict.SLOW, Verdict.FULL) if strict else (Verdict.FULL, Verdict.SLOW)
    return next(one for one in (first, Verdict.OPEN, Verdict.UNKNOWN, last) if one in verdicts)


def lower_bound(logs: Sequence[float]) -> float:
    """A ratio that the true one exceeds with at least 99.9 % confidence (99.8 % for 9 quadruples, less for fewer)."""
    ordered = sorted(logs)
    rank = 1
    # The largest rank whose tail is still at most one in a thousand.
    while rank < len(ordered) and _tail(len(ordered), rank + 1) <= 0.001:
        rank += 1
    return math.exp(ordered[rank - 1])


def _tail(count: int, rank: int) -> float:
    """The chance that fewer than `rank` of `count` fair coins show heads, so that the bound of this rank is wrong."""
    return float(sum(math.comb(count, i) for i in range(rank)) / 2**count)


def ratio(logs: Sequence[float]) -> float:
    """The median ratio."""
    ordered, half = sorted(logs), len(logs) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return math.exp(middle)


def score(bound: float, limits: Thresholds) -> float:
    """The share of the points for a ratio of at least `bound`: linear in its logarithm between the limits."""
    return min(1.0, max(0.0, 1 - math.log(bound / limits.full) / math.log(limits.zero / limits.full)))
