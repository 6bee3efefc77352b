"""Operators dispatched and lines run."""

from __future__ import annotations

import sys

import torch

from autograder.sandbox.observation import Lines, Operators


def test_operators_are_seen_below_modules_and_autograd() -> None:
    with Operators() as seen:
        torch.nn.MaxPool2d(2)(torch.zeros(1, 1, 4, 4, requires_grad=True)).sum().backward()
    assert {"max_pool2d_with_indices", "max_pool2d_with_indices_backward", "sum"} <= set(seen.counts)


def test_operators_outside_the_block_are_not_seen() -> None:
    torch.ones(2).exp()
    with Operators() as seen:
        pass
    torch.ones(2).log()
    assert seen.counts == {}


def test_every_call_counts_whatever_the_overload() -> None:
    x = torch.ones(2)
    with Operators() as seen:
        for _ in range(5):
            x.exp()
            x + x
            x + 1
    assert seen.counts == {"add": 10, "exp": 5}


def function(source: str, file: str) -> object:
    scope: dict[str, object] = {}
    exec(compile(source, file, "exec"), scope)
    return scope["f"]


LOOP = "def f(n):\n    for i in range(n):\n        i + 1\n"


def test_lines_of_the_named_files_are_counted() -> None:
    counts = []
    for n in (1, 10):
        with Lines({"student.py"}) as lines:
            function(LOOP, "student.py")(n)  # type: ignore[operator]
        counts.append(sum(line.count for line in lines.counts))
    assert counts[1] - counts[0] == 18


def test_lines_of_other_files_are_not_counted() -> None:
    with Lines({"student.py"}) as lines:
        function(LOOP, "other.py")(10)  # type: ignore[operator]
    assert not lines.counts


def test_the_tracer_before_is_put_back_after_an_exception() -> None:
    before = sys.gettrace()
    try:
        with Lines({"student.py"}):
            raise ValueError
    except ValueError:
        pass
    assert sys.gettrace() is before
