"""What a series of ratios proves."""

import math
import random

import pytest

from autograder.timing.decision import (
    EARLY,
    QUADRUPLES,
    Thresholds,
    Verdict,
    lower_bound,
    overall,
    ratio,
    score,
    verdict,
)

LIMITS = Thresholds(2, 8)


def logs(*ratios: float) -> list[float]:
    return [math.log(value) for value in ratios]


def test_nine_fast_quadruples_are_enough() -> None:
    assert verdict(logs(*[1.9] * (EARLY - 1)), LIMITS) is Verdict.OPEN
    assert verdict(logs(*[1.9] * EARLY), LIMITS) is Verdict.FULL


def test_nine_quadruples_beyond_the_last_limit_are_enough() -> None:
    assert verdict(logs(*[9.0] * EARLY), LIMITS) is Verdict.SLOW
    assert verdict(logs(*[9.0] * (EARLY - 1), 7.0), LIMITS) is Verdict.OPEN


def test_one_outlier_among_the_first_asks_for_all_quadruples() -> None:
    mixed = logs(*[1.0] * 8, 40.0)
    assert verdict(mixed, LIMITS) is Verdict.OPEN
    assert verdict(mixed + logs(*[1.0] * (QUADRUPLES - 9)), LIMITS) is Verdict.FULL


def test_a_deduction_needs_eighteen_slow_quadruples_of_twenty_one() -> None:
    assert verdict(logs(*[1.0] * 4, *[3.0] * 17), LIMITS) is Verdict.UNKNOWN
    assert verdict(logs(*[1.0] * 3, *[3.0] * 18), LIMITS) is Verdict.SLOW


def test_full_points_need_a_median_that_costs_next_to_nothing() -> None:
    assert verdict(logs(1.0, *[30.0, 1.0] * 10), LIMITS) is Verdict.FULL
    assert verdict(logs(2.1, *[2.1, 1.0] * 10), LIMITS) is Verdict.FULL
    assert verdict(logs(2.5, *[2.5, 1.0] * 10), LIMITS) is Verdict.UNKNOWN


def test_the_bound_of_twenty_one_is_the_fourth_smallest() -> None:
    assert lower_bound(logs(*range(1, QUADRUPLES + 1))) == pytest.approx(4)
    assert lower_bound(logs(*range(1, EARLY + 1))) == pytest.approx(1)


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([1.0] * 4, Verdict.UNKNOWN),
        ([9.0] * 4, Verdict.UNKNOWN),
        ([9.0] * 5, Verdict.SLOW),
        ([9.0] * 4 + [7.0], Verdict.UNKNOWN),
        ([1.0] * 8, Verdict.UNKNOWN),
        ([1.0, 30.0] * 5, Verdict.UNKNOWN),
        ([1.0, 1.0, 30.0] * 3, Verdict.FULL),
        ([3.0] * 9, Verdict.SLOW),
    ],
)
def test_when_the_time_is_over(ratios: list[float], expected: Verdict) -> None:
    assert verdict(logs(*ratios), LIMITS, out_of_time=True) is expected


@pytest.mark.parametrize("clocks", [1, 2])
def test_wrong_deductions_are_as_rare_as_promised(clocks: int) -> None:
    """Simulated: a submission exactly at the limit, noise of heavy tails, no confirmation; seeded."""
    chance = random.Random(7)
    wrong = 0

    def noise() -> list[float]:
        return [math.log(2) + chance.gauss(0, 1) / max(1e-9, abs(chance.gauss(0, 1))) for _ in range(QUADRUPLES)]

    for _ in range(20_000 // clocks):
        series = [noise() for _ in range(clocks)]
        wrong += overall([verdict(logs, LIMITS) for logs in series], strict=True) is Verdict.SLOW
    assert wrong <= 20_000 * 0.0015


@pytest.mark.parametrize(
    ("verdicts", "lenient", "strict"),
    [
        ("FULL SLOW", "FULL", "SLOW"),
        ("FULL OPEN", "FULL", "OPEN"),
        ("SLOW OPEN", "OPEN", "SLOW"),
        ("UNKNOWN FULL", "FULL", "UNKNOWN"),
        ("UNKNOWN SLOW", "UNKNOWN", "SLOW"),
        ("FULL FULL", "FULL", "FULL"),
    ],
)
def test_of_two_clocks_the_lenient_or_the_strict_one_counts(verdicts: str, lenient: str, strict: str) -> None:
    found = [Verdict[name] for name in verdicts.split()]
    assert overall(found, strict=False) is overall(found[::-1], strict=False) is Verdict[lenient]
    assert overall(found, strict=True) is overall(found[::-1], strict=True) is Verdict[strict]


def test_the_ratio_is_the_median() -> None:
    assert ratio(logs(1, 2, 30)) == pytest.approx(2)
    assert ratio(logs(1, 2, 8, 30)) == pytest.approx(4)


def test_the_score_falls_with_the_logarithm() -> None:
    assert [score(k, LIMITS) for k in (0.5, 2, 4, 8, 100)] == pytest.approx([1, 1, 0.5, 0, 0])


@pytest.mark.parametrize(("full", "zero"), [(0.5, 8), (2, 2), (2, math.inf), (3, 2)])
def test_limits_that_make_no_sense(full: float, zero: float) -> None:
    with pytest.raises(ValueError, match="1 ≤ full < zero"):
        Thresholds(full, zero)
