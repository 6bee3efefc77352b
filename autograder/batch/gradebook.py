"""`grades.csv`: one row per student, one column per exercise, for import into Canvas and Moodle and for spreadsheets.

The first five columns are Canvas' own; Moodle asks which column is which. A student who could not be graded has empty
cells, which both leave alone: our failure is never a student's zero.
"""

from __future__ import annotations

import csv
import io

from autograder.batch.store import Store
from autograder.output import atomic
from autograder.results.feedback import points_text
from autograder.results.model import State

FILE = "grades.csv"
_WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def write(store: Store) -> None:
    """Raises UsageError: the file cannot be written."""
    roll = store.roll()
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([*_WHO, f"{roll.assignment} (total)", *(f"{roll.assignment}: {name}" for name in roll.exercises)])
    for found, record in store.records(roll):
        graded = record is not None and record.state is State.GRADED
        cells = [""] * (1 + len(roll.exercises))
        if record is not None and graded:
            cells = [points_text(record.points), *(points_text(record.scores.get(name, 0)) for name in roll.exercises)]
        for student in found.students:
            rows.writerow([*map(_text, (student.name, student.id, student.sis_id, student.login)), "", *cells])
    atomic.replace(store.folder / FILE, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"))


def _text(cell: str) -> str:
    """Makes a name that a spreadsheet would read as a formula plain text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
