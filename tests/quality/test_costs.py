"""What a misconception costs, from hand-made results."""

from __future__ import annotations

import pytest

from autograder.grading.marks import Misconception
from autograder.quality.costs import Costs
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status


def variant(name: str, *, severe: str = "", crashes: bool = False) -> Misconception:
    return Misconception("double", name, "A hint.", lambda x: x, crashes=crashes, severe=severe)


def lost(points: float, exercise: str = "double") -> ExerciseResult:
    """An exercise of 4 points, of which so many are lost."""
    checks = (("bad", points, 0.0), ("good", 4 - points, 4 - points))
    some = tuple(CheckResult(exercise, name, name, Status.PASSED, most, got) for name, most, got in checks if most)
    return ExerciseResult(exercise, 4, some)


def costs(item: Misconception, *runs: tuple[ExerciseResult, ...]) -> Costs:
    made = Costs({"it": item})
    for exercises in runs:
        made.add("it", Result("demo", "Demo", "x", State.GRADED, exercises))
    return made


def test_it_is_the_share_of_its_own_exercise_in_the_worst_run() -> None:
    made = costs(variant("slip"), (lost(1), lost(4, "other")), (lost(2),), (lost(1),))
    assert made.of("double") == [0.5]
    assert not made.of("other")
    assert not list(made.warnings())
    assert not made.severe


@pytest.mark.parametrize(
    ("item", "points", "warning", "listed"),
    [
        (variant("half"), 2, "", []),
        (variant("most"), 3, "it costs 75% of double; let fewer checks depend on it, or give the reason with", []),
        (variant("most", severe="it adds"), 3, "", ["it costs 75%: it adds"]),
        (variant("half", severe="it adds"), 2, "it declares severe=…, but costs only 50% of double", []),
        (variant("stub", crashes=True), 4, "", []),
    ],
)
def test_more_than_half_needs_a_reason(item: Misconception, points: float, warning: str, listed: list[str]) -> None:
    made = costs(item, (lost(points),))
    warnings = list(made.warnings())
    assert [text[: len(warning)] for text in warnings] == ([warning] if warning else [])
    assert made.severe == listed
