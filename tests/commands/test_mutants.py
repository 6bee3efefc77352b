"""Mutants: what is changed and what is not, and the command on a small course."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.quality.mutation import mutants
from autograder.quality.table import update

SOLUTION = '''\
import torch

FACTS = {"legs": None}
FACTS["legs"] = 4


def clamp(x, low: int = 0, *, high=9):
    """At least 0 and at most 9."""
    if low > high:
        raise ValueError(f"{low} is more than {high}, by {low - high}")
    x = helper(x.detach())
    return torch.clamp(x, low, max=high)


def helper(x):
    return x + 1
'''


def changes(exercise: str, most: int = 1000) -> list[str]:
    return [str(mutant) for mutant in mutants(SOLUTION, ["clamp", "FACTS"], most) if mutant.exercise == exercise]


@pytest.mark.parametrize(
    "change",
    [
        "if low > high:  →  if low >= high:",
        "if low > high:  →  (dropped)",
        "x = helper(x.detach())  →  x = helper(x)",
        "x = helper(x.detach())  →  (dropped)",
        "return torch.clamp(x, low, max=high)  →  return torch.clamp(low, x, max=high)",
        "return torch.clamp(x, low, max=high)  →  return torch.clamp(x, low)",
        "return x + 1  →  return x - 1",
        "return x + 1  →  return x + 2",
        "def clamp(x, low: int=0, *, high=9):  →  def clamp(x, low: int=1, *, high=9):",
    ],
)
def test_a_small_mistake(change):
    assert change in changes("clamp")


def test_data_is_changed_too():
    assert {"FACTS['legs'] = 4  →  FACTS['legs'] = 5", "FACTS['legs'] = 4  →  FACTS['legs'] = 3"} <= set(
        changes("FACTS")
    )


def test_messages_docstrings_and_annotations_stay():
    assert not [change for change in changes("clamp") if change.startswith(("raise", "'''", '"""'))]


def test_every_mutant_is_another_program_that_differs_in_one_place():
    found = mutants(SOLUTION, ["clamp", "FACTS"], 1000)
    assert len({mutant.source for mutant in found}) == len(found)
    for mutant in found:
        compile(mutant.source, "mutant", "exec")


def test_functions_that_exercises_share_may_be_noticed_by_any():
    found = {str(mutant): mutant.shared for mutant in mutants(SOLUTION, ["clamp", "FACTS"], 1000)}
    assert found["return x + 1  →  return x - 1"]
    assert not found["if low > high:  →  (dropped)"]


def test_a_choice_is_the_same_every_time():
    assert changes("clamp", 3) == changes("clamp", 3)
    assert len(changes("clamp", 3)) == 3


ROOT = Path(__file__).parents[2]
COURSE = {
    "graders/demo/assignment.toml": 'title = "Demo"\nexamples = 5\n[exercises]\ntwice = 1\nhalf = 1\n',
    "graders/demo/test_demo.py": """
from autograder.grading import exercise, points


@exercise("twice")
@points(1)
def test_twice(same_outcome):
    same_outcome(lambda m: [m.twice(2), m.twice(3)])


@exercise("half")
@points(1)
def test_half(same_outcome):
    same_outcome(lambda m: m.half(0))
""",
    "graders/demo/equivalent_mutants.toml": """
[[mutant]]
exercise = "half"
change = "return x / 2  →  return x / 3"
why = "For the test."
""",
    "solutions/demo/demo.py": "def twice(x):\n    return x + x\n\n\ndef half(x):\n    return x / 2\n",
}


@pytest.mark.slow
def test_survivors_are_listed_unless_they_are_explained(tmp_path):
    for name, text in COURSE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    table = tmp_path / "table.md"
    command = [sys.executable, "-m", "autograder", "mutants", "--course", str(tmp_path), "--table", str(table)]
    environment = {**os.environ, "COLUMNS": "200"}
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 1, run.stderr
    assert '[[mutant]]\nexercise = "half"\nchange = "return x / 2  →  return x / 1"\nwhy = ""\n' in run.stdout
    assert "x / 3" not in run.stdout
    assert 'exercise = "twice"' not in run.stdout
    assert "| demo | `half` |  |  |  |  |  |  | 1/2 | 1 |" in table.read_text()
    assert "| **demo** | all |  |  |  |  |  |  | 2/3 | 1 |" in table.read_text()


def test_a_command_fills_its_columns_and_leaves_the_others(tmp_path):
    path = tmp_path / "docs" / "table.md"
    update(path, {("b", "f"): {"Checks": "3"}, ("a", "all"): {"Runs": "9"}})
    update(path, {("b", "f"): {"Mutants caught": "5/5"}, ("b", "all"): {"Checks": "3"}})
    rows = [line for line in path.read_text().splitlines() if line.startswith("| ")][1:]
    assert rows == [
        "| **a** | all |  |  |  |  |  | 9 |  |  |",
        "| **b** | all |  | 3 |  |  |  |  |  |  |",
        "| b | `f` |  | 3 |  |  |  |  | 5/5 |  |",
    ]
