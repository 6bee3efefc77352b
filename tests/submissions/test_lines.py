"""Where in a student's file the exercises begin."""

from __future__ import annotations

from autograder.submissions.lines import definition_lines
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell

SOURCE = """\
import torch

def first(x):
    second = x
    return second

async def second(x): ...
class Third(torch.nn.Module):
    def first(self): ...
fourth = lambda x: x
fifth: int = 5
if first == second:
    pass
def first(x): return x
sixth == 6
"""


def test_the_last_definition_at_the_top_of_the_file_counts() -> None:
    submission = Submission("a.py", "a.py", (Cell("a.py", SOURCE),), is_notebook=False)
    assert definition_lines(submission) == {"first": 14, "second": 7, "Third": 8, "fourth": 10, "fifth": 11}


def test_a_notebook_has_no_lines() -> None:
    submission = Submission("a.ipynb", "a.ipynb", (Cell("cell 1", SOURCE),), is_notebook=True)
    assert definition_lines(submission) == {}
