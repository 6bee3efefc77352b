"""What a student built on their own wrong code is judged once more, on its own: what is right then keeps its points
but for the part that the wrong code is worth, and what is not right gains nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.errors import UsageError
from autograder.jobs import Job, WarmUp
from autograder.results.feedback import check_text
from autograder.results.model import CheckResult
from autograder.submissions.reading import read_submission
from toy_course import check, grader, toy_course

SOLUTION = '''
import torch

def scale(x):
    return 2 * x

class Shift(torch.nn.Module):
    def forward(self, x):
        return x + 3

def total(x):
    """The sums of the scaled rows."""
    return scale(x).sum(-1)

def moved(x):
    """Scaled, then shifted."""
    return Shift()(scale(x))

def twice(x):
    """Both totals of one tensor."""
    return total(x) + total(x)
'''
CHECKS = {
    "scale": grader(check("scale", 1, "m.scale(x)", name="values")),
    "Shift": grader(check("Shift", 1, "m.Shift()(x)", name="values")),
    "total": grader(
        check("total", 3, "m.total(x)", name="values"),
        check("total", 1, "m.total(x).dtype", name="dtype"),
    ),
    "moved": grader(check("moved", 2, "m.moved(x)", name="values")),
    "twice": grader(check("twice", 1, "m.twice(x)", name="values")),
}
MISCONCEPTIONS = """
import torch
from demo import scale, total, Shift
from autograder.grading import misconception

@misconception("scale", hint="Two, not three.")
def trebles(x):
    return 3 * x

@misconception("scale", hint="Always nothing?")
def nothing(x):
    return 0 * x

@misconception("scale", hint="What is added?")
def scales_and_adds(x):
    return scale(x) + 1

@misconception("Shift", hint="Up, not down.")
class ShiftsDown(torch.nn.Module):
    def forward(self, x):
        return x - 3

@misconception("total", hint="A sum, not a mean.")
def averages(x):
    return scale(x).mean(-1)

@misconception("total", hint="Of rows.")
def adds_columns(x):
    return scale(x).sum(-2)

@misconception("total", hint="In whole numbers?")
def rounds(x):
    return total(x).long()

@misconception("moved", hint="And the shift?")
def does_not_shift(x):
    return scale(x)

@misconception("twice", hint="Two of them.")
def only_once(x):
    return total(x)
"""
KEPT = "Your total does the right thing with what your scale returns, so you keep 80% of these points."
RIGHT_SCALE, RIGHT_SHIFT = "return 2 * x", "return x + 3"


@pytest.fixture(scope="module")
def course(engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = toy_course(
        tmp_path_factory.mktemp("course"),
        exercises={"scale": 1, "Shift": 1, "total": 4, "moved": 2, "twice": 1},
        solution=SOLUTION,
        misconceptions=MISCONCEPTIONS,
        files={f"graders/demo/test_{number}_{name}.py": text for number, (name, text) in enumerate(CHECKS.items())}
        | {"graders/demo/assignment.toml": TOML},
    )
    engine.warm_up(WarmUp(str(root), "demo"))
    return root


TOML = """
title = "Demo"
limits = { check_seconds = 2.0 }
exercises = { scale = 1, Shift = 1, total = 4, moved = 2, twice = 1 }
builds_on = { total = { scale = 0.2 }, moved = { scale = 0.2, Shift = 0.3 }, twice = { scale = 0.2, total = 0.2 } }
"""


@pytest.fixture
def checks(engine, course: Path, tmp_path: Path):
    """The checks of the solution in which each text of `changes` is replaced by the next one."""

    def run(*changes: str, **options: bool) -> dict[str, CheckResult]:
        source = SOLUTION
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / "demo.py"
        path.write_text(source)
        result = engine.grade(Job(str(course), "demo", read_submission(path, "demo"), **options))
        assert result.log == ()
        return {f"{one.exercise}/{one.name}": one for one in result.checks}

    return run


def points(checks: dict[str, CheckResult]) -> list[float]:
    return [one.points for one in checks.values()]


def test_what_is_right_on_a_known_mistake_keeps_its_points(checks):
    found = checks(RIGHT_SCALE, "return 3 * x")
    assert points(found) == [0, 1, 2.4, 1, 1.6, 0.8]
    text = check_text(found["total/values"])
    assert KEPT in text
    assert "total depends on your scale" in text


def test_what_is_right_on_a_mistake_that_nobody_knows_keeps_its_points(checks):
    found = checks(RIGHT_SCALE, "return 5 * x + 1")
    assert points(found) == [0, 1, 2.4, 1, 1.6, 0.8]
    assert KEPT in found["total/values"].hint


def test_what_is_wrong_only_for_another_costs_nothing_further_on(checks):
    """`twice` is built on a total that is right on its own: it keeps four fifths, and not three."""
    found = checks(RIGHT_SCALE, "return 3 * x")
    assert found["twice/values"].hint.endswith("with what your scale returns, so you keep 80% of these points.")


def test_a_variant_that_uses_the_solutions_function_does_not_meet_itself(checks):
    assert points(checks(RIGHT_SCALE, "return 2 * x + 1")) == [0, 1, 2.4, 1, 1.6, 0.8]


@pytest.mark.parametrize(
    "wrong", ["return scale(x).mean(-1)", "return scale(x).sum(-2)", "return scale(x).sum(-1) + 1"]
)
@pytest.mark.parametrize("scale", ["return 3 * x", "return 5 * x + 1"])
def test_what_is_wrong_itself_gains_nothing(checks, wrong, scale):
    found = checks(RIGHT_SCALE, scale, "return scale(x).sum(-1)", f"return {wrong}")
    assert points(found)[2] == 0
    assert "keep" not in found["total/values"].hint


@pytest.mark.parametrize("scale", ["return 0 * x", "return 0 * x + 0"])
def test_on_code_on_which_every_answer_is_right_nothing_is_given(checks, scale):
    """0 · x is 0 whether rows or columns, sums or means; only the shift of `moved` still shows."""
    assert points(checks(RIGHT_SCALE, scale)) == [0, 1, 0, 1, 1.6, 0]


def test_what_is_not_built_on_the_wrong_code_is_judged_as_before(checks):
    found = checks(RIGHT_SCALE, "return 3 * x", "return scale(x).sum(-1)", "return (3 * x).sum(-1)")
    assert points(found)[2] == 0


def test_several_wrong_exercises_cost_their_parts(checks):
    found = checks(RIGHT_SCALE, "return 3 * x", RIGHT_SHIFT, "return x - 3")
    assert points(found) == [0, 0, 2.4, 1, 1.0, 0.8]
    assert "with what your scale and Shift return, so you keep 50% of these" in found["moved/values"].hint


def test_known_and_unknown_mistakes_together(checks):
    assert points(checks(RIGHT_SCALE, "return 5 * x + 1", RIGHT_SHIFT, "return x - 3"))[4] == 1.0


def test_the_class_of_an_unknown_mistake_cannot_be_asked(checks):
    assert points(checks(RIGHT_SHIFT, "return x - 4")) == [1, 0, 3, 1, 0, 1]


def test_without_carrying_forward_nothing_is_given(checks):
    assert points(checks(RIGHT_SCALE, "return 3 * x", carry_forward=False)) == [0, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    "scale",
    [
        "return None",
        "raise ValueError",
        "return 'text'",
        "return x.to_sparse()",
        "return 10**9",
        "import os; os._exit(3)",
        pytest.param("while True: pass", marks=pytest.mark.slow),
        "return torch.full((3,), float('nan'))",
    ],
)
def test_what_cannot_be_computed_with_is_not_decided(checks, scale):
    found = checks(RIGHT_SCALE, scale)
    assert points(found)[2] == 0


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("totl = { scale = 0.2 }", "[builds_on] names 'totl', which is not one of its exercises."),
        ("total = { scale = 2.0 }", "[builds_on] says that scale is worth 2.0 of total; give a share above 0, and at"),
        ("total = { total = 0.2 }", "[builds_on] says that total builds on itself."),
    ],
)
def test_a_mistake_in_the_declaration_is_one_sentence(tmp_path, entry, sentence):
    toy_course(tmp_path, exercises={"total": 1, "scale": 1}, builds_on={})
    path = tmp_path / "graders/demo/assignment.toml"
    path.write_text(path.read_text().replace("[builds_on]", f"[builds_on]\n{entry}"))
    with pytest.raises(UsageError) as raised:
        load_assignment(tmp_path, "demo")
    assert sentence in str(raised.value)
