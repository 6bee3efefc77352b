"""`autograder preview`: the feedback that a known mistake gets."""

from __future__ import annotations

import json

from command_line import autograder
from toy_course import check, grader, toy_course

SOLUTION = "def doubled(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n"
MISCONCEPTIONS = """
from autograder.grading import misconception


@misconception("doubled", hint="Is it twice as large, or the square?")
def squares(x):
    return x * x
"""


def test_the_feedback_of_a_misconception_of_the_skeleton_and_of_a_mistyped_one(tmp_path):
    course = toy_course(
        tmp_path,
        exercises={"doubled": 2},
        solution=SOLUTION,
        checks=grader(check("doubled", 2, "m.doubled(x)")),
        misconceptions=MISCONCEPTIONS,
    )
    shown = autograder("preview", "demo", "--misconception", "squares", "-o", tmp_path / "r.json", "--course", course)
    assert shown.returncode == 0, shown.stderr
    assert "Hint: Is it twice as large, or the square?" in shown.stdout
    assert "Total 0 / 2 points" in shown.stdout
    assert json.loads((tmp_path / "r.json").read_text())["score"] == 0
    files = "--format", "junit", "-o", tmp_path / "r.xml", "--html", tmp_path / "r.html"
    skeleton = autograder("preview", "demo", *files, "--course", course)
    assert skeleton.returncode == 0, skeleton.stderr
    assert "<testsuites" in (tmp_path / "r.xml").read_text()
    page = (tmp_path / "r.html").read_text()
    assert "Feedback for skeleton" in page
    assert "0 of 2 points" in page
    mistyped = autograder("preview", "demo", "--misconception", "square", "--course", course)
    assert mistyped.returncode == 2
    assert mistyped.stderr == "autograder: There is no misconception 'square' in demo; did you mean squares?\n"
