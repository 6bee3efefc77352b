"""A class of 200 made by hand, in which one check of three exercises is wrong."""

from __future__ import annotations

import random

from autograder.results.model import CheckResult, Counterexample, ExerciseResult, Result, Shown, State, Status

PLANTED = ("pool", "planted")
EXERCISES = {"pool": 7.0, "norm": 6.0, "conv": 6.0}
KINDS = ("refuses right answers", "fails everyone", "raises on right answers")


def answer(text: str) -> Counterexample:
    shown = (Shown("expected", "(2,) float32", "1  2"), Shown("got", "(2,) float32", text))
    return Counterexample("pool(x)", (Shown("x", "(2,) float32", "1  2"),), *shown)


def class_of_200(kind: str) -> list[Result]:
    """Students of all abilities make known mistakes and others, and some leave exercises out."""
    draw = random.Random(kind)
    return [_result(draw, kind) for _ in range(200)]


def _result(draw: random.Random, kind: str) -> Result:
    ability, exercises = draw.random(), []
    for name in EXERCISES:
        begun = draw.random() < 0.5 + ability
        checks = [_ordinary(draw, name, number, ability, begun) for number in range(6)]
        if name == PLANTED[0]:
            checks.append(_planted(draw, kind, ability, begun))
        exercises.append(ExerciseResult(name, EXERCISES[name], tuple(checks)))
    return Result("tiny", "Tiny", "", State.GRADED, tuple(exercises))


def _ordinary(draw: random.Random, exercise: str, number: int, ability: float, begun: bool) -> CheckResult:
    name, difficulty = f"check{number}", 0.1 + 0.12 * number
    if begun and ability + draw.gauss(0, 0.15) > difficulty:
        return CheckResult(exercise, name, f"Sentence of {name}.", Status.PASSED, 1.0, 1.0)
    if not begun:
        message = "Your code raised NotImplementedError."
        return CheckResult(exercise, name, f"Sentence of {name}.", Status.FAILED, 1.0, message=message, answered=False)
    known = "pads" if draw.random() < 0.6 else ""
    example = answer(f"{draw.randrange(8)}  0")
    return CheckResult(
        exercise, name, f"Sentence of {name}.", Status.FAILED, 1.0, misconception=known, counterexample=example
    )


def _planted(draw: random.Random, kind: str, ability: float, begun: bool) -> CheckResult:
    title = "Sentence of the wrong check."
    right = ability + draw.gauss(0, 0.15) > 0.5
    if begun and not right and kind != "fails everyone":
        return CheckResult(*PLANTED, title, Status.PASSED, 1.0, 1.0)
    if not begun or kind == "raises on right answers":
        return CheckResult(*PLANTED, title, Status.FAILED, 1.0, message="It raised TypeError.", answered=False)
    example = answer("1  2.5" if right else f"{draw.randrange(8)}  7")
    return CheckResult(*PLANTED, title, Status.FAILED, 1.0, counterexample=example)
