"""Which assignment a submission is for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from autograder.course import Assignment
from autograder.course.assignment import Submitted
from autograder.platforms.choosing import choose

TITLES = {"pooling": "Pooling from scratch", "batchnorm": "Batch normalisation", "modern": "What came after ResNet"}
ASSIGNMENTS = {slug: Assignment(slug, Path("/"), title, {"e": 1.0}) for slug, title in TITLES.items()}
OTHER_TITLES = dict.fromkeys(TITLES, ()) | {"batchnorm": ("Homework 4",)}


@pytest.mark.parametrize(
    ("file", "title", "default", "chosen"),
    [
        ("pooling.py", "", "", "pooling"),
        ("pooling.ipynb", "Homework 1", "", "pooling"),
        ("pooling.py", "HW 1: pooling", "modern", "pooling"),
        ("main.py", "Pooling from scratch", "modern", "pooling"),
        ("main.py", "HW 2 (BATCH   normalisation)", "", "batchnorm"),
        ("main.py", "homework 4", "", "batchnorm"),
        ("main.py", "Assignment 3: modern!", "", "modern"),
        ("main.py", "Homework 9", "modern", "modern"),
        ("main.py", "modernity", "", None),
        ("main.py", "pooling and batchnorm", "", None),
        ("main.py", "Homework 9", "nonsense", None),
        ("main.py", "", "", None),
    ],
)
def test_the_file_the_title_and_the_image_are_asked_in_this_order(
    tmp_path: Path, file: str, title: str, default: str, chosen: str | None
) -> None:
    (tmp_path / file).write_text("")
    choice = choose(tmp_path, title, default, ASSIGNMENTS, OTHER_TITLES)
    assert (choice.assignment.slug if choice.assignment else None) == chosen
    assert bool(choice.refusal) == (chosen is None)


@pytest.mark.parametrize(("title", "default"), [("HW 2: batchnorm", ""), ("Homework 4", "pooling"), ("", "batchnorm")])
def test_an_easier_assignment_brings_no_points_here(tmp_path: Path, title: str, default: str) -> None:
    (tmp_path / "pooling.py").write_text("")
    choice = choose(tmp_path, title, default, ASSIGNMENTS, OTHER_TITLES)
    assert choice.assignment is ASSIGNMENTS["batchnorm"]
    assert "hand in batchnorm.py or batchnorm.ipynb" in choice.refusal


def test_where_none_fits_the_instructor_is_told_what_to_do(tmp_path: Path) -> None:
    choice = choose(tmp_path, "Homework 9", "", ASSIGNMENTS, OTHER_TITLES)
    assert "'Homework 9' matches none" in choice.reason
    assert "titles = " in choice.reason


def test_an_only_assignment_needs_no_name(tmp_path: Path) -> None:
    choice = choose(tmp_path, "Homework 9", "", {"modern": ASSIGNMENTS["modern"]}, {"modern": ()})
    assert choice.assignment is ASSIGNMENTS["modern"]


@pytest.mark.parametrize(
    ("files", "title", "chosen", "refused"),
    [
        (["modern.py", "pooling.py"], "", "modern", False),
        (["modern.py", "pooling.py"], "Pooling from scratch", "pooling", False),
        (["main.py", "pooling_tools.py"], "HW 3: modern", "modern", False),
        (["pooling.py", "notes.txt"], "Pooling from scratch", "pooling", False),
        (["pooling.py", "notes.txt"], "", "pooling", False),
        (["pooling.py"], "HW 3: modern", "modern", False),
        (["batchnorm.py"], "HW 3: modern", "modern", True),
    ],
)
def test_files_that_may_lie_beside_the_one_that_is_graded_choose_nothing(
    tmp_path: Path, files: list[str], title: str, chosen: str, refused: bool
) -> None:
    for file in files:
        (tmp_path / file).write_text("")
    allowing = msgspec.structs.replace(ASSIGNMENTS["modern"], submission=Submitted(("pooling*.py",)))
    choice = choose(tmp_path, title, "", ASSIGNMENTS | {"modern": allowing}, OTHER_TITLES)
    assert choice.assignment is not None
    assert (choice.assignment.slug, bool(choice.refusal)) == (chosen, refused)
