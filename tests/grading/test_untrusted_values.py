"""Checks that judge what a submission returned by themselves: whatever that is, it is never the grader's fault, and no
text that is made of it is long."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.jobs import Job, WarmUp
from autograder.results.model import Result, State, Status, encode
from autograder.submissions.reading import read_submission
from toy_course import toy_course

CHECKS = """
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import exercise, expect, points


@exercise("mean")
@points(1)
def test_mean(student):
    value = student(lambda m: m.mean([1.0, 3.0]))
    expect(abs(value[0] - 2) < 0.1, f"{value} is not the mean")


@exercise("mean")
@points(1)
@given(number=st.integers(1, 9))
def test_many(student, number):
    value = student(lambda m: m.mean([float(number)]))
    expect(0 == value[0] - number, f"The mean of {number} is not {value}.", hint=f"What is {value}?")


@exercise("other")
@points(1)
def test_other(same_outcome):
    same_outcome(lambda m: m.other(2))
"""
SOLUTION = "def mean(x):\n    return [sum(x) / len(x)]\n\ndef other(x):\n    return {'a': x}\n"
UNUSABLE = "This check could not go on with what your code returned earlier in it."


@pytest.fixture(scope="module")
def course(engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    root = toy_course(folder, exercises={"mean": 2, "other": 1}, solution=SOLUTION, checks=CHECKS)
    engine.warm_up(WarmUp(str(root), "demo"))
    return root


@pytest.fixture
def graded(engine, course: Path, tmp_path: Path):
    def run(mean: str, other: str = "{'a': x}") -> Result:
        path = tmp_path / "demo.py"
        path.write_text(f"def mean(x):\n    return {mean}\n\ndef other(x):\n    return {other}\n")
        return engine.grade(Job(str(course), "demo", read_submission(path, "demo")))

    return run


@pytest.mark.parametrize("value", ["None", "[]", "[None]", "['two']", "{}", "3", "[{}]", "[[1]]", "object()"])
def test_a_grader_that_stumbles_over_it_fails_its_check_and_tells_the_instructor(graded, value):
    result = graded(value)
    assert result.state is State.GRADED
    assert [one.status for one in result.checks] == [Status.FAILED, Status.FAILED, Status.PASSED]
    assert {one.message for one in result.checks[:2]} == {UNUSABLE}
    assert len(result.log) == 2
    assert all(line.startswith("judging graders/demo/test_demo.py::test_m") for line in result.log)


def test_a_grader_that_stumbles_over_the_solution_as_well_is_our_error(engine, tmp_path):
    broken = CHECKS.replace("value[0] - 2", "value[1] - 2")
    course = toy_course(tmp_path, exercises={"mean": 2, "other": 1}, solution=SOLUTION, checks=broken)
    for mean in ("[2.0]", "None"):
        path = tmp_path / "demo.py"
        path.write_text(f"def mean(x):\n    return {mean}\n\ndef other(x):\n    return {{'a': x}}\n")
        result = engine.grade(Job(str(course), "demo", read_submission(path, "demo")))
        assert result.state is State.ERROR
        assert [one.status for one in result.checks] == [Status.ERROR, Status.FAILED, Status.PASSED]


def test_what_passes_is_not_touched(graded):
    assert graded("[sum(x) / len(x)]").points == 3


@pytest.mark.parametrize(
    ("mean", "other"),
    [
        ("[9.0] * 2_000_000", "3"),
        ("[9.0, 'x' * 100_000_000]", "3"),
        ("3", "{'x' * 4_000_000: 1}"),
        ("3", "{'x' * 100_000 + str(i): 1 for i in range(40)}"),
        ("3", "type('x' * 4_000_000, (), {})()"),
        ("3", "1 / 0 if False else (_ for _ in ()).throw(type('E' * 4_000_000, (ValueError,), {})('m' * 4_000_000))"),
    ],
)
def test_no_text_of_a_result_is_long(graded, mean, other):
    assert len(encode(graded(mean, other))) < 200_000
