"""From a platform's export to its import: every grade stays with the right person. Nothing is graded here."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from autograder.batch import contents, gradebook
from autograder.batch.discovery import discover
from autograder.batch.store import Roll, Store, record_of
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from batch import exports
from batch.exports import CLASS
from batch.tiny_course import RIGHT as SOLVED
from batch.tiny_course import WRONG, batch
from command_line import autograder
from toy_course import write_files


def _points(points: float) -> Result:
    check = CheckResult("pool", "plain", "Pools.", Status.FAILED, 100.0, points)
    return Result("pooling", "Pooling", "x", State.GRADED, (ExerciseResult("pool", 100.0, (check,)),))


def back(folder: Path, out: Path) -> tuple[list[str], dict[str, list[dict[str, str]]]]:
    """What is left out, and the rows of the tables, if every submission gets the points that its own file says."""
    roster = discover(folder, "pooling")
    with Store(out) as store:
        store.call(Roll("pooling", "Pooling", {"pool": 100.0}, tuple(roster.found)))
        for found in roster.found:
            submission, graded = contents.read(found, "pooling")
            text = "\n".join(cell.source for cell in submission.cells)
            points = int(re.search(r"POINTS = (\d+)", text)[1])
            store.adopt(found, record_of(_points(points), "f", graded))
        gradebook.write(store)
    tables = {}
    for path in out.glob("*.csv"):
        with open(path, encoding="utf-8-sig", newline="") as file:
            tables[path.name] = list(csv.DictReader(file))
    return roster.left_out, tables


RIGHT = {person.number: str(person.points) for person in CLASS}


@pytest.mark.parametrize("folders", [True, False], ids=["folders", "files"])
@pytest.mark.parametrize("blind", [False, True], ids=["named", "blind"])
def test_moodle(tmp_path, folders, blind):
    left_out, tables = back(exports.moodle(tmp_path / "in", folders=folders, blind=blind), tmp_path / "out")
    assert exports.back_in_moodle(tables["grades-moodle.csv"]) == RIGHT
    ids = [row["ID"] for row in tables["grades.csv"]]
    assert sorted(ids) == sorted(f"Participant {number}" for number in RIGHT)
    name = "Participant" if blind else "Only Text"
    assert left_out == [f"{name} (999) is left out: only text typed into Moodle was handed in, and no file"]
    assert exports.back_in_canvas(tables["grades.csv"], "pooling (total)").keys().isdisjoint(RIGHT)  # not Canvas' IDs


def test_canvas(tmp_path):
    left_out, tables = back(exports.canvas(tmp_path / "in", anonymous=False), tmp_path / "out")
    assert exports.back_in_canvas(tables["grades.csv"], "pooling (total)") == RIGHT
    assert left_out == ["onlytext (999) is left out: only text typed into Canvas was handed in, and no file"]
    assert list(tables) == ["grades.csv"]


def test_canvas_without_names(tmp_path):
    _, tables = back(exports.canvas(tmp_path / "in", anonymous=True), tmp_path / "out")
    points = exports.back_in_canvas(tables["grades.csv"], "pooling (total)")
    assert points == {f"anon_{exports._anonymous(person)}": str(person.points) for person in CLASS}


def test_gradescope(tmp_path):
    left_out, tables = back(exports.gradescope(tmp_path / "in"), tmp_path / "out")
    right = RIGHT | {CLASS[-2].number: str(CLASS[-1].points)}  # a group
    assert exports.back_in_canvas(tables["grades.csv"], "pooling (total)") == right
    assert "submission_1 is left out: Ada Lovelace is also in submission_100, which is later" in left_out


def test_nbgrader(tmp_path):
    left_out, tables = back(exports.nbgrader(tmp_path / "in"), tmp_path / "out")
    assert exports.back_in_canvas(tables["grades.csv"], "pooling (total)") == RIGHT
    assert left_out == ["nobody handed in nothing for pooling"]


@pytest.mark.slow
def test_a_download_is_graded_and_everyone_sees_what_counted(course, tmp_path):
    files = {
        "lovelaceada_815_90_tiny.py": WRONG,
        "lovelaceada_815_95_tiny-1.py": SOLVED,
        "lovelaceada_815_96_notes.txt": "Sorry.",
        "李小龍_LATE_816_91_tiny.py": WRONG,
        "Alex Kim_31_assignsubmission_file_/tiny.py": SOLVED,
        "Alex Kim_32_assignsubmission_file_/tiny.py": WRONG,
    }
    out = tmp_path / "out"
    done = batch(course, write_files(tmp_path / "in", files), out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "lovelaceada (815): tiny-1.py is graded, and not tiny.py" in done.stdout
    assert "4 submissions: 2 graded, 2 identical to another" in done.stdout
    with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
        grades = {row["ID"]: row["tiny (total)"] for row in csv.DictReader(file)}
    assert grades == {"815": "5", "816": "3", "Participant 31": "5", "Participant 32": "3"}
    with open(out / "grades-moodle.csv", encoding="utf-8-sig", newline="") as file:
        assert exports.back_in_moodle(list(csv.DictReader(file))) == {31: "5", 32: "3"}
    (tmp_path / "in" / "李小龍_LATE_816_92_more.txt").write_text("More.")
    again = batch(course, tmp_path / "in", out)
    assert "4 submissions: 4 unchanged since the last run" in again.stdout
    assert "tiny-1.py is graded, and not tiny.py" in again.stdout
    assert "1 submission: 1 unchanged" in batch(course, tmp_path / "in", out, "--only", "Participant 31").stdout
    assert autograder("report", out).returncode == 0
    ada, li = ((out / "feedback" / f"{name}.html").read_text() for name in ("lovelaceada_815", "李小龍_816"))
    assert "Graded: <b>tiny-1.py</b>; graded on" in ada
    assert "Left out: notes.txt, tiny.py." in ada
    assert "Graded: <b>tiny.py</b>, handed in late; graded on" in li
    assert "Left out: more.txt." in li  # although nothing was graded again
    assert "tiny-1.py is graded, and not tiny.py" in (out / "report.html").read_text()
    assert "among 4 submissions" in autograder("similar", out, "--course", course).stdout
