"""Solutions and their wrong variants as modules."""

import pytest

from autograder.course import load_assignment
from autograder.errors import EngineError
from autograder.grading.reference import load_misconceptions, load_reference, load_variant
from toy_course import toy_course

SOLUTION = """
def helper(x):
    return x


def double(x):
    return 2 * helper(x)


def triple(x):
    return 3 * x
"""

MISCONCEPTIONS = '''
from demo import helper

from autograder.grading import misconception

SHIFT = 1


@misconception("double", hint="Twice, not one more.")
def adds_one(x):
    """Adds 1."""
    return helper(x) + SHIFT


def not_declared(x):
    return 0
'''


@pytest.fixture
def assignment(tmp_path):
    exercises = {"double": 1, "triple": 1}
    toy_course(tmp_path, exercises=exercises, solution=SOLUTION, misconceptions=MISCONCEPTIONS)
    return load_assignment(tmp_path, "demo")


def test_a_variant_replaces_one_exercise_and_uses_the_solutions_helpers(assignment):
    (known,) = load_misconceptions(assignment)
    variant = load_variant(assignment, known)
    assert (known.name, known.exercise, known.hint) == ("adds_one", "double", "Twice, not one more.")
    assert variant.double(5) == 6
    assert variant.triple(5) == 15
    assert load_reference(assignment).double(5) == 10


def test_a_variant_of_an_unknown_exercise_is_the_authors_error(assignment):
    path = assignment.graders / "misconceptions.py"
    path.write_text(MISCONCEPTIONS.replace('"double"', '"quadruple"'))
    with pytest.raises(EngineError, match="quadruple"):
        load_variant(assignment, load_misconceptions(assignment)[0])


def test_a_solution_that_does_not_run_is_the_authors_error(assignment):
    assignment.solution.write_text("1 / 0")
    with pytest.raises(EngineError, match="ZeroDivisionError"):
        load_reference(assignment)
