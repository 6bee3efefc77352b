"""Notebooks as they come back from students get the structure of the released one."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("nbgrader")

import nbformat
from nbconvert.exporters import HTMLExporter
from nbgrader.nbgraderformat import MetadataValidator

from autograder.course.skeletons import source_notebook
from autograder.platforms.nbgrader.submitted import repaired
from autograder.submissions.sources import NotebookCell

PNG = {"image/png": "iVBORw0KGgo="}
SOLUTION = (
    "# %% [markdown]\n# Title\n\n# %%\n### BEGIN SOLUTION\na = 1\n### END SOLUTION\n\n"
    "# %% [markdown]\n# Text\n\n# %%\n### BEGIN SOLUTION\nb = 2\n### END SOLUTION\n"
)


@pytest.fixture(scope="module")
def template() -> Any:
    return nbformat.reads(source_notebook(SOLUTION, {"a": 1, "b": 2}), as_version=4)


def shape(template: Any, *cells: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """The repaired cells as (kind, source, mark), after nbformat and nbgrader have found nothing wrong with them."""
    book = repaired([NotebookCell(*cell) for cell in cells], template)
    nbformat.validate(book)
    MetadataValidator().validate_nb(book)
    return [(cell.cell_type, cell.source, cell.metadata.get("nbgrader", {}).get("grade_id", "")) for cell in book.cells]


SETUP = ("code", "# Run this first: with %check, each exercise below can be tested.\n%load_ext autograder", "setup")
TEST_A, TEST_B = ("code", "%check a", "test_a"), ("code", "%check b", "test_b")
A, B = ("code", "a = 10", "a"), ("code", "b = 20", "b")
TITLE, OWN = ("markdown", "# Title", ""), ("code", "own = 1", "")


def test_an_ordinary_notebook_stays_as_it_is(template: Any) -> None:
    cells = [TITLE, SETUP, A, TEST_A, OWN, B, TEST_B]
    assert shape(template, *cells) == cells


def test_missing_cells_come_back_behind_their_neighbours(template: Any) -> None:
    assert shape(template, TITLE, SETUP, A, OWN, B) == [TITLE, SETUP, A, TEST_A, OWN, B, TEST_B]
    assert shape(template, TITLE, OWN, TEST_B) == [
        TITLE,
        SETUP,
        ("code", template.cells[2].source, "a"),
        TEST_A,
        ("code", template.cells[5].source, "b"),
        OWN,
        TEST_B,
    ]


def test_altered_test_cells_are_as_released(template: Any) -> None:
    assert shape(template, TITLE, SETUP, A, ("markdown", "1e9", "test_a"), B, ("code", "1e9", "test_b")) == [
        *(TITLE, SETUP, A, TEST_A),
        *(B, TEST_B),
    ]


def test_of_repeated_cells_the_last_counts(template: Any) -> None:
    again = ("code", "a = 11", "a")
    assert shape(template, TITLE, SETUP, A, TEST_A, again, TEST_A, B, TEST_B) == [
        *(TITLE, SETUP, ("code", "a = 10", ""), ("code", "%check a", ""), again, TEST_A),
        *(B, TEST_B),
    ]


def test_pasted_pictures_stay_and_lost_ones_do_not_break_the_feedback(template: Any) -> None:
    text = "![a](attachment:my%20a.png) ![a](attachment:ä.png) ![b](attachment:lost.png)"
    cells = [NotebookCell("markdown", text, attachments=dict.fromkeys(["my a.png", "ä.png"], PNG))]
    book = repaired(cells, template)
    nbformat.validate(book)
    assert book.cells[0].attachments["my a.png"] == PNG
    html, _ = HTMLExporter().from_notebook_node(book)
    assert html.count("data:image/png;base64,iVBORw0KGgo=") == 2


def test_unknown_marks_mean_nothing(template: Any) -> None:
    cells = shape(template, TITLE, SETUP, A, TEST_A, B, TEST_B, ("code", "1e9", "test_c"), ("raw", "x", "cell"))
    assert cells[-2:] == [("code", "1e9", ""), ("raw", "x", "")]


def test_an_empty_notebook_gets_every_marked_cell(template: Any) -> None:
    assert [mark for _, _, mark in shape(template)] == ["setup", "a", "test_a", "b", "test_b"]
