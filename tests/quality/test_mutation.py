"""Mutants: what is changed and what is not."""

from __future__ import annotations

import pytest

from autograder.quality.mutation import mutants

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


@pytest.mark.parametrize(
    ("expression", "equivalent"), [("x[0:n]", "x[:n]"), ("x[::1]", "x[:]"), ("x[m:None]", "x[m:]")]
)
def test_the_same_slice_written_otherwise_is_not_a_mistake(expression, equivalent):
    found = mutants(f"def part(x, m, n):\n    return {expression}\n", ["part"], 100)
    assert not {mutant.after for mutant in found} & {f"return {equivalent}", f"return {equivalent}".replace(":", "::")}


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
