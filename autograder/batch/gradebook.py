"""`grades.csv`: one row per student, one column per exercise, for import into Canvas and for spreadsheets. The first
five columns are Canvas' own; a last one says what penalties and the cap take off, if they take anything off.

`grades-moodle.csv`: the total of each participant of a Moodle assignment, with the columns that its grading worksheet
must have. A student who could not be graded has empty cells: our failure is never a student's zero.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from autograder.batch.downloads import PARTICIPANT
from autograder.batch.store import Record, Store
from autograder.output import atomic
from autograder.results.feedback import points_text
from autograder.results.model import State

FILE, MOODLE = "grades.csv", "grades-moodle.csv"
_WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_WORKSHEET = ("Identifier", "Full name", "Grade", "Last modified (grade)")


def write(store: Store) -> None:
    """Raises UsageError: the file cannot be written."""
    roll = store.roll()
    names = [f"{name} (bonus)" if name in roll.bonus else name for name in roll.exercises]
    rows = [[*_WHO, f"{roll.assignment} (total)", *(f"{roll.assignment}: {name}" for name in names)]]
    taken_off = [""]
    worksheet = [list(_WORKSHEET)]
    for found, record in store.records(roll):
        graded = record is not None and record.state is State.GRADED
        cells = [""] * (1 + len(roll.exercises))
        if record is not None and graded:
            cells = [points_text(record.points), *(_score(record, name) for name in roll.exercises)]
        for student in found.students:
            rows.append([*map(text_cell, (student.name, student.id, student.sis_id, student.login)), "", *cells])
            taken_off.append(_taken_off(record) if record is not None and graded else "")
            if student.id.startswith(PARTICIPANT):
                worksheet.append(
                    [student.id, text_cell(student.name), cells[0], record.at if record and graded else ""]
                )
    if any(taken_off):
        taken_off[0] = f"{roll.assignment} (taken off)"
        rows = [[*row, cell] for row, cell in zip(rows, taken_off, strict=True)]
    write_table(store.folder / FILE, rows)
    if len(worksheet) > 1:
        write_table(store.folder / MOODLE, worksheet)
    else:  # one of an earlier run would be out of date
        (store.folder / MOODLE).unlink(missing_ok=True)


def _taken_off(record: Record) -> str:
    """By penalties or the cap; empty if nothing is."""
    points = round(sum(record.scores.values()) - record.points, 6)
    return points_text(points) if points > 0 else ""


def _score(record: Record, exercise: str) -> str:
    """Empty if the exercise is newer than the result."""
    return points_text(record.scores[exercise]) if exercise in record.scores else ""


def write_table(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """A CSV file as spreadsheets read it; raises UsageError if it cannot be written."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    atomic.replace(path, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"))


def text_cell(cell: str) -> str:
    """Makes a name that a spreadsheet would read as a formula plain text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
