"""`grades.csv`: who gets which row, and that a name is never more than text."""

from __future__ import annotations

import csv
import re

import msgspec

from autograder.batch import gradebook
from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from results import result_samples as samples


def rows_of(folder, found, results):
    with Store(folder) as store:
        store.call(Roll("tiny", "Tiny", {"double": 3.0}, tuple(found)))
        for each, result in zip(found, results, strict=False):
            store.adopt(each, record_of(result, "f", Graded()))
        gradebook.write(store)
    with open(folder / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def result(points: float, state: State = State.GRADED) -> Result:
    check = CheckResult("double", "plain", "Twice.", Status.FAILED, 3.0, points)
    return Result("tiny", "Tiny", "x", state, (ExerciseResult("double", 3.0, (check,)),))


def test_each_member_of_a_group_has_a_row_with_the_groups_points(tmp_path):
    members = Student("Ada", "7", "0815", "ada@example.org"), Student("Grace", login="grace@example.org")
    rows = rows_of(tmp_path, [Found("g", "g", "/", members)], [result(2 / 3)])
    assert rows[1:] == [
        ["Ada", "7", "0815", "ada@example.org", "", "0.67", "0.67"],
        ["Grace", "", "", "grace@example.org", "", "0.67", "0.67"],
    ]


def test_a_name_that_a_spreadsheet_would_compute_is_text(tmp_path):
    names = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", 'quote", and comma', "Zoë"]
    found = [Found(f"s{number}", name, "/", (Student(name),)) for number, name in enumerate(names)]
    rows = rows_of(tmp_path, found, [result(1)] * len(names))
    assert [row[0] for row in rows[1:]] == [*(f"'{name}" for name in names[:4]), *names[4:]]


def test_who_has_no_result_or_our_error_has_empty_cells_and_no_zero(tmp_path):
    found = [Found(name, name, "/", (Student(name),)) for name in ("graded", "broken", "waiting")]
    rows = rows_of(tmp_path, found, [result(0), result(0, State.ERROR)])
    assert [row[5:] for row in rows[1:]] == [["0", "0"], ["", ""], ["", ""]]


def test_a_bonus_is_a_column_and_what_is_taken_off_the_last_one(tmp_path):
    students = [Found(name, name, "/", (Student(name),)) for name in ("penalised", "fine", "missing")]
    extras = samples.with_extras()
    fine = msgspec.structs.replace(extras, exercises=extras.exercises[1:])
    with Store(tmp_path) as store:
        points = {each.name: each.max_points for each in extras.exercises}
        store.call(Roll("pooling", "Pooling", points, tuple(students), bonus=("power",)))
        for each, result in zip(students, (extras, fine), strict=False):
            store.adopt(each, record_of(result, "f", Graded()))
        gradebook.write(store)
        assert store.roll().max_points == 10
    with open(tmp_path / "grades.csv", encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[5:] == [
        *(f"pooling{end}" for end in (" (total)", ": double", ": triple", ": power (bonus)", " (taken off)")),
    ]
    assert [row[5:] for row in rows] == [["6.5", "4", "2", "3", "2.5"], ["5", "", "2", "3", ""], ["", "", "", "", ""]]


def test_moodles_worksheet_is_there_only_for_its_participants(tmp_path):
    moodle = Found("a", "Ada (7)", "/", (Student("=Ada", id="Participant 7"),))
    other = Found("b", "b", "/", (Student("Bob", id="8"),))
    rows_of(tmp_path, [moodle, other], [result(1)])
    with open(tmp_path / "grades-moodle.csv", encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["Identifier", "Full name", "Grade", "Last modified (grade)"]
    assert row[:3] == ["Participant 7", "'=Ada", "1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", row[3])
    rows_of(tmp_path, [other], [])
    assert not (tmp_path / "grades-moodle.csv").exists()
