"""dtype and shape count in the checks that say so, and only there."""

from __future__ import annotations

import pytest

from autograder.jobs import Job
from autograder.results.model import Result, State
from autograder.submissions.reading import read_submission
from toy_course import toy_course

SOLUTION = "def double(x):\n    return 2 * x\n"
CHECKS = '''
import torch
from autograder.grading import exercise, expect, expect_tensor, points

x = torch.arange(6.0).reshape(1, 2, 3)


@exercise("double")
@points(1)
def test_values(same_outcome):
    """Twice as much."""
    same_outcome(lambda m: m.double(x))


@exercise("double")
@points(1)
def test_dtype(same_outcome):
    """The dtype."""
    same_outcome(lambda m: m.double(x), exact="dtype")


@exercise("double")
@points(1)
def test_shape(same_outcome):
    """The shape."""
    same_outcome(lambda m: m.double(x), exact="shape")


@exercise("double")
@points(1)
def test_sum(student):
    """The sum."""
    value = expect_tensor(student(lambda m: m.double(x)), x)
    expect(value.shape == x.shape and value.dtype == x.dtype and value.sum() == 30, "The sum is not right.")


@exercise("double")
@points(1)
def test_form(student):
    """The form."""
    expect_tensor(student(lambda m: m.double(x)), x, exact="dtype shape")
'''


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return toy_course(tmp_path_factory.mktemp("course"), exercises={"double": 5}, solution=SOLUTION, checks=CHECKS)


@pytest.fixture
def grade(engine, tmp_path):
    def run(course, expression: str) -> Result:
        path = tmp_path / "demo.py"
        path.write_text(SOLUTION.replace("2 * x", expression))
        return engine.grade(Job(str(course), "demo", read_submission(path, "demo")))

    return run


@pytest.mark.parametrize(
    ("expression", "lost"),
    [
        ("x + x", []),
        ("2 * x.double()", ["dtype", "form"]),
        ("(2 * x).squeeze()", ["shape", "form"]),
        ("(2 * x).double()[None]", ["dtype", "shape", "form"]),
        ("(2 * x).bfloat16()", ["values", "dtype", "shape", "sum", "form"]),
        ("(2 * x).long()", ["values", "dtype", "shape", "sum", "form"]),
        ("(2 * x).transpose(1, 2)", ["values", "dtype", "shape", "sum", "form"]),
        ("3 * x.double()", ["values", "dtype", "shape", "sum", "form"]),
    ],
)
def test_what_a_slip_costs(grade, course, expression, lost):
    result = grade(course, expression)
    assert (result.state, result.log) == (State.GRADED, ())
    assert [check.name for check in result.checks if not check.points] == lost


def test_both_mistakes_are_said_where_the_values_are_compared(grade, course):
    messages = {check.name: check.message for check in grade(course, "3 * x.double()").checks}
    assert messages["values"] == (
        "5 of 6 entries differ (marked *): at index [0, 0, 1] it should be 2, but is 3. "
        "Besides, it should have dtype torch.float32, but has torch.float64."
    )
    assert messages["dtype"] == (
        "The result should have dtype torch.float32, but has torch.float64. Its values are not right either."
    )


def test_a_shape_that_is_compared_by_its_values_is_shown_as_it_is(grade, course):
    shown = grade(course, "(3 * x).squeeze()").checks[0].counterexample
    assert (shown.expected.kind, shown.got.kind) == ("1×2×3 float32", "2×3 float32")
    assert shown.got.text.count("*") == 5


def test_a_slip_of_the_grader_is_named(grade, tmp_path):
    checks = CHECKS.replace('exact="shape"', 'exact="size"')
    wrong = toy_course(tmp_path / "wrong", exercises={"double": 5}, solution=SOLUTION, checks=checks)
    result = grade(wrong, "x + x")
    assert result.state is State.ERROR
    assert 'exact= takes "dtype", "shape" or both, not \'size\'' in "".join(result.log)
