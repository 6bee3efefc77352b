from __future__ import annotations

import math

import msgspec
import pytest

from autograder.results.model import CheckResult, ExerciseResult, State, Status, decode, encode
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
