"""An explanation is never worth a grade: whatever goes wrong in one, the student keeps score and message, and the
instructor is told."""

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest
import torch

from autograder.grading import showing
from autograder.grading.context import CheckContext
from autograder.grading.failures import CheckFailed, Failure
from autograder.grading.questions import Questions
from autograder.results import feedback
from autograder.results.feedback import check_text
from autograder.results.model import CheckResult, Status
from autograder.sandbox import shipping
from autograder.sandbox.values import Answer, Returned
from command_line import ROOT, autograder
from toy_course import check, grader, toy_course


class Trebles:
    """Answers in an examiner's place, wrongly."""

    is_reference = False

    def load_failure(self) -> None:
        return None

    def double(self, x):
        return 3 * x

    def ask(self, *questions):
        return [Answer(Returned(shipping.loads(question.probe)(self))) for question in questions]


def failed() -> Questions:
    reference = types.SimpleNamespace(double=lambda x: 2 * x)
    questions = Questions(CheckContext(Trebles(), reference, "double"))  # type: ignore[arg-type]
    with pytest.raises(CheckFailed):
        questions.same_outcome(lambda m: m.double(torch.ones(1, 2)))
    return questions


def broken(*_: object, **__: object) -> None:
    raise NotImplementedError("no numbers here")


def leaves(*_: object, **__: object) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("what", "line"), [(broken, "NotImplementedError: no numbers here"), (leaves, "SystemExit: 3")]
)
def test_without_values_or_hint_the_message_is_kept(monkeypatch, what, line) -> None:
    monkeypatch.setattr(showing, "counterexample", what)
    questions = failed()
    explained = questions.examples.explained()
    assert explained is not None
    assert explained.message.startswith("2 of 2 entries differ")
    assert explained.counterexample is None
    assert questions.examples.unexplained == [line]


def test_without_the_call_the_message_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(showing, "call_text", broken)
    questions = failed()
    question = questions.context.recording.questions[0].question
    assert questions.examples.with_call(Failure("Stopped."), question).message == "Stopped."
    assert questions.examples.unexplained == ["NotImplementedError: no numbers here"]


def test_a_check_whose_text_cannot_be_made_keeps_its_title_and_message(monkeypatch) -> None:
    monkeypatch.setattr(feedback, "_counterexample", broken)
    monkeypatch.setattr(feedback, "_prose", broken)
    failure = CheckResult("double", "values", "Twice.", Status.FAILED, 1.0, message="It should be 4, but is 6.")
    assert check_text(failure) == "Twice.\n\nIt should be 4, but is 6."


def graded(tmp_path: Path, course: Path, source: str, slug: str) -> tuple[int, dict, str]:
    submission, output = tmp_path / f"{slug}.py", tmp_path / "result.json"
    submission.write_text(source)
    run = autograder("grade", submission, "-a", slug, "--no-timing", "-o", output, "--course", course, columns=300)
    return run.returncode, json.loads(output.read_text()), run.stderr


@pytest.mark.slow
def test_misconceptions_that_do_not_run_cost_a_student_nothing(tmp_path: Path) -> None:
    course = toy_course(
        tmp_path / "course",
        exercises={"double": 1, "half": 1},
        solution="def double(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2\n",
        checks=grader(check("double", 1, "m.double(x)"), check("half", 1, "m.half(x)")),
        misconceptions="import nothing_of_this_name\n",
    )
    source = "def double(x):\n    return 3 * x\n\n\ndef half(x):\n    return x / 2\n"
    code, result, errors = graded(tmp_path, course, source, "demo")
    assert (code, result["score"], result["extra_data"]["state"]) == (0, 1.0, "graded")
    assert "it should be" in result["tests"][0]["output"]
    assert "explaining graders/demo, exercise double failed: EngineError: " in errors
    assert "nothing_of_this_name" in errors


TROUBLEMAKERS = """
import os
import torch
from autograder.grading import misconception

@misconception("double", hint="Do not leave.")
def leaves(x):
    os._exit(0)

@misconception("double", hint="Do not touch PyTorch.")
def replaces_a_function(x):
    torch.add = lambda *_, **__: torch.zeros(7)
    return x

@misconception("double", hint="How often do you add x?")
def trebles(x):
    return torch.add(x, x, alpha=2)
"""


@pytest.mark.slow
def test_a_misconception_that_ends_its_process_or_changes_pytorch_disturbs_no_other(tmp_path: Path) -> None:
    course = toy_course(
        tmp_path / "course",
        exercises={"double": 1},
        solution="def double(x):\n    return 2 * x\n",
        checks=grader(check("double", 1, "m.double(x)")),
        misconceptions=TROUBLEMAKERS,
    )
    code, result, errors = graded(tmp_path, course, "def double(x):\n    return 3 * x\n", "demo")
    assert (code, result["extra_data"]["state"], errors) == (0, "graded", "")
    assert "Hint: How often do you add x?" in result["tests"][0]["output"]


@pytest.mark.slow
def test_a_network_that_is_shown_on_the_meta_device_costs_only_its_own_points(tmp_path: Path) -> None:
    solution = (ROOT / "solutions/architectures/architectures.py").read_text()
    wrong = "kernel_size=3, padding=1))\n        layers.append(nn.ReLU())"
    assert wrong in solution
    source = solution.replace(wrong, wrong.replace("padding=1", "padding=1, bias=False"), 1)
    code, result, _ = graded(tmp_path, ROOT, source, "architectures")
    assert (code, result["extra_data"]["state"]) == (0, "graded")
    scores = {name: part["score"] for name, part in result["extra_data"]["exercises"].items()}
    assert scores["vgg_block"] < 6
    assert sum(scores.values()) > 80


TRACED = """

from autograder.grading import misconception


@misconception("double", hint="Twice, not three times.")
def trebles(x):
    open("{trace}", "a").close()
    return 3 * x
"""


@pytest.mark.parametrize(
    ("body", "explained"), [("raise NotImplementedError", False), ("return 4 * x", True)], ids=["untouched", "wrong"]
)
def test_known_mistakes_are_not_looked_for_in_what_the_student_has_not_begun(tmp_path, body, explained) -> None:
    trace = tmp_path / "trace"
    course = toy_course(
        tmp_path / "course",
        exercises={"double": 1},
        solution="def double(x):\n    return 2 * x\n",
        checks=grader(check("double", 1, "m.double(x)")),
        files={"graders/demo/misconceptions.py": TRACED.replace("{trace}", str(trace)).lstrip()},
    )
    code, _, errors = graded(tmp_path, course, f"def double(x):\n    {body}\n", "demo")
    assert (code, errors) == (0, "")
    assert trace.exists() == explained
