"""How checks end: one tiny course, really graded, once for each way in which a submission or a grader can behave."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.results.model import Result, State, Status, Visibility
from autograder.submissions.reading import read_submission
from toy_course import toy_course

SOLUTION = """
import random

import numpy as np
import torch

TABLE = random.random(), float(np.random.rand()), float(torch.rand(()))


def double(x):
    if x.numel() == 0:
        raise ValueError("empty")
    return 2 * x


def total(x):
    return x.sum()


class Layer(torch.nn.Module):
    def forward(self, x):
        return x.clone()


def coin():
    return torch.rand(3)


def dice():
    return random.random(), float(np.random.rand())


ANSWERS = {"three": 3, "four": 4}
"""

CHECKS = '''
import torch
from hypothesis import given

from autograder.grading import POOLING, exercise, expect, expect_tensor, forbids, points, time_limit, visibility
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients

maps = tensors(shapes((1, 3), (1, 3)))


@exercise("double")
@forbids(("mul",))
@points(1)
@given(x=maps)
def test_values(same_outcome, x):
    """Twice as much."""
    same_outcome(lambda m: m.double(x))


@exercise("double")
@points(1)
@visibility("hidden")
def test_empty(same_outcome):
    """An empty tensor is refused."""
    same_outcome(lambda m: m.double(torch.zeros(0)), raises=ValueError)


@exercise("double")
@points(1)
@given(x=maps)
def test_gradient(same_outcome, x):
    """The gradient is 2."""
    same_outcome(lambda m: {"gradient": gradients(m.double, x)[0]})


@exercise("double")
@points(1)
@time_limit(0.5)
@given(x=maps)
def test_argument(same_outcome, x):
    """The argument stays as it was."""

    def probe(m):
        m.double(x)
        return {"argument": x}

    same_outcome(probe)


@exercise("double")
@points(2)
def test_vectorised(vectorised):
    """No loops."""
    vectorised(lambda m, x: m.double(x), torch.ones(4, 4), torch.ones(4, 9), hint="Add the whole tensor.")


@exercise("total")
@points(3)
@given(x=maps)
def test_total(student, x):
    """The sum."""
    value = expect_tensor(student(lambda m: m.total(x)), torch.tensor(0.0))
    expect(torch.allclose(value, x.sum()), "That is not the sum.", hint="Add them up.")


@exercise("Layer")
@points(2)
def test_layer(same_outcome):
    same_outcome(lambda m: m.Layer()(torch.ones(2)))


@exercise("coin")
@points(1)
def test_seeded(same_outcome):
    """The reference and the submission get the same seed."""
    same_outcome(lambda m: [m.coin(), m.dice(), m.TABLE])


@exercise("ANSWERS")
@points(1)
def test_answer(same_outcome):
    """A quiz does not reveal its answers."""
    same_outcome(lambda m: m.ANSWERS["three"], reveal=False)


@exercise("ANSWERS")
@points(1)
def test_operators(operators):
    """How often an operator is dispatched."""
    counts = operators(lambda m: m.coin() + m.coin())
    expect(counts == {"add": 1, "rand": 2}, f"Not {counts}.")
'''

RIGHT = SOLUTION.replace("return 2 * x", "return x + x")
MISCONCEPTIONS = """
from autograder.grading import misconception


@misconception("double", hint="Twice is not the square.")
def squares(x):
    if x.numel() == 0:
        raise ValueError("empty")
    return x**2


@misconception("ANSWERS", hint="Count your fingers.")
def two():
    return {"three": 2, "four": 4}
"""
COURSE = {
    "salt": "s",
    "examples": 10,
    "limits": {"check_seconds": 1},
    "exercises": {"double": 6, "total": 3, "Layer": 2, "coin": 1, "ANSWERS": 2},
    "checks": CHECKS,
    "misconceptions": MISCONCEPTIONS,
    "solution": RIGHT,
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    return toy_course(tmp_path_factory.mktemp("course"), **COURSE)


@pytest.fixture
def grade(engine, course, tmp_path):
    def run(source: str, name: str = "demo.py", root: Path = course, salt: str = "") -> Result:
        path = tmp_path / name
        path.write_text(source)
        return engine.grade(Job(str(root), "demo", read_submission(path, "demo"), salt))

    return run


def check(result: Result, name: str):
    (found,) = [check for check in result.checks if check.name == name]
    return found


def test_a_right_submission_gets_everything(grade):
    result = grade(RIGHT)
    assert (result.state, result.points, result.log) == (State.GRADED, 14, ())


def test_a_wrong_value_costs_its_check_and_shows_the_smallest_example(grade):
    found = check(grade(RIGHT.replace("return x + x", "return (x + x).abs()")), "values")
    assert found.status is Status.FAILED
    assert found.counterexample.call == "double(x)"
    assert found.counterexample.inputs[0].text == "-0.5"
    assert (found.counterexample.expected.text, found.counterexample.got.text) == ("-1", "1*")


def test_a_known_misconception_gives_its_hint(grade):
    found = check(grade(RIGHT.replace("return x + x", "return x.pow(2)")), "values")
    assert (found.misconception, found.hint) == ("squares", "Twice is not the square.")


def test_a_quiz_tells_what_was_answered_and_the_hint_but_not_the_answer(grade):
    found = check(grade(RIGHT.replace('"three": 3', '"three": 2')), "answer")
    assert (found.message, found.hint) == ("This is not right: 2.", "Count your fingers.")
    assert found.counterexample is None
    assert "KeyError" in check(grade(RIGHT.replace('"three": 3', '"tree": 3')), "answer").message


def test_a_forbidden_operator_fails_the_checks_that_forbid_it(grade):
    result = grade(SOLUTION)
    assert "uses Tensor.mul (also written *), which" in check(result, "values").message
    assert check(result, "gradient").status is Status.PASSED


def test_a_lost_gradient_is_told_as_such(grade):
    result = grade(RIGHT.replace("return x + x", "return (x + x).detach()"))
    assert "No gradient flows back" in check(result, "gradient").message
    assert result.points == 13


def test_a_modified_argument_is_told_as_such(grade):
    found = check(grade(RIGHT.replace("return x + x", "return x.add_(x)")), "argument")
    assert found.message.startswith("The argument: ")


def test_a_loop_over_the_entries_fails_only_the_vectorised_check(grade):
    loop = "return torch.stack([torch.stack([v + v for v in row]) for row in x])"
    result = grade(RIGHT.replace("return x + x", loop))
    assert [check.name for check in result.checks if check.status is Status.FAILED] == ["vectorised"]
    found = check(result, "vectorised")
    assert "grows with the input" in found.message
    assert found.hint == "Add the whole tensor."


def test_a_loop_that_dispatches_nothing_is_seen_by_its_lines(grade):
    loop = """
    rows = []
    for row in x.tolist():
        for value in row:
            rows.append(value + value)
    return torch.tensor(rows).reshape(x.shape)"""
    assert check(grade(RIGHT.replace("\n    return x + x", loop)), "vectorised").status is Status.FAILED


def test_a_check_that_judges_by_itself_says_what_it_says(grade):
    found = check(grade(RIGHT.replace("x.sum()", "x.sum() + 1")), "total")
    assert (found.message, found.hint) == ("That is not the sum.", "Add them up.")
    assert "should be a tensor" in check(grade(RIGHT.replace("x.sum()", "[x]")), "total").message


def test_an_endless_loop_costs_its_check_the_limit_and_the_rest_of_the_file_nothing(grade):
    result = grade(RIGHT.replace("return x.sum()", "while True: pass"))
    found = check(result, "total")
    assert found.status is Status.TIMEOUT
    assert "total(x)" in found.message
    assert result.points == 11


def test_the_death_of_the_process_costs_its_check(grade):
    result = grade(RIGHT.replace("return x.sum()", "import os; os._exit(3)"))
    assert "exit code 3" in check(result, "total").message
    assert result.points == 11


def test_what_is_built_on_a_broken_function_says_so(grade):
    source = RIGHT.replace("return x.sum()", "return helper(x).sum() / 2\n\n\ndef helper(x):\n    return double(x)")
    assert grade(source).points == 14
    broken = grade(source.replace("return x + x", "return x.pow(2)"))
    exercises = {exercise.name: exercise for exercise in broken.exercises}
    assert exercises["total"].depends_on == ("double",)
    assert "total depends on your double, which also lost points" in check(broken, "total").hint
    assert exercises["double"].depends_on == ()
    assert grade(source.replace("/ 2", "/ 3")).exercises[1].depends_on == ()


def test_a_missing_function_is_named(grade):
    result = grade(RIGHT.replace("def total", "def totall"))
    assert check(result, "total").message == "total is not defined in your file."
    assert result.points == 11


def test_a_file_that_does_not_run_fails_every_check_with_the_reason(grade):
    result = grade("x = 1\ny = x / 0\n")
    assert result.points == 0
    assert "demo.py, line 2: y = x / 0" in result.notice
    assert {check.message for check in result.checks} == {result.notice}


def test_a_syntax_error_is_told_with_its_line(grade):
    assert "(line 3)" in grade("x = 1\n\ndef f(:\n").notice


def test_a_submission_that_answers_differently_each_time_is_a_failed_check(grade):
    source = RIGHT.replace("import torch", "import itertools, torch\ncount = itertools.count()", 1)
    found = check(grade(source.replace("return x + x", "return x + x + (next(count) == 4)")), "values")
    assert found.status is Status.FAILED
    assert found.counterexample is not None


def test_what_one_check_leaves_behind_in_torch_does_not_reach_the_next(grade):
    spoiled = """
    torch.set_default_dtype(torch.float64), torch.set_num_threads(7)
    return x.sum()"""
    assert grade(RIGHT.replace("\n    return x.sum()", spoiled)).points == 14
    broken = "torch.set_grad_enabled(False)\n    return x + x"
    assert check(grade(RIGHT.replace("return x + x", broken)), "gradient").status is Status.FAILED


def test_visibility_is_kept_and_the_docstring_is_the_title(grade):
    found = check(grade(RIGHT), "empty")
    assert (found.visibility, found.title) == (Visibility.HIDDEN, "An empty tensor is refused.")


def test_cells_of_a_notebook_that_fail_do_not_stop_the_next(grade):
    import nbformat

    cells = ["1 / 0", "%matplotlib inline\n" + RIGHT, "!ls\nraise KeyError"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    result = grade(nbformat.writes(notebook), "demo.ipynb")
    assert result.points == 14
    assert "cell 1, line 1 (ZeroDivisionError: division by zero); cell 3, line 2 (KeyError)" in result.notice


def test_another_salt_asks_other_questions_and_the_same_salt_the_same(grade):
    wrong = RIGHT.replace("return x + x", "return x + x if x.numel() < 9 else x")
    assert grade(wrong).checks[0].message == grade(wrong).checks[0].message
    assert grade(RIGHT, salt="another").points == 14


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("@points(3)", "@points(2)"), "total add up to 2 points, but assignment.toml says 3"),
        (('@exercise("coin")', '@exercise("coins")'), "assignment.toml has no exercise 'coins'; did you mean coin?"),
        (('@exercise("coin")\n', ""), "mark it with an exercise"),
        (("@points(3)", "@points(-3)"), "a check cannot be worth -3 points; give it 0 or more"),
        (("import torch", "import torch, no_such_module"), "no_such_module"),
        (("@points(3)\n", ""), "with points"),
    ],
)
def test_a_mistake_in_a_grader_is_our_error_and_nobodys_grade(grade, tmp_path, change, words):
    result = grade(RIGHT, root=broken_course(tmp_path, *change))
    assert result.state is State.ERROR
    assert words in " ".join(result.log)


def test_a_crash_in_one_check_is_logged_and_the_rest_is_graded(grade, tmp_path):
    result = grade(RIGHT, root=broken_course(tmp_path, "x.sum()), ", "x.sum().no_such()), "))
    assert result.state is State.ERROR
    assert check(result, "total").status is Status.ERROR
    assert "no_such" in result.log[0]
    assert result.points == 11


def broken_course(root: Path, old: str, new: str) -> Path:
    assert old in CHECKS
    return toy_course(root / "broken", **COURSE | {"checks": CHECKS.replace(old, new)})


def test_warming_up_changes_nothing_but_the_time(engine, course, tmp_path):
    wrong = RIGHT.replace("return x + x", "return (x + x).abs()").replace("x.sum()", "x.mean()")
    (tmp_path / "demo.py").write_text(wrong)
    submission = read_submission(tmp_path / "demo.py", "demo")
    with Engine() as warmed_up:
        warmed_up.warm_up(WarmUp(str(course), "demo"))
        results = [each.grade(Job(str(course), "demo", submission)) for each in (engine, warmed_up)]
    plain, replayed = (
        [(c.name, c.title, c.status, c.points, c.message, c.hint, c.counterexample) for c in r.checks] for r in results
    )
    assert plain == replayed
    assert results[0].fingerprint == results[1].fingerprint
