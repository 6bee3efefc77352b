"""What a check of speed does when it cannot be measured."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autograder.errors import EngineError, EngineGone
from autograder.grading import speed
from autograder.grading.failures import Settled
from autograder.grading.questions import Questions
from autograder.results.model import Status


@pytest.fixture
def questions(monkeypatch) -> Questions:
    monkeypatch.setattr(speed, "_require_right_results", lambda *_: None)
    plan = SimpleNamespace(device="cpu", seconds=5, submission=None, reference=None)
    return Questions(SimpleNamespace(timing=plan, untimed="", forbidden=()))  # type: ignore[arg-type]


def measured(questions: Questions, monkeypatch, error: EngineError) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(speed, "measure_and_confirm", fail)
    speed.forward_time(questions, abs, lambda _: ())


def test_a_reference_that_cannot_be_timed_costs_no_points(questions, monkeypatch):
    with pytest.raises(Settled) as settled:
        measured(questions, monkeypatch, EngineError("the reference is too slow"))
    assert settled.value.failure.status is Status.EXCUSED
    assert questions.trouble == "the reference is too slow"


def test_a_missing_zygote_ends_the_grading_and_gives_no_points(questions, monkeypatch):
    with pytest.raises(EngineGone):
        measured(questions, monkeypatch, EngineGone("the process that starts workers is gone"))
