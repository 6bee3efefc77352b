"""What is built on a wrong exercise says so in the checks that show it, and in no others."""

from __future__ import annotations

import pytest

from autograder.jobs import Job
from autograder.results.model import Result
from autograder.submissions.reading import read_submission
from toy_course import check, grader, toy_course

SOLUTION = """
import torch

def double(x):
    return 2 * x

def fourfold(x):
    if x.dtype != torch.float32:
        raise ValueError("float32, please")
    return double(double(x))

def eightfold(x):
    return 8 * x
"""
DOUBLE = grader(
    check("double", 1, "m.double(x)", name="values"),
    check("double", 1, "list(m.double(x).shape)", name="shape"),
)
FOURFOLD = grader(
    check("fourfold", 1, "m.fourfold(x)", name="values"),
    check("fourfold", 1, "list(m.fourfold(x).shape)", name="shape"),
    check("fourfold", 1, "m.fourfold(x.long())", name="refusal", raises="ValueError"),
)
EIGHTFOLD = grader(
    check("eightfold", 1, "m.eightfold(x)", name="times_eight"),
    check("eightfold", 1, "list(m.eightfold(x).shape)", name="shape"),
)
MISCONCEPTIONS = """
from autograder.grading import misconception

@misconception("double", hint="Two, not three.")
def trebles(x):
    return 3 * x

@misconception("fourfold", hint="What about whole numbers?")
def takes_everything(x):
    return 4 * x
"""
DEPENDS = "fourfold depends on your double, which also lost points: look there first."


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return toy_course(
        tmp_path_factory.mktemp("course"),
        exercises={"double": 2, "fourfold": 3, "eightfold": 2},
        solution=SOLUTION,
        checks=DOUBLE,
        misconceptions=MISCONCEPTIONS,
        files={"graders/demo/test_fourfold.py": FOURFOLD, "graders/demo/test_eightfold.py": EIGHTFOLD},
    )


@pytest.fixture
def hints(engine, course, tmp_path):
    """The hints of all failed checks, by exercise and check."""

    def run(old: str, new: str, *more: str) -> dict[str, str]:
        source = SOLUTION.replace(old, new)
        source = source.replace(*more) if more else source
        path = tmp_path / "demo.py"
        path.write_text(source)
        result: Result = engine.grade(Job(str(course), "demo", read_submission(path, "demo")))
        assert result.log == ()
        return {f"{one.exercise}/{one.name}": one.hint for one in result.checks if one.points < one.max_points}

    return run


def test_where_the_known_mistake_of_the_other_explains_it(hints):
    assert hints("2 * x", "3 * x") == {"double/values": "Two, not three.", "fourfold/values": DEPENDS}


def test_a_mistake_of_its_own_is_told_beside_it(hints):
    found = hints("2 * x", "3 * x", "x.dtype != torch.float32", "False")
    assert found["fourfold/values"] == DEPENDS
    assert "depends" not in found["fourfold/refusal"]


def test_where_nobody_knows_what_is_wrong_with_the_other(hints):
    assert hints("2 * x", "2 * x + 0.1") == {"double/values": "", "fourfold/values": DEPENDS}


def test_not_where_the_other_is_right_in_this_respect(hints):
    found = hints("2 * x", "2 * x + 0.1", "double(double(x))", "double(double(x))[None]")
    assert found == {"double/values": "", "fourfold/values": DEPENDS, "fourfold/shape": ""}


def test_not_where_the_solution_passes_without_the_other(hints):
    found = hints("2 * x", "2 * x + 0.1", "x.dtype != torch.float32", "False")
    assert found["fourfold/refusal"] == ""


def test_not_because_of_a_local_variable(hints):
    found = hints("2 * x", "3 * x", "return double(double(x))", "double = 5 * x\n    return double")
    assert found == {"double/values": "Two, not three.", "fourfold/values": ""}


def test_where_the_student_builds_on_it_in_another_way(hints):
    found = hints("2 * x", "3 * x", "double(double(x))", "double(x) + double(x)")
    assert found == {"double/values": "Two, not three.", "fourfold/values": DEPENDS}


def test_not_where_all_that_is_wrong_with_the_other_has_checks_of_its_own_here(hints):
    found = hints("2 * x", "(2 * x)[None]", "8 * x", "double(4 * x) + 0.1")
    assert found["eightfold/shape"] == DEPENDS.replace("fourfold", "eightfold")
    assert found["eightfold/times_eight"] == ""
