"""Functions called, operators dispatched and lines run."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from torch import nn, overrides

from autograder.sandbox.observation import Functions, Lines, Operators


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


def test_functions_are_seen_under_their_public_names_with_the_layer_that_called_them() -> None:
    x = torch.ones(2, 2)
    with Functions() as seen:
        torch.einsum("ij->i", x @ x)
        nn.Linear(2, 2, device="meta")(torch.ones(2, 2, device="meta"))
    assert seen.calls["torch.einsum"] == seen.calls["Tensor.matmul"] == seen.calls["torch.nn.Linear"] == ""
    assert seen.calls["torch.nn.functional.linear"] == "torch.nn.Linear"


def test_what_functions_and_backward_passes_call_is_not_seen() -> None:
    x = torch.ones(2, 2, requires_grad=True)
    with Functions() as seen:
        torch.nn.functional.cross_entropy(x, torch.tensor([0, 1])).backward()
    assert set(seen.calls) == {"torch.tensor", "torch.nn.functional.cross_entropy", "Tensor.backward"}


def test_functions_outside_the_block_are_not_seen() -> None:
    layer = nn.Dropout()
    before = nn.Module._call_impl
    with Functions() as seen:
        pass
    layer(torch.ones(2)).exp()
    assert seen.calls == {}
    assert nn.Module._call_impl is before


def test_watching_changes_no_result() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    models = [
        nn.TransformerEncoder(layer, 1),
        nn.MultiheadAttention(4, 2, batch_first=True),
        nn.LSTM(4, 3),
        nn.Softmax(0),
    ]
    x, padding = torch.rand(2, 3, 4), torch.tensor([[False] * 3, [False, True, True]])
    for model in models:
        arguments = {0: (x,), 1: (x, x, x, padding)}.get(models.index(model), (x,))
        options = {"src_key_padding_mask": padding} if model is models[0] else {}
        with torch.no_grad():
            model.eval()
            plain = model(*arguments, **options)
            with Operators(), Functions():
                watched = model(*arguments, **options)
        torch.testing.assert_close(watched, plain, rtol=0, atol=0)


def test_whatever_the_code_does_to_modes_others_stay_and_ours_goes() -> None:
    for disturb in (
        overrides._pop_mode,
        lambda: overrides._push_mode(overrides.BaseTorchFunctionMode()),
        lambda: torch.set_default_device("cpu"),
    ):
        with Functions() as seen:
            disturb()
            torch.ones(1).exp()
        assert seen not in overrides._get_current_function_mode_stack()
        torch.set_default_device(None)
        while overrides._get_current_function_mode_stack():
            overrides._pop_mode()


def test_an_exception_leaves_nothing_behind() -> None:
    before = nn.Module._call_impl
    try:
        with Operators(), Functions():
            nn.Linear(2, 3)(torch.ones(5))
    except RuntimeError:
        pass
    assert nn.Module._call_impl is before
    assert overrides._get_current_function_mode_stack() == []


def test_lazy_layers_and_copies_work_while_they_are_watched() -> None:
    with Operators(), Functions() as seen:
        model = nn.Sequential(nn.LazyLinear(3), nn.ReLU())
        assert copy.deepcopy(model)(torch.ones(2, 5)).shape == (2, 3)
    assert seen.calls["torch.nn.ReLU"] == ""


def function(source: str, file: str) -> object:
    scope: dict[str, object] = {}
    exec(compile(source, file, "exec"), scope)
    return scope["f"]


def work(source: str, size: int) -> tuple[int, int, bool]:
    """Lines and numbers that `f` costs for a vector of so many numbers, and whether it was watched all the time."""
    call = function(source, "student.py")
    with Lines() as lines:
        call(torch.arange(float(size)))  # type: ignore[operator]
    return sum(line.count for line in lines.counts), lines.listed, lines.watched


def test_lines_are_counted() -> None:
    assert work("def f(x):\n    for i in range(len(x)):\n        i + 1\n", 10)[0] == 21


IN_PYTHON = {
    "a loop": "def f(x):\n    for _ in range(len(x)):\n        pass\n",
    "under another name": "exec(compile('def f(x):\\n    for _ in range(len(x)):\\n        pass', 'else.py', 'exec'))",
    "in a comprehension": "def f(x):\n    return [i * 2 for i in range(len(x))]\n",
    "by map": "def f(x):\n    return list(map(lambda i: i * 2, range(len(x))))\n",
    "by reduce": "import functools\ndef f(x):\n    return functools.reduce(lambda a, b: a + b, range(len(x)))\n",
    "by NumPy": "import numpy\ndef f(x):\n    return numpy.vectorize(lambda v: v * 2)(x.numpy())\n",
    "by sorting": "def f(x):\n    return sorted(range(len(x)), key=lambda i: i)\n",
}


@pytest.mark.parametrize("source", IN_PYTHON.values(), ids=IN_PYTHON)
def test_a_loop_is_seen_however_it_is_run(source: str) -> None:
    small, large = work(source, 8), work(source, 64)
    assert large[0] - small[0] >= 56
    assert small[2]
    assert large[2]


IN_C = {
    "of a tensor": "def f(x):\n    return list(map((2.0).__mul__, x.tolist()))\n",
    "of an array": "def f(x):\n    return sum(x.numpy().tolist())\n",
}


@pytest.mark.parametrize("source", IN_C.values(), ids=IN_C)
def test_numbers_that_a_loop_in_c_goes_through_are_counted(source: str) -> None:
    assert (work(source, 8)[1], work(source, 64)[1]) == (8, 64)


SWITCHED_OFF = {
    "and put back": "import sys\ndef f(x):\n    before = sys.gettrace()\n    sys.settrace(None)\n"
    "    for _ in x:\n        pass\n    sys.settrace(before)\n",
    "from C": "import sys\ndef f(x):\n    list(map(sys.settrace, [None]))\n",
    "with the profile": "import sys\ndef f(x):\n    sys.setprofile(None)\n",
    "for one frame": "import sys\ndef f(x):\n    sys._getframe().f_trace = None\n    return [i for i in x]\n",
}


@pytest.mark.parametrize("source", SWITCHED_OFF.values(), ids=SWITCHED_OFF)
def test_it_is_noticed_if_tracing_is_switched_off(source: str) -> None:
    assert not work(source, 8)[2]


def test_generators_and_exceptions_leave_no_frame_open() -> None:
    source = """
def numbers(x):
    yield from range(3)

def f(x):
    for _ in numbers(x):
        break
    try:
        raise ValueError
    except ValueError:
        pass
"""
    assert work(source, 8)[2]


def test_lines_of_packages_are_counted_in_total() -> None:
    with Lines() as lines:
        torch.nn.functional.cross_entropy(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long))
    assert lines.elsewhere > 0
    assert not lines.counts or {line.file for line in lines.counts} == {__file__}


def test_the_tracers_before_are_put_back_after_an_exception() -> None:
    before = sys.gettrace(), sys.getprofile()
    try:
        with Lines():
            raise ValueError
    except ValueError:
        pass
    assert (sys.gettrace(), sys.getprofile()) == before
