"""Solutions and their wrong variants as modules."""

import sys

import pytest
import torch

from autograder.course import load_assignment
from autograder.errors import EngineError
from autograder.grading.reference import (
    load_misconceptions,
    load_reference,
    load_variant,
    load_with,
    module_from_source,
    replacement,
    variant_source,
)
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


def test_a_mistake_that_any_module_can_make_is_part_of_the_submission(tmp_path):
    toy_course(
        tmp_path,
        exercises={"Net": 1},
        solution="import torch\n\nclass Net(torch.nn.Identity):\n    pass\n",
        misconceptions="from demo import Net\n"
        "from autograder.grading import misconception\n"
        "from autograder.grading.mistakes import OneRoom\n\n"
        '@misconception("Net", hint="Whose memory is it?")\nclass Overwrites(OneRoom, Net):\n    pass\n',
    )
    assignment = load_assignment(tmp_path, "demo")
    (known,) = load_misconceptions(assignment)
    source = variant_source(assignment, known)
    assert "import autograder" not in source
    assert "from autograder" not in source
    module = module_from_source("demo", source, "demo.py")
    net = module.Net()
    first = net(torch.ones(2))
    assert net(torch.zeros(2)).tolist() == first.tolist() == [0, 0]


def test_a_variant_is_built_on_what_is_replaced_and_its_replacement_on_what_is_right(assignment):
    (known,) = load_misconceptions(assignment)
    doubled = load_variant(assignment, known, {"triple": lambda x: 0 * x})
    assert (doubled.double(5), doubled.triple(5)) == (6, 0)
    assert load_with(assignment, {"double": replacement(assignment, known)}, "wrong").double(5) == 6


def test_a_variant_of_an_unknown_exercise_is_the_authors_error(assignment):
    path = assignment.graders / "misconceptions.py"
    path.write_text(MISCONCEPTIONS.replace('"double"', '"quadruple"'))
    with pytest.raises(EngineError, match="quadruple"):
        load_variant(assignment, load_misconceptions(assignment)[0])


def test_a_solution_that_does_not_run_is_the_authors_error(assignment):
    assignment.solution.write_text("1 / 0")
    with pytest.raises(EngineError, match="ZeroDivisionError"):
        load_reference(assignment)


@pytest.mark.parametrize(
    "line",
    [
        "import demo",
        "import demo as right",
        "from demo import helper as right",
        "from solutions.demo.demo import helper",
    ],
)
def test_a_file_of_misconceptions_that_imports_the_solution_otherwise_is_told_how(tmp_path, line):
    broken = MISCONCEPTIONS.replace("from demo import helper\n", f"{line}\n")
    course = toy_course(tmp_path, exercises={"double": 1}, solution=SOLUTION, misconceptions=broken)
    with pytest.raises(EngineError, match=r"misconceptions\.py, line 2: instead of `.*`, write `from demo import"):
        load_misconceptions(load_assignment(course, "demo"))


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_dataclasses_with_annotations_as_text_and_decorated_helpers_may_stand_anywhere(tmp_path, future):
    """A dataclass looks for its module in `sys.modules`."""
    solution = f"""{future}
from dataclasses import dataclass


@dataclass
class Size:
    height: int = 1
"""
    wrong = """
from __future__ import annotations

import functools
from dataclasses import dataclass

from demo import Size

from autograder.grading import misconception


@functools.cache
def two():
    return 2


@misconception("Size", hint="?")
@dataclass
class Width(Size):
    height: int = two()
"""
    course = toy_course(tmp_path, exercises={"Size": 1}, solution=solution, misconceptions=wrong)
    assignment = load_assignment(course, "demo")
    (known,) = load_misconceptions(assignment)
    assert load_reference(assignment).Size().height == 1
    assert load_variant(assignment, known).Size().height == 2
    assert replacement(assignment, known)().height == 2
    alone = module_from_source("demo", variant_source(assignment, known), "alone")
    assert alone.Size().height == 2
    assert "demo" not in sys.modules
    assert "misconceptions" not in sys.modules
