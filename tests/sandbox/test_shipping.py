"""Probes arrive with all they close over, and with nothing that tells where they come from."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograder.probes import gradients
from autograder.sandbox import shipping

FACTOR = 3
MODULE = types.SimpleNamespace(double=lambda x: 2 * x)


def helper_of_the_grader(x: Any) -> Any:
    return FACTOR * x


class LayerOfTheGrader(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + FACTOR


@torch.no_grad()  # its wrapper has the function's name, and code that is PyTorch's
def decorated_helper(x: torch.Tensor) -> torch.Tensor:
    return x * FACTOR


class ModeOfTheGrader(TorchDispatchMode):
    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return operator(*args, **(kwargs or {})) + FACTOR


def shipped(probe: Any) -> Any:
    return shipping.loads(shipping.dumps(probe))(MODULE)


def test_a_closure_arrives_with_its_values() -> None:
    x, offset = torch.tensor([1.0, 2.0]), 5
    assert torch.equal(shipped(lambda m: m.double(x) + offset), torch.tensor([7.0, 9.0]))


def test_functions_globals_and_defaults_arrive() -> None:
    def probe(m: Any, extra: int = 4, *, more: int = 1) -> Any:
        return helper_of_the_grader(m.double(1)) + extra + more

    assert shipped(probe) == 11


def test_a_function_that_calls_itself_arrives() -> None:
    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    assert shipped(lambda _m: factorial(5)) == 120


def test_functions_that_call_each_other_arrive() -> None:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert shipped(lambda _m: even(10)) is True


def test_a_cell_that_is_still_empty_arrives_empty() -> None:
    def probe(_m: Any) -> Any:
        return later

    if not probe:
        later = 1
    with pytest.raises(NameError):
        shipped(probe)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.arange(12.0).reshape(3, 4)[:, 1::2],
        torch.arange(4.0).expand(3, 4),
        torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        torch.empty(0, 3),
        torch.tensor(5),
        torch.ones(3, dtype=torch.bfloat16),
        torch.tensor([True, False]),
        torch.tensor([1 + 2j]).conj(),
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)}-{tensor.dtype}",
)
def test_a_tensor_arrives_with_entries_dtype_and_strides(tensor: torch.Tensor) -> None:
    arrived = shipped(lambda _m: tensor)
    assert torch.equal(arrived, tensor)
    assert arrived.dtype is tensor.dtype
    if not tensor.is_conj():
        assert arrived.stride() == tensor.stride()


def test_the_gradient_flag_arrives() -> None:
    x = torch.ones(2, requires_grad=True)
    assert shipped(lambda _m: x.requires_grad) is True


def test_what_a_probe_does_to_its_arguments_does_not_reach_the_judge() -> None:
    x = torch.zeros(2)
    assert torch.equal(shipped(lambda _m: x.add_(1)), torch.ones(2))
    assert torch.equal(x, torch.zeros(2))


def test_engine_functions_arrive_by_name() -> None:
    x = torch.ones(2)
    (gradient,) = shipped(lambda m: gradients(m.double, x))
    assert gradient is not None


def test_a_class_arrives() -> None:
    class Local(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + FACTOR

    assert shipped(lambda _m: Local()(torch.zeros(1))).item() == 3


def elsewhere(probe: Any) -> Any:
    """The same in a process that has not imported this module."""
    code = (
        "import sys, types; from autograder.sandbox import shipping; "
        "print(shipping.loads(sys.stdin.buffer.read())(types.SimpleNamespace()))"
    )
    data = shipping.dumps(probe)
    return subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True).stdout.decode()


def test_a_decorated_function_arrives() -> None:
    x = torch.ones((), requires_grad=True)
    assert elsewhere(lambda _m: decorated_helper(x).requires_grad).strip() == "False"


def test_a_dispatch_mode_arrives() -> None:
    def probe(_m: Any) -> Any:
        with ModeOfTheGrader():
            x = torch.ones(())
        return x.item()

    assert float(elsewhere(probe)) == 4


def test_the_bytes_tell_nothing_of_the_grader() -> None:
    x = torch.ones(2)

    def test_secret_name_of_a_check(m: Any) -> Any:
        """A docstring of a hidden grader."""
        return helper_of_the_grader(m.double(x))

    data = shipping.dumps(test_secret_name_of_a_check)
    for tale in (b"test_shipping", b"secret_name", b"/tests/", __file__.encode()):
        assert tale not in data


def test_a_shipped_function_looks_like_any_other() -> None:
    def test_secret_name_of_a_check(m: Any) -> Any:
        return m

    code = shipping.loads(shipping.dumps(test_secret_name_of_a_check)).__code__  # type: ignore[attr-defined]
    assert (code.co_filename, code.co_name) == ("<probe>", "probe")


def test_equal_probes_are_equal_bytes() -> None:
    """Seeds depend on them."""

    def probe(x: torch.Tensor) -> Any:
        return lambda m: m.double(x)

    assert shipping.dumps(probe(torch.ones(2))) == shipping.dumps(probe(torch.ones(2)))
    assert shipping.dumps(probe(torch.ones(2))) != shipping.dumps(probe(torch.zeros(2)))
