"""Which misconception explains wrong answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.grading import diagnosis as diagnosing
from autograder.grading.diagnosis import Diagnosis, Evidence
from autograder.grading.recording import RecordedQuestion
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.values import Frame, Opaque, Outcome, Raised, Returned
from toy_course import toy_course

SOLUTION = """\
def root(x):
    if x < 0:
        raise ValueError("x must not be negative")
    return x ** 0.5
"""
MISCONCEPTIONS = """\
from autograder.grading import misconception


@misconception("root", hint="Does your loop end?", crashes=True)
def never_ends(x):
    while True:
        pass


@misconception("root", hint="Another exception.")
def raises_another(x):
    if x < 0:
        raise TypeError("x must not be negative")
    return x ** 0.5


@misconception("root", hint="Not of 4.")
def lets_python_complain(x):
    if x < 0:
        raise ValueError("x must not be negative")
    return {1: 1.0, 9: 3.0}[x]


@misconception("root", hint="Half.")
def halves(x):
    if x < 0:
        raise ValueError("x must not be negative")
    return x / 2


@misconception("root", hint="What is returned?")
def returns_a_function(x):
    return root if x < 0 else x ** 0.5
"""


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosing, "PATIENCE_SECONDS", 0.5)


@pytest.fixture
def diagnosis(tmp_path: Path) -> Diagnosis:
    course = toy_course(tmp_path, exercises={"root": 1}, solution=SOLUTION, misconceptions=MISCONCEPTIONS)
    return Diagnosis(load_assignment(course, "demo"))


def probe(x: float) -> bytes:
    return shipping.dumps(lambda m: m.root(x))


def wrong(x: float, got: Outcome) -> Evidence:
    return Evidence(probe(x), 0, got)


def right(x: float, expected: Outcome) -> RecordedQuestion:
    return RecordedQuestion(Question(probe(x)), expected)


def told(diagnosis: Diagnosis, *evidence: Evidence, passed: tuple[RecordedQuestion, ...] = ()) -> str:
    found = diagnosis.explain("root", evidence, passed)
    return found.name if found else ""


OWN = Raised(
    "TypeError", ("TypeError", "Exception"), "no roots of -1", (Frame("root.py", 3, "root", "raise TypeError()"),)
)
PYTHONS = Raised("KeyError", ("KeyError", "LookupError", "Exception"), "4", (Frame("root.py", 3, "root", "x = t[y]"),))


def test_the_students_own_exception_needs_only_the_kind(diagnosis: Diagnosis) -> None:
    assert told(diagnosis, wrong(-1, OWN)) == "raises_another"


def test_an_exception_of_pythons_must_say_the_same(diagnosis: Diagnosis) -> None:
    assert told(diagnosis, wrong(4, PYTHONS)) == "lets_python_complain"
    other = Raised("KeyError", PYTHONS.builtins, "'weight'", PYTHONS.frames)
    assert told(diagnosis, wrong(4, other)) == ""


def test_every_wrong_answer_must_be_explained(diagnosis: Diagnosis) -> None:
    assert told(diagnosis, wrong(9, Returned(4.5))) == "halves"
    assert told(diagnosis, wrong(9, Returned(4.5)), wrong(-1, OWN)) == ""


def test_a_candidate_is_right_where_the_submission_was(diagnosis: Diagnosis) -> None:
    assert told(diagnosis, wrong(9, Returned(4.5)), passed=(right(4, Returned(2.0)),)) == "halves"
    assert told(diagnosis, wrong(9, Returned(4.5)), passed=(right(1, Returned(1.0)),)) == ""


def test_something_that_cannot_be_compared_is_known_by_its_type(diagnosis: Diagnosis) -> None:
    returned = diagnosis._outcome(diagnosis.known[-1], probe(-1), 0)
    assert isinstance(returned, Returned)
    assert isinstance(returned.value, Opaque)
    assert told(diagnosis, wrong(-1, returned)) == "returns_a_function"
    assert told(diagnosis, wrong(-1, Returned(Opaque("a Sequential")))) == ""


def test_nothing_wrong_is_explained_by_nothing(diagnosis: Diagnosis) -> None:
    assert told(diagnosis, passed=(right(4, Returned(2.0)),)) == ""


ENDLESS = """

@misconception("root", hint="Does your loop end for every x?")
def ends_for_four(x):
    while x != 4:
        pass
    return 1.0
"""


def test_a_variant_that_does_not_end_costs_one_hint_at_most(tmp_path: Path) -> None:
    first = MISCONCEPTIONS.replace("misconception\n", f"misconception\n{ENDLESS}", 1)
    course = toy_course(tmp_path, exercises={"root": 1}, solution=SOLUTION, misconceptions=first)
    found = Diagnosis(load_assignment(course, "demo"))
    assert told(found, wrong(9, Returned(4.5))) == ""
    assert told(found, wrong(9, Returned(4.5))) == "halves"
    fresh = Diagnosis(load_assignment(course, "demo"))
    assert told(fresh, wrong(4, Returned(1.0)), passed=(right(9, Returned(3.0)),)) == ""
