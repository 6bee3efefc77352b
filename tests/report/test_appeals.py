"""The checks at which a grader is probably wrong."""

from __future__ import annotations

import ast

import pytest
from msgspec.structs import replace

from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.commands.report import run
from autograder.fingerprint import Parts
from autograder.report.appeals import Appeals, Cluster, Suspect
from autograder.results.model import CheckResult, ExerciseResult, Result, Shown, State, Status
from report.doubtful_class import KINDS, PLANTED, answer, class_of_200
from report.hostile_class import HOSTILE

PARTS = Parts("graders", "solution", "engine", "salt", "nothing", "code", "file")


def suspects(results: list[Result]) -> list[Suspect]:
    appeals = Appeals()
    for number, result in enumerate(results):
        appeals.add(f"student{number}", result)
    return appeals.suspects()


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_class_of_200_a_wrong_check_is_on_top(kind):
    first, *others = suspects(class_of_200(kind))
    assert (first.exercise, first.name) == PLANTED
    assert len(first.reasons) >= (2 if kind == "refuses right answers" else 1)
    assert all(first.weight > 2 * other.weight for other in others)


def test_equal_answers_that_nothing_explains_are_one_cluster_with_an_example():
    first = suspects(class_of_200("refuses right answers"))[0]
    assert first.discrimination < 0
    [cluster] = first.clusters
    assert cluster.submissions == first.unexplained
    assert cluster.check.counterexample == answer("1  2.5")
    assert len(cluster.labels) == 5
    assert first.reasons[1] == f"{cluster.submissions} gave the same answer, which no known mistake explains."


def result(*checks: CheckResult, depends_on: tuple[str, ...] = ()) -> Result:
    exercises = (ExerciseResult("pool", 4, checks, depends_on), ExerciseResult("rest", 4, (passed("rest", "all", 4),)))
    return Result("tiny", "Tiny", "", State.GRADED, exercises)


def passed(exercise: str = "pool", name: str = "other", points: float = 2) -> CheckResult:
    return CheckResult(exercise, name, "", Status.PASSED, points, points)


FAILS = CheckResult("pool", "wrong", "", Status.FAILED, 2, counterexample=answer("1  1"))


@pytest.mark.parametrize(
    "graded",
    [
        pytest.param(result(passed(), replace(FAILS, misconception="pads")), id="a known mistake explains it"),
        pytest.param(result(passed(), FAILS, depends_on=("rest",)), id="another exercise explains it"),
        pytest.param(result(passed(), replace(FAILS, status=Status.ERROR)), id="our own failure"),
        pytest.param(result(passed(), replace(FAILS, status=Status.EXCUSED, points=2.0)), id="not measured"),
    ],
)
def test_what_is_no_evidence_against_a_check(graded):
    assert suspects([graded] * 20) == []
    blank = result(*(replace(FAILS, name=name, answered=False) for name in ("wrong", "other")))
    assert suspects([blank] * 9 + [result(passed(), passed(name="wrong"))] * 11) == []
    assert [(each.name, each.failed) for each in suspects([result(passed(), FAILS)] * 20)] == [("wrong", 20)]


def test_an_exercise_in_which_most_of_the_class_answers_nothing_is_suspect_as_a_whole():
    blank = result(*(replace(FAILS, name=name, answered=False) for name in ("wrong", "other")))
    found = suspects([blank] * 20 + [result(passed(), passed(name="wrong"))] * 5)
    assert [(each.name, each.failed, each.asked) for each in found] == [("other", 20, 25), ("wrong", 20, 25)]


def test_a_draft_is_python_whatever_students_hand_in():
    text = HOSTILE + "\"\"\"\nimport os\u2028import sys\r\n'''"
    example = replace(answer(text), call=text, expected=Shown("", "str", text))
    draft = Cluster(replace(FAILS, counterexample=example), 2, [text, text]).draft
    [function] = ast.parse(draft).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.unparse(function) == "@misconception('pool', hint='')\ndef to_be_named(*arguments):\n    ..."


def test_the_report_shows_them_with_examples_and_who_changed_since_last_time(tmp_path):
    found = tuple(Found(f"s{number}", f"s{number}", "/nowhere", (Student(f"s{number}"),)) for number in range(4))
    with Store(tmp_path) as store:
        store.call(Roll("tiny", "Tiny", {"pool": 4.0, "rest": 4.0}, found))
        for each in found:
            store.adopt(each, record_of(result(passed(), passed(name="wrong")), "f", Graded(), made_from=PARTS))
        for each in found[:3]:
            now = record_of(result(passed(), FAILS), "g", Graded(), made_from=replace(PARTS, graders="others"))
            store.adopt(each, now)
    assert run(tmp_path) == 0
    page = (tmp_path / "report.html").read_text()
    start = page[page.index('id="appeals"') : page.index('id="exercises"')]
    assert "<li>3 of 4 failed it, and known mistakes explain none of them.</li>" in start
    assert "<li>Changed since last time: 3 down, 0 up.</li>" in start
    assert "s0, s1, s2" in start
    assert "@misconception(&#34;pool&#34;" in start
    assert '<td data-value="-2.0">−2 <span class="soft">grader</span></td>' in page
    assert page.count("<td>3 down, 0 up</td>") == 1
    assert page.count("<td></td><td>0.00</td>") >= 1  # who was graded once has no change
