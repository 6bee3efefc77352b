"""Exceptions on purpose: a check says `raises=`, and both sides are held to it; all others are a mistake of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.results.model import CheckResult, Result, State, Status
from autograder.submissions.reading import read_submission
from command_line import autograder
from toy_course import check, grader, toy_course

SOLUTION = '''\
def half(n):
    """Half of an even number."""
    ### BEGIN SOLUTION
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n // 2
    ### END SOLUTION
'''
ODD_IS_REFUSED = check("half", 1, "m.half(2 * x + 1)", "An odd number raises a ValueError.", raises="ValueError")
# What `graders/modern` had: the probe's own dict has no such key, so reference and submission raise the same KeyError.
SLIP = check("half", 1, '{"half of the number": m.half(2 * x)}["half"]', name="slip")
NUMBERS = "st.integers(-9, 9)"
WRONG = "return n // 2", "return n // 2 + 1"


def course(root: Path, *checks: str, solution: str = SOLUTION) -> Path:
    return toy_course(
        root,
        exercises={"half": len(checks)},
        examples=10,
        solution=solution,
        checks=grader(*checks, inputs=NUMBERS),
    )


@pytest.fixture
def grade(engine, tmp_path):
    def run(*checks: str, submission: str = SOLUTION, solution: str = SOLUTION) -> Result:
        path = tmp_path / "demo.py"
        path.write_text(submission)
        root = course(tmp_path / "course", *checks, solution=solution)
        return engine.grade(Job(str(root), "demo", read_submission(path, "demo")))

    return run


def one(result: Result) -> CheckResult:
    (found,) = result.checks
    return found


# --- the submission ------------------------------------------------------------------------------------------------


def test_who_refuses_as_the_reference_does_passes(grade):
    own = 'class Odd(ValueError):\n    pass\n\n\ndef half(n):\n    raise Odd("not even")\n'
    assert grade(ODD_IS_REFUSED).points == 1
    assert grade(ODD_IS_REFUSED, submission=own).points == 1


def test_who_returns_where_an_exception_is_expected_is_told_which_one_and_for_which_call(grade):
    found = one(grade(ODD_IS_REFUSED, submission="def half(n):\n    return n / 2\n"))
    assert found.status is Status.FAILED
    assert found.message == "This input is not allowed: your code should raise ValueError, but it returned normally."
    assert (found.counterexample.call, found.counterexample.got.text) == ("half(1)", "0.5")
    assert found.counterexample.expected.text == "an exception (ValueError)"


def test_who_raises_something_else_is_told_what_was_expected_and_what_came_for_which_call(grade):
    found = one(grade(ODD_IS_REFUSED, submission="def half(n):\n    return {0: n // 2}[n % 2]\n"))
    assert found.status is Status.FAILED
    assert found.message.startswith("This input should raise ValueError. Your code raised KeyError: 1\n  in demo.py")
    assert found.counterexample.call == "half(1)"
    assert found.counterexample.got.text == "an exception (KeyError)"


def test_a_value_error_needs_a_message(grade):
    found = one(grade(ODD_IS_REFUSED, submission="def half(n):\n    raise ValueError\n"))
    assert found.message == "The ValueError has no message: say what is wrong with the input."


def test_the_kind_is_the_one_that_the_check_names_not_a_narrower_one_of_the_reference(grade):
    names_lookup_error = check("half", 1, "m.half([])", raises="LookupError")
    raising = "def half(n):\n    raise {}('nothing there')\n"
    for kind, points in (("IndexError", 1), ("KeyError", 1), ("LookupError", 1), ("ValueError", 0)):
        found = grade(names_lookup_error, solution=raising.format("IndexError"), submission=raising.format(kind))
        assert (found.state, found.points) == (State.GRADED, points), kind


def test_of_several_kinds_the_submission_raises_the_one_that_the_reference_raises(grade):
    either = check("half", 1, "m.half(x and 'text')", raises="(TypeError, ValueError)")
    refuses = "def half(n):\n    if n == 0:\n        raise ValueError('zero')\n    raise TypeError('text')\n"
    assert grade(either, solution=refuses, submission=refuses).points == 1
    found = one(grade(either, solution=refuses, submission="def half(n):\n    raise TypeError('text')\n"))
    assert found.message.startswith("This input should raise ValueError. Your code raised TypeError: text")


def test_a_stub_does_not_pass_for_a_runtime_error_on_purpose(grade):
    """NotImplementedError, which a skeleton raises, derives from RuntimeError."""
    refused = check("half", 1, "m.half(1)", raises="RuntimeError")
    refuses = "def half(n):\n    raise RuntimeError('not now')\n"
    stub = "def half(n):\n    raise NotImplementedError()\n"
    assert grade(refused, solution=refuses, submission=refuses).points == 1
    found = one(grade(refused, solution=refuses, submission=stub))
    assert (found.status, found.message) == (
        Status.FAILED,
        "This input should raise RuntimeError. This is not implemented yet.",
    )


# --- the reference -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("submission", [SOLUTION, SOLUTION.replace(*WRONG), "def half(n):\n    return 1 / 0\n"])
def test_a_reference_that_raises_by_the_authors_slip_is_the_graders_error_whatever_the_submission_does(
    grade, submission
):
    result = grade(SLIP, submission=submission)
    assert result.state is State.ERROR
    assert one(result).status is Status.ERROR
    assert result.log == (
        "test_demo.py::test_slip: the reference raises KeyError ('half') where a value was expected; correct the probe "
        "or the solution, or say raises=KeyError (test_demo.py, line 16)",
    )


def test_a_reference_that_returns_where_an_exception_is_expected_is_the_graders_error(grade):
    result = grade(check("half", 1, "m.half(2 * x)", raises="ValueError"))
    assert (result.state, one(result).status) == (State.ERROR, Status.ERROR)
    assert "test_half: the reference returns instead of raising ValueError; correct" in result.log[0]


def test_a_reference_that_raises_another_kind_than_the_named_ones_is_the_graders_error(grade):
    result = grade(check("half", 1, "m.half(1)", raises="(TypeError, LookupError)"))
    assert (result.state, one(result).status) == (State.ERROR, Status.ERROR)
    assert "the reference raises ValueError (1 is odd) instead of TypeError or LookupError; correct" in result.log[0]


def test_one_drawn_example_that_the_reference_refuses_is_enough_and_named(grade):
    result = grade(check("half", 1, "m.half(x)", name="even_and_odd"))
    assert one(result).status is Status.ERROR
    (line,) = result.log
    assert line.startswith("test_demo.py::test_even_and_odd: the reference raises ValueError (")
    assert line.endswith(
        " where a value was expected; correct the probe or the solution, or say raises=ValueError "
        "(test_demo.py, line 16)"
    )


def test_the_other_checks_are_graded_and_keep_their_points(grade):
    result = grade(SLIP, ODD_IS_REFUSED)
    assert {check.name: check.status for check in result.checks} == {"slip": Status.ERROR, "half": Status.PASSED}
    assert result.points == 1


@pytest.mark.parametrize("raises", ["'ValueError'", "type('Odd', (ValueError,), {})", "int", "()", "KeyboardInterrupt"])
def test_what_is_no_kind_of_built_in_exception_is_the_graders_error(grade, raises):
    result = grade(check("half", 1, "m.half(1)", raises=raises))
    assert one(result).status is Status.ERROR
    assert "raises= takes a built-in exception type, such as ValueError, or a tuple of them" in result.log[0]


# --- checks that use what the submission returned ------------------------------------------------------------------

CLOSES_OVER_AN_ANSWER = """

@exercise("half")
@points(1)
def test_quarter(student, same_outcome):
    '''Half of the half.'''
    half = student(lambda m: m.half(8))
    same_outcome(lambda m: m.half(half))
"""


def test_a_submission_cannot_make_the_reference_raise_to_be_regraded(grade):
    """The probe closes over what the submission returned, so the exception is not the grader's fault."""
    assert grade(CLOSES_OVER_AN_ANSWER).points == 1
    result = grade(CLOSES_OVER_AN_ANSWER, submission="def half(n):\n    return 'no number'\n")
    assert (result.state, one(result).status) == (State.GRADED, Status.FAILED)
    assert one(result).message == "This check could not go on with what your code returned earlier in it."
    assert "test_quarter could not go on: the reference raises TypeError (" in result.log[0]


def test_a_submission_cannot_make_the_reference_return_what_cannot_be_compared(grade):
    module_or_half = CLOSES_OVER_AN_ANSWER.replace("m.half(half)", "half or m")
    assert grade(module_or_half).points == 1
    result = grade(module_or_half, submission="def half(n):\n    return 0\n")
    assert (result.state, one(result).status) == (State.GRADED, Status.FAILED)
    assert "which cannot be compared" in result.log[0]


# --- recordings ----------------------------------------------------------------------------------------------------


def test_a_class_is_graded_as_a_single_submission_is(engine, tmp_path):
    """Recordings: of a check whose reference is at fault there is none, and replaying the others honours `raises`."""
    accepts = check("half", 1, "m.half(2 * x)", name="even")
    root = str(course(tmp_path / "course", SLIP, ODD_IS_REFUSED, accepts))
    ends = []
    with Engine() as warmed_up:
        warmed_up.warm_up(WarmUp(root, "demo"))
        for source in (SOLUTION, "def half(n):\n    return n // 2\n", SOLUTION.replace("ValueError", "TypeError")):
            (tmp_path / "demo.py").write_text(source)
            submission = read_submission(tmp_path / "demo.py", "demo")
            results = [each.grade(Job(root, "demo", submission)) for each in (engine, warmed_up)]
            single, replayed = ([(c.name, c.status, c.message, c.counterexample) for c in r.checks] for r in results)
            assert single == replayed
            assert results[0].log == results[1].log
            ends.append({name: status.value for name, status, *_ in replayed})
    assert [each["slip"] for each in ends] == ["error"] * 3
    assert [each["half"] for each in ends] == ["passed", "failed", "failed"]
    assert [each["even"] for each in ends] == ["passed"] * 3


# --- verify --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faulty", "corrected", "words"),
    [
        (
            SLIP,
            SLIP.replace('["half"]', '["half of the number"]'),
            "check slip of half broke; test_demo.py::test_slip: the reference raises KeyError ('half') where a value "
            "was expected; correct the probe or the solution, or say raises=KeyError (test_demo.py, line 16)",
        ),
        (
            check("half", 1, "m.half(x)"),
            check("half", 1, "m.half(2 * x)"),
            "where a value was expected; correct the probe or the solution, or say raises=ValueError",
        ),
        (
            check("half", 1, "m.half(2 * x)", raises="ValueError"),
            ODD_IS_REFUSED,
            "the reference returns instead of raising ValueError",
        ),
    ],
    ids=["slip", "one of the drawn examples", "returns"],
)
def test_verify_names_the_check_whose_reference_is_at_fault_and_accepts_it_corrected(
    tmp_path, faulty, corrected, words
):
    run = autograder("verify", "demo", "--course", course(tmp_path / "faulty", faulty), columns=400)
    assert run.returncode == 1
    assert words in run.stdout + run.stderr
    run = autograder("verify", "demo", "--course", course(tmp_path / "corrected", corrected), columns=400)
    assert "the reference" not in run.stdout + run.stderr
    assert "broke" not in run.stdout + run.stderr
