"""`autograder report` as an instructor types it, and the numbers in it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.commands.report import run
from autograder.report.analysis import Analysis, timing_ratio, whole
from autograder.report.pages import Pages
from autograder.results.grids import compared, grid
from autograder.results.model import CheckResult, ExerciseResult, Result, Shown, State, Status, Timing
from command_line import autograder


def analysis_of(out: Path) -> Analysis:
    store = Store(out)
    analysis = Analysis(store.roll())
    for found, record in store.records(analysis.roll):
        analysis.add(found, record, whole(record))
    analysis.finish()
    return analysis


def test_success_and_discrimination_are_of_those_that_were_graded(graded_class):
    analysis = analysis_of(graded_class)
    pool, norm = analysis.exercises.values()
    assert (len(analysis.rows), len(analysis.graded), len(analysis.missing)) == (14, 13, 1)
    assert pool.success == pytest.approx((13 * 5 + 6 * 5) / 130)
    assert norm.success == pytest.approx(3 * 5 / 130)
    assert 0 < pool.discrimination < 1
    assert analysis.checks["norm", "mean"].statuses[Status.TIMEOUT] == 10


def test_misconceptions_are_counted_once_a_submission_and_shown_by_an_example(graded_class):
    (known,) = analysis_of(graded_class).frequent(5)
    assert (known.name, known.exercise, known.submissions) == ("pads", "pool", 7)
    assert known.example is not None


def test_the_pages_name_no_other_machine(graded_class):
    for path in (graded_class / "report.html", graded_class / "feedback" / "s0.html"):
        text = re.sub(r'xmlns(:\w+)?="[^"]*"', "", path.read_text())
        assert "http" not in text.replace("http-equiv", "")
        assert "default-src 'none'" in text


def test_what_the_report_says_of_trouble(graded_class):
    text = (graded_class / "report.html").read_text()
    assert "<b>missing</b>: not graded yet" in text
    assert "No check of this assignment was timed." in text
    assert "identical to another" in text


def test_the_pages_name_what_was_graded_and_what_was_not(graded_class):
    page = " ".join(re.sub("<[^>]+>", "", (graded_class / "feedback" / "s0.html").read_text()).split())
    graded = r"Graded: pooling\.ipynb, 12 code cells, handed in late; graded on \d{4}-\d\d-\d\d \d\d:\d\d UTC\."
    assert re.search(graded + r" Left out: notes\.txt, data\.csv\.", page)
    assert "No file was graded; graded on" in (graded_class / "feedback" / "s1.html").read_text()
    lines = (graded_class / "report.html").read_text().splitlines()
    row = next(line for line in lines if line.startswith("<tr>") and "student00" in line)
    assert '<td class="text">pooling.ipynb, 12 code cells</td><td class="text">notes.txt, data.csv</td>' in row
    assert '<td class="text">late</td>' in row


def test_timing_ratios_are_shown_where_there_are_any(tmp_path):
    def timed(ratio: float) -> CheckResult:
        timing = Timing(ratio, 1.0, 2.0, 8.0, "cpu", 9, 0.02, 0.016)
        return CheckResult("pool", "speed", "Fast enough.", Status.PASSED, 5.0, 5.0, timing=timing)

    assert timing_ratio(timed(1.25)) == 1.25
    assert timing_ratio(timed(math.inf)) is None
    assert timing_ratio(replace(timed(1.25), timing=None)) is None
    result = Result("tiny", "Tiny", "ada", State.GRADED, (ExerciseResult("pool", 5.0, (timed(1.25),)),))
    found = (Found("ada", "ada", "/nowhere", (Student("ada"),)),)
    with Store(tmp_path) as store:
        store.call(Roll("tiny", "Tiny", {"pool": 5.0}, found))
        store.adopt(found[0], record_of(result, "f", Graded()))
    assert run(tmp_path) == 0
    assert "medians: pool 1.25" in (tmp_path / "report.html").read_text()
    assert "1.25 times the reference" in (tmp_path / "feedback" / "ada.html").read_text()


def test_what_was_not_measured_is_counted(tmp_path):
    check = CheckResult("pool", "speed", "Fast enough.", Status.EXCUSED, 5.0, 5.0)
    result = Result("tiny", "Tiny", "ada", State.GRADED, (ExerciseResult("pool", 5.0, (check,)),))
    found = (Found("ada", "ada", "/nowhere", (Student("ada"),)),)
    with Store(tmp_path) as store:
        store.call(Roll("tiny", "Tiny", {"pool": 5.0}, found))
        store.adopt(found[0], record_of(result, "f", Graded()))
    assert analysis_of(tmp_path).troubles["not measured"] == 1
    assert run(tmp_path) == 0
    page = (tmp_path / "report.html").read_text()
    assert "Not measured</th>" in page
    assert "<td>–</td><td></td><td>1</td><td>–</td></tr>" in page


def test_a_tensor_of_several_slices_becomes_a_grid_for_each():
    shown = Shown("x", "1×2×2×2 float32", "[0, 0]\n1  2\n3  4\n[0, 1]\n-1  …\n… (9 rows)\n(3 more slices)")
    first, second = grid(shown, "x").blocks
    assert (first.title, second.title) == ("[0, 0]", "[0, 1]")
    assert [[cell.value for cell in row] for row in first.rows] == [[1, 2], [3, 4]]
    assert second.rows[0][1].text == "…"
    assert second.note == "(3 more slices)"


@pytest.mark.parametrize("text", ["hello world", "1 2\nthree", "(no entries)", ""])
def test_what_is_no_table_of_numbers_stays_text(text):
    assert grid(Shown("x", "2×2 float32", text), "x").blocks == ()


def test_equal_numbers_get_equal_colours_in_expected_and_got():
    expected, got, difference = compared(Shown("", "(3,) int64", "1  2  4"), Shown("", "(3,) int64", "1  2  -8*"))
    assert [cell.shade for cell in expected.blocks[0].rows[0]] == [0.12, 0.25, 0.5]
    assert [cell.shade for cell in got.blocks[0].rows[0]] == [0.12, 0.25, -1.0]
    assert [cell.text for cell in difference.blocks[0].rows[0]] == ["0", "0", "−12"]


def test_other_shapes_and_equal_values_have_no_difference():
    assert compared(Shown("", "1×2 int64", "1  2"), Shown("", "2×1 int64", "1\n2"))[2] is None
    assert compared(Shown("", "1×2 int64", "1  2"), Shown("", "1×2 float32", "1  2"))[2] is None


def test_a_folder_without_results_is_one_sentence_and_exit_code_2(tmp_path):
    done = autograder("report", tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "has no results" in done.stderr


def test_a_page_speaks_of_one_point_and_of_two_points():
    checks = tuple(CheckResult("pool", f"c{n}", "It works.", Status.PASSED, n, n) for n in (1.0, 2.0))
    result = Result("tiny", "Tiny", "ada", State.GRADED, (ExerciseResult("pool", 3.0, checks),))
    page = Pages().feedback(Found("ada", "ada", "", ()), record_of(result, "f", Graded()), result).decode()
    assert "It works. (1 point)" in page
    assert "It works. (2 points)" in page
