"""What must not be in the feedback of a submission."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.quality.feedback import Graders, graders, troubles
from autograder.quality.subjects import find
from autograder.results.feedback import check_text
from autograder.results.model import CheckResult, Counterexample, ExerciseResult, Result, Shown, State, Status
from command_line import ROOT
from toy_course import toy_course

NOTHING = Shown("", "", "")
CHECKS = '''
@exercise("double")
def test_values(same_outcome):
    """
    The result is (always) twice the input.
    """
    # Small numbers (for people).
    weights = torch.arange(7).double().flip(0)
    same_outcome(lambda module: module.double(weights))
    same_outcome(lambda module: double_of_what_is_given(module))


def double_of_what_is_given(x):
    return (lambda given: given * given)(x)
'''
VARIANTS = """
@misconception("double", hint="Squares are something else.")
def squares(x):
    return (lambda given: given * given)(x)
"""


def found(message: str = "", *, call: str = "", log: tuple[str, ...] = (), about: Graders | None = None) -> list[str]:
    example = Counterexample(call, (), NOTHING, NOTHING) if call else None
    check = CheckResult("double", "values", "Twice.", Status.FAILED, 1.0, message=message, counterexample=example)
    exercises = (ExerciseResult("double", 1, (check,)),)
    result = Result("demo", "Demo", "x", State.GRADED, exercises, log=log)
    return list(troubles(result, about or Graders(frozenset(), frozenset())))


@pytest.fixture
def about(tmp_path: Path) -> Graders:
    course = toy_course(tmp_path, exercises={"double": 1}, checks=CHECKS, misconceptions=VARIANTS)
    return graders(course / "graders/demo", course / "solutions/demo/demo.py")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Traceback (most recent call last):", "a traceback: Traceback (most recent call last)"),
        ("FileNotFoundError: /home/me/course/x.pt", "an absolute path: /home/me/course/x.pt"),
        ("in /tmp/x/y, line 3", "an absolute path: /tmp/x/y"),
        ("It is <Two object at 0x7f00ab>.", "an address in memory: at 0x7f00ab"),
        ("same_outcome(probe)", "code of the grader: same_outcome"),
        ("f(<function test.<locals>.g>)", "code of the grader: <locals>"),
        ("f(<function <lambda>>)", "code of the grader: <lambda>"),
    ],
)
def test_what_a_student_should_not_read_is_named(text: str, what: str) -> None:
    assert found(text) == [f"the feedback of check values of double contains {what}"]
    assert found(call=text) == found(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("in the line weights = torch.arange(7).double().flip(0)", "a line of the graders: weights = torch.arange(7)"),
        ("given lambda module: module.double(weights)", "a line of the graders: lambda module: module.double(weights)"),
        ("as in test_demo.py, line 3", "a file of the graders: test_demo.py"),
    ],
)
def test_what_belongs_to_the_graders_is_named(about: Graders, text: str, what: str) -> None:
    [trouble] = found(text, about=about)
    assert trouble.startswith(f"the feedback of check values of double contains {what}")


@pytest.mark.parametrize(
    "text",
    [
        "H / 2 and W // 2",
        "1/(2/3)/4",
        "images/second",
        "It is 3/4.",
        "x.shape[0]/2/n",
        "Your code raised RuntimeError: the traceback is too long (most recent call last).",
        "The colour is 0xFF at index 3.",
        "in demo.py, line 4: return (lambda given: given * given)(x)",
        "The result is (always) twice the input.",
        "Small numbers (for people).",
        "weights = torch.arange(7)",
        "the same outcome as autograder demos",
    ],
)
def test_what_a_student_may_read_is_no_trouble(about: Graders, text: str) -> None:
    assert not found(text, about=about)


def test_an_explanation_that_failed_is_a_trouble() -> None:
    line = "explaining graders/demo/test_demo.py::test_values failed: NotImplementedError: no numbers"
    assert found(log=("printed by the graders: x", line)) == [line]


@pytest.mark.slow
def test_the_feedback_of_every_misconception_is_fit_to_be_read(engine: Engine) -> None:
    assignment = load_assignment(ROOT, "counting")
    forbidden = graders(assignment.graders, assignment.solution)
    engine.warm_up(WarmUp(str(ROOT), "counting"))
    for subject in find(assignment).subjects:
        if subject.misconception is None:
            continue
        result = engine.grade(Job(str(ROOT), "counting", subject.submission, exercises=(subject.exercise,)))
        failed = [check for check in result.checks if check.status is not Status.PASSED]
        assert failed, subject.label
        assert not list(troubles(result, forbidden)), subject.label
        for check in failed:
            text = check_text(check)
            assert check.message.split("\n")[0][:40] in text
            for part in ("Traceback", " at 0x", str(ROOT), "/tmp/", "graders/", "same_outcome", "misconceptions.py"):
                assert part not in text, (subject.label, text)
