"""Skeletons: the solution without its solutions."""

from __future__ import annotations

import json

import pytest

from autograder.course.skeletons import skeleton, source_notebook
from autograder.errors import UsageError

SOLUTION = '''\
# %% [markdown]
# Twice as much.

# %%
def double(x):
    """Doubles."""
    ### BEGIN SOLUTION
    secret = x + x
    return secret
    ### END SOLUTION


class Twice:
    def __init__(self):
        ### BEGIN SOLUTION
        self.factor = 2
        ### END SOLUTION

    def __call__(self, x):
        if x:
            #BEGIN SOLUTION
            return x * self.factor
            #END SOLUTION
        return x
'''
SKELETON = '''\
# %% [markdown]
# Twice as much.

# %%
def double(x):
    """Doubles."""
    # YOUR CODE HERE
    raise NotImplementedError()


class Twice:
    def __init__(self):
        # YOUR CODE HERE
        raise NotImplementedError()

    def __call__(self, x):
        if x:
            # YOUR CODE HERE
            raise NotImplementedError()
        return x
'''


QUESTION = """\
# %% why [markdown]
# Why does it end?
#
# ### BEGIN SOLUTION
# Because it halves.
# ### END SOLUTION
"""


def test_the_answer_to_a_question_becomes_a_stub_of_text_in_a_cell_graded_by_hand() -> None:
    assert skeleton(QUESTION) == "# %% why [markdown]\n# Why does it end?\n#\n# YOUR ANSWER HERE\n"
    pytest.importorskip("jupytext")
    book = json.loads(source_notebook(QUESTION, {}, {"why": 2.5}))
    [question] = [cell for cell in book["cells"] if cell["id"] == "why"]
    marked = {"grade": True, "solution": True, "locked": False, "points": 2.5}
    assert question["cell_type"] == "markdown"
    assert marked.items() <= question["metadata"]["nbgrader"].items()
    with pytest.raises(UsageError, match=r"names 'who'.*`# %% who \[markdown\]`, not 0"):
        source_notebook(QUESTION, {}, {"who": 1})
    with pytest.raises(UsageError, match="text cell with a solution"):
        source_notebook(QUESTION, {})


def test_every_region_becomes_a_stub_at_its_marker_s_indentation() -> None:
    assert skeleton(SOLUTION) == SKELETON


def test_a_skeleton_is_its_own_skeleton() -> None:
    assert skeleton(SKELETON) == SKELETON


@pytest.mark.parametrize(
    ("markers", "line", "why"),
    [
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "line 2", "begins inside the one in line 1"),
        ("x = 1\n### BEGIN SOLUTION\nx = 2", "line 2", "never ends"),
        ("x = 1\n### END SOLUTION", "line 2", "none has begun"),
        ("### BEGIN SOLUTION\n# %%\n### END SOLUTION", "line 1", "continues into the next cell, in line 2"),
    ],
)
def test_markers_that_do_not_fit_are_named_with_file_and_line(markers: str, line: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        skeleton(markers, "solutions/a/a.py")
    assert str(caught.value).startswith(f"Correct solutions/a/a.py, {line}: ")


def test_what_is_left_must_be_python() -> None:
    text = "if True:\n### BEGIN SOLUTION\n    x = 1\n### END SOLUTION\n"
    with pytest.raises(UsageError, match=r"Correct solutions/a/a\.py: without its solutions .*line 2"):
        skeleton(text, "solutions/a/a.py")


def test_an_exercise_has_its_test_cell_behind_the_last_cell_that_answers_it() -> None:
    text = (
        "# %%\nTABLE = {}\n\n# %%\n### BEGIN SOLUTION\nTABLE['a'] = 1\nhelper = 2\n### END SOLUTION\n\n"
        "# %%\n### BEGIN SOLUTION\nhidden_name = 3\n### END SOLUTION\n\n# %%\nx = 0\n"
    )
    book = json.loads(source_notebook(text, {"TABLE": 2.5, "undefined": 1}))
    marks = [(cell["id"], cell["metadata"].get("nbgrader", {}).get("points")) for cell in book["cells"]]
    assert [name for name, _ in marks][1:5] == ["setup", "TABLE", "test_TABLE", "answer"]
    assert marks[-1] == ("test_undefined", 1)
    assert dict(marks)["test_TABLE"] == 2.5
