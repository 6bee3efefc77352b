"""Gradients of a fixed weighted sum of what a function or a module returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from autograder.probes import roles
from autograder.probes.symmetric import distinct_weights, power_sums


def gradients(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    """Gradients of a fixed weighted sum of `function(*inputs)` with respect to each input.

    The weights differ from entry to entry, so a gradient in the wrong place is noticed. An input that no gradient
    reaches, or an output without a graph, yields None.

    Args:
        function: maps the inputs to one floating-point tensor of any shape.
        inputs: floating-point tensors; they are copied (with their strides), and the originals are not changed.
    """
    leaves = [_leaf(tensor) for tensor in inputs]
    output = function(*leaves)
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        return (None,) * len(leaves)
    return torch.autograd.grad((output * weights(output)).sum(), leaves, allow_unused=True)


def parameter_gradients(model: nn.Module, *inputs: torch.Tensor) -> dict[str, object]:
    """Gradients of a fixed weighted sum of `model(*inputs)` with respect to all parameters, whatever their order.

    For each role and shape: the sum of the gradients of its parameters and the sum of their squares, which together
    show whether each parameter has the right gradient. None if no gradient reaches any of them.

    Args:
        model: returns one floating-point tensor. Its parameters' `.grad` are not changed.
        inputs: are not modified.
    """
    return _in_one_pass(model, [tensor.detach().clone() for tensor in inputs])[1]


def all_gradients(model: nn.Module, x: torch.Tensor) -> dict[str, object]:
    """The "gradient of the input" as in `gradients(model, x)`, plus `parameter_gradients(model, x)`, in one pass."""
    (of_input,), of_parameters = _in_one_pass(model, [_leaf(x)])
    return {"gradient of the input": of_input, **of_parameters}


def weights(tensor: torch.Tensor) -> torch.Tensor:
    """Numbers in [0.5, 1.5) for the entries of `tensor`, no two neighbours equal; the same for every caller."""
    return distinct_weights(tensor.numel()).to(tensor.dtype).to(tensor.device).reshape(tensor.shape)


def _in_one_pass(
    model: nn.Module, inputs: list[torch.Tensor]
) -> tuple[Sequence[torch.Tensor | None], dict[str, object]]:
    """Gradients for the inputs that require one, and for all parameters, by group."""
    leaves = [tensor for tensor in inputs if tensor.requires_grad]
    groups = [group for group, _ in roles.parameters(model)]
    tensors = [tensor for _, tensor in roles.parameters(model)]
    wanted = [tensor.requires_grad for tensor in tensors]
    for tensor in tensors:
        tensor.requires_grad_()
    try:
        output = model(*inputs)
        sources = [*leaves, *tensors]
        found: Sequence[torch.Tensor | None] = [None] * len(sources)
        if sources and output.requires_grad:
            found = torch.autograd.grad((output * weights(output)).sum(), sources, allow_unused=True)
    finally:
        for tensor, required in zip(tensors, wanted, strict=True):
            tensor.requires_grad_(required)
    of_parameters = power_sums(zip(groups, found[len(leaves) :], strict=True))
    return found[: len(leaves)], {f"gradient of the {words}": sums for words, sums in of_parameters.items()}


def _leaf(tensor: torch.Tensor) -> torch.Tensor:
    if any(step == 0 for step in tensor.stride()):  # an expanded tensor: its entries share memory
        return tensor.detach().clone().requires_grad_()
    copy = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device)
    return copy.copy_(tensor.detach()).requires_grad_()
