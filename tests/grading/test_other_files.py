"""Code and data beside the file that is graded: the submission can use them, and no check is fooled by them."""

from __future__ import annotations

import pytest

from autograder.course import load_assignment
from autograder.jobs import Job
from autograder.results.model import Result, Status
from autograder.submissions.reading import read_submission
from toy_course import toy_course, write_files

CHECKS = '''
import torch
from autograder.grading import exercise, forbids, points

pytestmark = exercise("product")
x = torch.arange(6.0).reshape(2, 3)


@points(1)
def test_value(same_outcome):
    """The product."""
    same_outcome(lambda m: m.product(x))


@forbids("einsum")
@points(1)
def test_by_hand(same_outcome):
    """The product, without einsum."""
    same_outcome(lambda m: m.product(x))


@points(1)
def test_at_once(vectorised):
    """No loop."""
    vectorised(lambda m, x: m.product(x), torch.ones(3, 2), torch.ones(9, 2))
'''
SOLUTION = "def product(x):\n    return x @ x.mT\n"
IMPORTS = "from helpers import product\n"
LOOP = """\
import torch


def product(x):
    rows = []
    for row in x:
        rows.append(x @ row)
    return torch.stack(rows)
"""


@pytest.fixture
def grade(engine, tmp_path):
    course = toy_course(
        tmp_path / "course",
        exercises={"product": 3},
        solution=SOLUTION,
        checks=CHECKS,
        submission={"files": ["helpers.py", "data/*"]},
    )
    allowed = load_assignment(course, "demo").other_files

    def run(files: dict[str, str]) -> Result:
        folder = write_files(tmp_path / "work", files)
        return engine.grade(Job(str(course), "demo", read_submission(folder, "demo", allowed)))

    return run


def test_helpers_do_what_the_file_itself_may_do(grade):
    assert grade({"demo.py": IMPORTS, "helpers.py": SOLUTION}).points == 3


def test_what_helpers_must_not_do_is_seen(grade):
    result = grade({"demo.py": IMPORTS, "helpers.py": LOOP.replace("x @ row", "torch.einsum('ij,j->i', x, row)")})
    value, by_hand, at_once = result.checks
    assert value.status is Status.PASSED
    assert by_hand.message.startswith("Your code uses torch.einsum")
    assert "Line 6 of helpers.py ran 4 times, then 10 times: for row in x:" in at_once.message


def test_an_error_in_a_helper_is_shown_where_it_is(grade):
    value = grade({"demo.py": IMPORTS, "helpers.py": "def product(x):\n    return y\n"}).checks[0]
    assert "helpers.py, line 2" in value.message
    result = grade({"demo.py": IMPORTS, "helpers.py": "def product(x:\n"})
    assert result.notice.startswith("helpers.py could not be read as Python")


def test_files_are_the_same_at_every_check(grade):
    keeps = "from pathlib import Path\n\ntry:\n    Path('data/n').write_text('0')\nexcept PermissionError:\n    pass\n"
    use = "\n\ndef product(x):\n    return x @ x.mT * int(Path('data/n').read_text())\n"
    assert grade({"demo.py": keeps + use, "data/n": "1"}).points == 3


def test_only_the_submission_itself_has_them(grade, tmp_path):
    assert grade({"demo.py": IMPORTS, "helpers.py": SOLUTION}).points == 3
    (tmp_path / "work/helpers.py").rename(tmp_path / "work/others.py")
    notice = grade({"demo.py": IMPORTS}).notice
    assert "No module named 'helpers'" in notice
    assert "Only one file is graded, with helpers.py, data/* beside it: other files are not there." in notice
