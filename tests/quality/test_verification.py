"""The verdict on an assignment's graders, from hand-made results."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from autograder.course import load_assignment
from autograder.grading.marks import Misconception
from autograder.quality.subjects import Subject, subject
from autograder.quality.verification import Verification
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from toy_course import toy_course


def check(name: str, status: Status, points: float = 1.0) -> CheckResult:
    return CheckResult("double", name, name, status, points, points if status is Status.PASSED else 0.0)


def result(*checks: CheckResult, state: State = State.GRADED) -> Result:
    return Result("demo", "Demo", "x", state, (ExerciseResult("double", 2, checks),))


def squares(verification: Verification) -> Subject:
    item = Misconception("double", "squares", "Squares are something else.", lambda x: x * x)
    verification._proof._tried["squares"] = item
    return subject(verification.assignment, "squares", "source", item)


@pytest.fixture
def verification(tmp_path: Path) -> Verification:
    return Verification(load_assignment(toy_course(tmp_path, exercises={"double": 2}), "demo"))


def test_a_check_that_ends_otherwise_the_second_time_is_named(verification: Verification) -> None:
    known = squares(verification)
    for status in (Status.FAILED, Status.FAILED, Status.PASSED):
        verification.add(known, "", result(check("values", Status.FAILED), check("shape", status)))
    assert [problem.text for problem in verification.problems] == [
        "squares is not graded the same each time: check shape of double was failed once and passed another time"
    ]


def test_a_penalty_is_a_loss_for_a_misconception_and_a_problem_for_the_solution(verification: Verification) -> None:
    values = check("values", Status.PASSED, 2.0)
    penalty = msgspec.structs.replace(check("in_place", Status.FAILED, 0.0), deduction=1.5)
    verification.add(squares(verification), "", result(values, penalty))
    assert verification.problems == []
    verification.add(subject(verification.assignment, "solution", "source"), "", result(values, penalty))
    assert [problem.text for problem in verification.problems] == [
        "solution loses 1.5 points in double: check in_place: failed"
    ]


def test_a_problem_that_only_one_salt_shows_says_which(verification: Verification) -> None:
    known = squares(verification)
    verification.add(known, "", result(check("values", Status.FAILED), check("shape", Status.PASSED)))
    verification.add(known, "other", result(check("values", Status.PASSED), check("shape", Status.PASSED)))
    assert [problem.text for problem in verification.problems] == ["squares keeps full points (only with salt 'other')"]


def test_an_explanation_that_failed_is_a_problem_and_its_feedback_is_not_rendered(verification: Verification) -> None:
    known = squares(verification)
    line = "explaining graders/demo/test_demo.py::test_values failed: NotImplementedError: no numbers"
    checks = result(check("values", Status.FAILED), check("shape", Status.PASSED))
    verification.add(known, "", msgspec.structs.replace(checks, log=(line,)), explained=True)
    assert [problem.text for problem in verification.problems] == [f"squares: {line}"]
    assert not verification.rows["double"].rendered
    verification.add(known, "", checks, explained=True)
    assert verification.rows["double"].rendered == {"squares"}
