"""Known wrong variants answer questions in the judge's place of a submission."""

from __future__ import annotations

import types

import pytest
import torch

from autograder.grading import trusted
from autograder.grading.failures import Settled
from autograder.grading.trusted import Variant
from autograder.results.model import Status
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.values import Raised, Returned


def variant(function) -> Variant:
    module = types.ModuleType("demo")
    module.f = function
    return Variant(module)


def asked(function, **watched: bool):
    return variant(function).ask(Question(shipping.dumps(lambda m: m.f(torch.ones(3))), **watched))[0]


def test_values_and_exceptions_are_outcomes() -> None:
    assert asked(lambda x: int(x.sum())).outcome == Returned(3)
    for error in (ValueError("no"), SystemExit(3)):

        def fail(_, error=error):
            raise error

        outcome = asked(fail).outcome
        assert isinstance(outcome, Raised)
        assert outcome.type == type(error).__name__


def test_a_loop_that_never_ends_is_a_timeout(monkeypatch) -> None:
    monkeypatch.setattr(trusted, "MOST_SECONDS", 0.05)

    def forever(_):
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    with pytest.raises(Settled) as settled:
        asked(forever)
    assert settled.value.failure.status is Status.TIMEOUT
    assert asked(lambda x: int(x.sum())).outcome == Returned(3)


def test_operators_functions_and_lines_are_counted() -> None:
    answer = asked(lambda x: torch.add(x, x), operators=True)
    assert answer.work.operators["add"] == 1
    assert "torch.add" in answer.work.functions
    source = "def f(x):\n    for _ in range(9):\n        y = x + 1\n    return y\n"
    inner: dict = {}
    exec(compile(source, "<f>", "exec"), inner)
    lines = asked(inner["f"], operators=True, lines=True).work.lines
    assert {(line.number, line.count) for line in lines} >= {(3, 9), (4, 1)}


def test_a_variant_leaves_no_settings_behind() -> None:
    its = variant(lambda _: torch.set_default_dtype(torch.float64))
    its.ask(Question(shipping.dumps(lambda m: m.f(0))))
    its.begin("f")
    assert torch.get_default_dtype() is torch.float32
