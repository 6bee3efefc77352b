"""What a test cell says when the total has bonuses and penalties in it."""

from __future__ import annotations

import pytest

from results import result_samples as samples

pytest.importorskip("nbgrader")

from autograder.platforms.nbgrader import outputs


def test_cells_never_leave_their_range_and_say_what_is_taken_off() -> None:
    result = samples.with_extras()
    worth = {"double": 8.0, "triple": 2.0, "power": 0.0}  # a bonus is worth nothing there
    scores = []
    for exercise, points in zip(result.exercises, result.counted, strict=True):
        text, score = outputs.of_test_cell(exercise, points, "", worth[exercise.name])
        scores.append(score["data"]["text/plain"])
        assert ("2.5 points of these are taken off" in text["text"]) == (exercise.name == "double")
    assert scores == ["1.5", "2.0", "0.0"]
