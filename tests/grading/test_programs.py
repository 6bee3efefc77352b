"""Programs that show a failure outside of grading: what they contain, and which there are not."""

from __future__ import annotations

import types

import pytest
import torch
from torch import nn

from autograder.grading.comparison import compare
from autograder.grading.literals import TOO_LARGE, NotPlain
from autograder.grading.programs import DRAWS, MOST_CHARACTERS, NOT_AGAIN, Failing, program
from autograder.grading.reference import outcome_of
from autograder.grading.tolerance import Standard
from autograder.grading.tracing import CHANGES_INPUTS, HANDLES_ERRORS, OF_THE_GRADER, OF_THE_KIT, UNDER_A_MODE
from autograder.probes import filled, gradients, stays_on_device
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import as_sent

SOURCE = """
import torch
from torch import nn

calls = 0

def double(x, k=2):
    if k < {least}:
        raise ValueError("k must not be negative")
    return {double}

def halves(x):
    return {halves}

def in_place(x):
    {in_place}

def applied(function, x, k=3):
    return function({double})

def count(model):
    return {count}

def noisy(x, k=3):
    return {double} + torch.rand(2)

def moody(x):
    global calls
    calls += 1
    return {moody}

class Scale(nn.Module):
    def __init__(self, size, scale=2.0):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(size))
        self.scale = scale

    def forward(self, x):
        return x * self.weight * {scale}
"""
RIGHT = {
    "least": "0",
    "double": "x * k",
    "halves": "[x / 2, {'rest': x / 2}]",
    "in_place": "return x * 2",
    "count": "sum(p.numel() for p in model.parameters())",
    "moody": "x",
    "scale": "self.scale",
}
WRONG = {
    "least": "-9",
    "double": "x + k",
    "halves": "[x / 2, {'rest': x // 2}]",
    "in_place": "x *= 2; return x",
    "count": "len(list(model.parameters()))",
    "moody": "x if calls > 1 else x + 1",
    "scale": "1.0",
}
PLAIN, TURNED, LARGE = torch.tensor([[1.0, 2.5]]), torch.tensor([[1.0, 0.1], [3.0, 4.0]]).t(), torch.rand(9, 9, 9)
LENIENT = Standard(dtype=False, shape=False)


def module(**texts: str) -> types.ModuleType:
    made, source = types.ModuleType("demo"), SOURCE
    for name, text in texts.items():
        source = source.replace(f"{{{name}}}", text)
    exec(source, vars(made))
    return made


def made(probe, *, notebook: bool = False, standard: Standard = LENIENT) -> str:
    """The program for the wrong module; it has been seen to pass on the right one and to fail on the wrong one."""
    right, wrong, data = module(**RIGHT), module(**WRONG), shipping.dumps(probe)
    expected, got = (as_sent(outcome_of(data, one, 5)).outcome for one in (right, wrong))
    difference = compare(expected, got, standard)
    assert difference is not None
    failing = Failing(Question(data, 5), expected, standard, got, difference.message)
    text = program(
        failing,
        right,
        lambda question: as_sent(outcome_of(question.probe, wrong, question.seed)).outcome,
        "demo",
        notebook=notebook,
    )
    body = text[text.index("\n\n") :]
    exec(body, {"torch": torch, **vars(module(**RIGHT))})
    with pytest.raises(Exception, match=r"."):
        exec(body, {"torch": torch, **vars(module(**WRONG))})
    assert len(text) <= MOST_CHARACTERS
    return text


def test_a_program_is_an_input_a_call_what_came_and_what_should_have_come():
    assert made(lambda m: m.double(PLAIN, k=3)) == (
        "# This fails as it did in grading, and passes once your code is right. Run it beside your demo.py.\n"
        "import torch\n"
        "from demo import double\n"
        "\n"
        "x = torch.tensor([[1.0, 2.5]])\n"
        "\n"
        "result = double(x, k=3)\n"
        "# In grading, this was torch.tensor([[4.0, 5.5]]).\n"
        "expected = torch.tensor([[3.0, 7.5]])\n"
        "assert result.shape == expected.shape, result.shape\n"
        "assert torch.allclose(result.to(expected.dtype), expected, rtol=0.0001, atol=7.5e-05), result\n"
    )


def test_in_a_notebook_nothing_is_imported_from_a_file():
    text = made(lambda m: m.double(PLAIN), notebook=True)
    assert "import torch\n\n" in text
    assert "Run it in a new cell below your code." in text


def several_calls(m):
    m.in_place(PLAIN)
    return {"first": m.double(PLAIN, 2), "second": m.halves(PLAIN)}


def set_by_the_grader(m):
    layer = m.Scale(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0]))
    layer.scale = 4.0
    return layer.eval()(PLAIN)


def used_by_a_helper(m):
    def twice(function, x):
        return function(function(x))

    return twice(m.double, PLAIN.double() + 1)


def unchanged(m):
    x = PLAIN.clone()
    m.in_place(x)
    return {"x after the call": x}


WRITTEN = {
    "a part of what is returned": (lambda m: m.halves(PLAIN), "result = halves(x)[1]['rest']"),
    "only the call that is wrong": (several_calls, "result = double(x, 2)\n"),
    "a layer and its mode": (lambda m: m.Scale(2, scale=0.0).eval()(PLAIN), "result = Scale(2, scale=0.0).eval()(x)"),
    "numbers that a grader sets": (set_by_the_grader, "with torch.no_grad():\n    layer.weight.copy_(tensor)\n"),
    "attributes that a grader sets": (set_by_the_grader, "layer.scale = 4.0\n"),
    "a helper's calls and not the helper": (used_by_a_helper, "result = double(double(x))\n"),
    "an input after the call": (unchanged, "in_place(x)\nresult = x\n"),
    "a memory layout": (lambda m: m.double(TURNED), "torch.empty_strided((2, 2), (1, 2)).copy_("),
    "a dtype": (lambda m: m.double(torch.arange(3), 3), "x = torch.tensor([0, 1, 2])"),
    "arithmetic with results": (lambda m: 1 - m.double(PLAIN, 3).sum(), "result = 1 - double(x, 3).sum()"),
    "functions of PyTorch": (lambda m: torch.stack([m.double(PLAIN), PLAIN]), "result = torch.stack([double(x), x])"),
    "a large input as a recipe": (lambda m: m.double(LARGE), "torch.manual_seed(0)\nx = torch.rand((9, 9, 9))\n"),
    "one entry of a large result": (lambda m: m.double(LARGE), "result = double(x)[0, 0, 0]\n"),
    "a layer of PyTorch": (
        lambda m: m.count(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())),
        "model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1)), torch.nn.ReLU())",
    ),
    "a number": (
        lambda m: m.double(2.5, 3),
        "result = double(2.5, 3)\n# In grading, this was 5.5.\nassert type(result) is float and abs(result - 7.5) <= ",
    ),
    "a whole number": (lambda m: [m.count(nn.Linear(2, 2))], "assert result == 6, result\n"),
    "an exception": (lambda m: m.double(PLAIN, -1), "try:\n    double(x, -1)\nexcept ValueError as error:\n"),
    "an exception of the wrong code": (lambda m: m.double([1], 2), "# In grading: Your code raised TypeError"),
    "what is not finite": (lambda m: m.double(torch.tensor([float("-inf"), 1.0]), 3), "[-torch.inf, 1.0]"),
}


@pytest.mark.parametrize("what", WRITTEN)
def test_a_program_holds(what):
    probe, text = WRITTEN[what]
    assert text in made(probe)


def test_a_precise_dtype_is_asserted_only_where_it_counts():
    assert "result.dtype == torch.float32" in made(lambda m: m.double(PLAIN, 3), standard=Standard())
    assert "dtype ==" not in made(lambda m: m.double(PLAIN, 3))


def goes_on(m):
    try:
        m.double(PLAIN, -1)
    except ValueError:
        return m.double(PLAIN, 3)


def changes_its_input(m):
    x = PLAIN.clone()
    m.double(x)
    x += 1
    return m.double(x)


REFUSED = {
    "random draws": (lambda m: m.noisy(PLAIN[0]), DRAWS),
    "what was right the second time": (lambda m: m.moody(PLAIN), NOT_AGAIN),
    "a function of the grader": (lambda m: m.applied(lambda x: x + 1, PLAIN), OF_THE_GRADER),
    "gradients": (lambda m: gradients(lambda x: m.double(x, 3), PLAIN)[0], OF_THE_KIT),
    "filled layers": (lambda m: filled(lambda: m.Scale(2), PLAIN)(PLAIN), OF_THE_KIT),
    "a watched call": (lambda m: [m.double(PLAIN, 3), stays_on_device(m.double, PLAIN)], UNDER_A_MODE),
    "an exception that is caught": (goes_on, HANDLES_ERRORS),
    "an input that changes": (changes_its_input, CHANGES_INPUTS),
    "too much": (lambda m: [m.double(["x" * MOST_CHARACTERS], 3)], TOO_LARGE),
}


@pytest.mark.parametrize("what", REFUSED)
def test_there_is_no_program_for(what):
    probe, why = REFUSED[what]
    with pytest.raises(NotPlain) as refused:
        made(probe)
    assert str(refused.value) == why
