"""A file and a notebook of one student: both are graded in one budget of time, and the better one counts as a whole."""

from __future__ import annotations

import json

import pytest

from autograder.batch import contents
from autograder.batch.discovery import discover
from autograder.course import load_assignment
from autograder.jobs import Job
from autograder.results import gradescope
from autograder.results.model import Result
from autograder.submissions.reading import Submission, read_submission
from toy_course import check, grader, toy_course, write_files

POINTS = {"one": 5, "two": 2, "three": 2, "four": 2}
SOLUTION = "\n\n\n".join(f"def {name}():\n    return {number}" for number, name in enumerate(POINTS, 1)) + "\n"
HANGING = "import time\n\n\ndef one():\n    return 1\n\n\ndef two():\n    time.sleep(60)\n\n\nthree = four = two\n"


def right_in(*names: str) -> str:
    """Code in which only these exercises are right; the numbers come from a helper."""
    lines = [f"{name} = lambda: numbers.{name if name in names else 'nothing'}" for name in POINTS]
    return "\n".join(["import numbers_ as numbers", *lines])


HELPERS = {"numbers_.py": "one, two, three, four, nothing = 1, 2, 3, 4, None\n"}


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})


@pytest.fixture(scope="module")
def grade(engine, tmp_path_factory):
    course = toy_course(
        tmp_path_factory.mktemp("course"),
        exercises=POINTS,
        solution=SOLUTION,
        checks=grader(*(check(name, points, f"m.{name}()") for name, points in POINTS.items())),
        submission={"files": list(HELPERS)},
        limits={"check_seconds": 0.5, "total_seconds": 2},
    )
    allowed = load_assignment(course, "demo").other_files

    def run(files: dict[str, str], canvas: bool = False) -> Result:
        folder = write_files(tmp_path_factory.mktemp("work"), files | ({} if canvas else HELPERS))
        submission: Submission
        if canvas:
            [found] = discover(folder, "demo").found
            submission, _ = contents.read(found, "demo", allowed)
        else:
            submission = read_submission(folder, "demo", allowed)
        return engine.grade(Job(str(course), "demo", submission))

    return run


def points(result: Result) -> list[float]:
    return [exercise.points for exercise in result.exercises]


BETTER = "{} counts, with {} points; the other has {}."


@pytest.mark.parametrize(
    ("file", "in_notebook", "counts", "expected", "why"),
    [
        (["one"], ["two", "three", "four"], "demo.ipynb", [0, 2, 2, 2], BETTER.format("demo.ipynb", 6, 5)),
        (["one", "two"], ["two", "three", "four"], "demo.py", [5, 2, 0, 0], BETTER.format("demo.py", 7, 6)),
        (["three"], ["four"], "demo.py", [0, 0, 2, 0], "Both have 2 points; demo.py counts."),
    ],
)
def test_the_one_with_more_points_counts_as_a_whole(grade, file, in_notebook, counts, expected, why):
    result = grade({"demo.py": right_in(*file), "demo.ipynb": notebook(right_in(*in_notebook))})
    assert (points(result), result.file) == (expected, counts)
    told = json.loads(gradescope.encode(result))
    assert (told["score"], told["extra_data"]["file"]) == (sum(expected), counts)
    assert f"\n\ndemo.py and demo.ipynb were both graded. {why}\n\n" in told["output"]


def test_so_it_is_on_canvas_where_both_lie_in_the_folder_of_the_class(grade):
    files = {"ada_1_4_demo.py": right_in("one"), "ada_1_5_demo-1.ipynb": notebook(right_in("one", "two"))}
    result = grade(files | {"ada_1_6_numbers_.py": HELPERS["numbers_.py"]}, canvas=True)
    assert points(result) == [5, 2, 0, 0]
    assert "ipynb counts, with 7 points; the other has 5." in result.notice


def test_one_that_hangs_takes_no_more_than_half_of_the_time(grade):
    result = grade({"demo.py": HANGING, "demo.ipynb": notebook(right_in("two"))})
    assert (points(result), result.file) == ([5, 0, 0, 0], "demo.py")
    assert "the other has 2" in result.notice
    assert "used up its 1 s for the whole file" in result.checks[-1].message
