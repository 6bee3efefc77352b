"""How values and calls are shown to a student."""

import types

import torch

from autograder.grading.showing import call_text, counterexample, show
from autograder.sandbox import shipping
from autograder.sandbox.values import Opaque, Raised


class Half(torch.nn.Module):
    def forward(self, x):
        return x / 2


REFERENCE = types.ModuleType("reference")
exec("def pool(x, size, mode='max'):\n    return x * size", REFERENCE.__dict__)
REFERENCE.Half = lambda scale: Half()  # noqa: ARG005


def test_columns_are_aligned_and_whole_numbers_stay_whole():
    assert show(torch.tensor([[1.0, -20.5], [300.0, 4.0]])).text == "    1  -20.5\n  300      4"


def test_wrong_entries_carry_a_star():
    marks = torch.tensor([[False, True]])
    assert show(torch.tensor([[1.0, 2.0]]), "got", marks).text == "1   2*"


def test_a_large_tensor_fits_a_screen():
    lines = show(torch.zeros(5, 40, 40)).text.splitlines()
    assert len(lines) <= 32
    assert max(map(len, lines)) < 80


def test_slices_that_differ_are_shown_first():
    marks = torch.zeros(9, 1, 1, dtype=torch.bool)
    marks[7] = True
    assert show(torch.zeros(9, 1, 1), "got", marks).text.startswith("[7]")


def test_what_is_no_tensor_is_shown_in_a_line():
    assert show((1, 2)).text == "(1, 2)"
    assert show(torch.Size([1, 2])).text == "(1, 2)"
    assert "a Thing" in show(Opaque("Thing")).text
    assert show(Raised("KeyError", ("KeyError",), "secret"), "got").text == "an exception (KeyError)"
    assert len(show("x" * 5000).text) <= 400


def test_scalars_and_empty_tensors_are_shown():
    assert show(torch.tensor(2.0)).text == "2"
    assert show(torch.zeros(0, 3)).text == "(no entries)"


def test_a_call_is_told_by_parameter_names():
    x = torch.ones(2, 2)
    example = counterexample(shipping.dumps(lambda m: m.pool(x, 3, "avg")), REFERENCE, 0, x, x + 1)
    assert example.call == "pool(x, size=3, mode='avg')"
    assert [value.name for value in example.inputs] == ["x"]
    assert example.got.text == "2*  2*\n2*  2*"


def test_a_layer_is_told_by_how_it_was_made_and_called():
    x = torch.ones(2, 2)
    example = counterexample(shipping.dumps(lambda m: m.Half(4).eval()(x)), REFERENCE, 0, x, x)
    assert example.call == "Half(4)(x)   (in evaluation mode)"


def test_the_call_is_known_even_if_the_reference_raises():
    x = torch.ones(3)
    assert (
        call_text(shipping.dumps(lambda m: m.pool(x, "a")), REFERENCE, 0)
        == "pool(x, size='a') with x of shape (3,) float32"
    )
