"""The page of `autograder compare --html`."""

from __future__ import annotations

from autograder.batch.changes import Change, CheckChange, Comparison, Grade, Kind
from autograder.report.pages import Pages
from autograder.results.model import Status
from report.hostile_class import HOSTILE


def test_the_page_shows_who_moves_and_keeps_text_text():
    check = CheckChange("pool", "padded", HOSTILE, Status.PASSED, Status.FAILED, -2.0, HOSTILE)
    changes = [
        Change(HOSTILE, Kind.FALLS, Grade(4, 4), Grade(2, 4), ("grader",), (check,)),
        Change("unlucky", Kind.FAILED, Grade(4, 4), None, ("grader",), ()),
        Change("same", Kind.SAME, Grade(4, 4), Grade(4, 4), (), ()),
    ]
    page = Pages().changes(Comparison("Tiny", "old", "new", changes)).decode()
    assert page.count("<script>") == 1  # our own
    assert "<img" not in page
    assert '<td>4 of 4</td><td>2 of 4</td><td data-value="-2">−2</td><td class="text">falls</td>' in page
    assert '<td>4 of 4</td><td>–</td><td data-value="0.0"></td><td class="text">could not be graded</td>' in page
    assert "<td>same</td>" not in page
    assert "3 submissions: 1 falls, 1 keeps its grade, 1 could not be graded. Changed: grader (2)." in page
    assert "http" not in page.replace("http-equiv", "")
