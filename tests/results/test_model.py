from __future__ import annotations

import math

import msgspec
import pytest

from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, decode, encode
from results import result_samples as samples


def check(max_points: float, points: float) -> CheckResult:
    return CheckResult("pool2d", "test", "Works.", Status.FAILED, max_points, points)


@pytest.mark.parametrize(
    ("max_points", "points"),
    [(1, -0.5), (1, 1.5), (1, math.nan), (math.nan, 0), (math.inf, 1), (1, math.inf), (-1, -1)],
)
def test_a_score_outside_its_range_cannot_be_made(max_points: float, points: float) -> None:
    with pytest.raises(ValueError, match="is not a score"):
        check(max_points, points)


def test_points_of_thirds_add_up_to_whole_ones() -> None:
    exercise = ExerciseResult("pool2d", 1.0, (check(1 / 3, 1 / 3), check(1 / 3, 1 / 3), check(1 / 3, 1 / 3)))
    assert exercise.points == 1.0


def test_an_exercise_never_gives_more_than_its_points() -> None:
    assert ExerciseResult("pool2d", 5.0, (check(4, 4), check(4, 4))).points == 5.0


def test_a_result_adds_up_its_exercises() -> None:
    result = samples.typical()
    assert (result.points, result.max_points) == (13.5, 41.0)
    assert len(result.checks) == 7


def test_the_total_has_bonuses_and_penalties_in_it_but_no_check_is_out_of_range() -> None:
    result = samples.with_extras()
    assert (result.max_points, result.max_bonus, result.limit) == (10, 3, 13)
    assert (result.earned, result.deduction, result.points) == (9, 2.5, 6.5)
    assert result.counted == (1.5, 2, 3)  # where it was lost
    assert samples.with_extras(cap=10).limit == 10
    assert samples.with_extras(cap=10).points == 6.5


def replaced(deduction: float, cap: float | None) -> Result:
    double, *others = samples.with_extras(cap).exercises
    half, in_place = double.checks
    checks = half, msgspec.structs.replace(in_place, deduction=deduction)
    return samples.result(msgspec.structs.replace(double, checks=checks), *others, cap=cap)


@pytest.mark.parametrize(
    ("deduction", "cap", "total", "counted"),
    [
        (0, None, 9, (4, 2, 3)),
        (0, 8, 8, (4, 2, 2)),  # the cap takes from the bonus
        (5, None, 4, (0, 2, 2)),
        (8.5, None, 0.5, (0, 0.5, 0)),
        (100, None, 0, (0, 0, 0)),
    ],
)
def test_the_shares_of_the_exercises_add_up_to_the_total(
    deduction: float, cap: float | None, total: float, counted: tuple[float, ...]
) -> None:
    result = replaced(deduction, cap)
    assert (result.points, result.counted) == (total, counted)


def test_a_penalty_takes_points_off() -> None:
    with pytest.raises(ValueError, match="cannot be taken off"):
        replaced(-1, None)


def test_encoding_is_undone_by_decoding() -> None:
    result = samples.typical(notice="Größe ≠ 数", log=("for the instructor",), environment={"torch": "2.4"})
    assert decode(encode(result)) == result


def test_surrogates_in_a_text_do_not_stop_encoding() -> None:
    result = decode(encode(samples.typical(notice="caf\udce9", environment={"\ud800": "x"})))
    assert result.notice == "caf?"
    assert result.state is State.GRADED


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"assignment": 1}', b"\xff"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode(data)
