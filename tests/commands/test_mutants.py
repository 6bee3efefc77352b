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
    rows = {line.split(" | ")[1]: line for line in table.read_text().splitlines() if "demo" in line.split(" | ")[0]}
    assert "| 1/2 | 1 |" in rows["`half`"]
    assert "| 2/3 | 1 |" in rows["all"]


@pytest.mark.slow
def test_checks_that_no_mutant_fails_are_listed_unless_a_grader_says_why(tmp_path):
    kind, name = (
        check("twice", 1, probe, name=name)
        for probe, name in (("type(m.twice(2)).__name__", "kind"), ("m.twice.__name__", "name"))
    )
    toy_course(
        tmp_path,
        exercises={"twice": 4},
        checks=grader(
            check("twice", 1, "[m.twice(2), m.twice(3)]", name="values"),
            check("twice", 1, "m.twice(5)", name="more"),  # fails on the same mutants as the first
            kind,
            name.replace("def test", '@unproven("Nobody renames it.")\ndef test'),
        ).replace("exercise, points", "exercise, points, unproven"),
        solution="def twice(x):\n    return x + x\n",
    )
    run = autograder("mutants", "--course", tmp_path, columns=200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (
        "No mutant fails these checks; `autograder verify` says whether a misconception does.\ntwice: kind\n"
    ) in run.stdout
