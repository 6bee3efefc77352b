"""`autograder mutants` on a small course."""

from __future__ import annotations

import pytest

from command_line import autograder
from toy_course import check, grader, toy_course

EXPLAINED = """
[[mutant]]
exercise = "half"
change = "return x / 2  →  return x / 3"
why = "For the test."
"""


@pytest.mark.slow
def test_survivors_are_listed_unless_they_are_explained(tmp_path):
    toy_course(
        tmp_path,
        examples=5,
        exercises={"twice": 1, "half": 1},
        checks=grader(check("twice", 1, "[m.twice(2), m.twice(3)]"), check("half", 1, "m.half(0)")),
        solution="def twice(x):\n    return x + x\n\n\ndef half(x):\n    return x / 2\n",
        files={"graders/demo/equivalent_mutants.toml": EXPLAINED},
    )
    table = tmp_path / "table.md"
    run = autograder("mutants", "--course", tmp_path, "--table", table, columns=200)
    assert run.returncode == 1, run.stderr
    assert '[[mutant]]\nexercise = "half"\nchange = "return x / 2  →  return x / 1"\nwhy = ""\n' in run.stdout
    assert "x / 3" not in run.stdout
    assert 'exercise = "twice"' not in run.stdout
    assert "| demo | `half` |  |  |  |  |  |  | 1/2 | 1 |" in table.read_text()
    assert "| **demo** | all |  |  |  |  |  |  | 2/3 | 1 |" in table.read_text()
