"""Helpers that a probe may call inside the worker (and, on the reference, inside the judge)."""

from __future__ import annotations

from collections.abc import Callable

import torch


def gradients(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    """Gradients of a fixed weighted sum of `function(*inputs)` with respect to each input.

    The weights differ from entry to entry, so a gradient that arrives at the wrong place shows. An input that no
    gradient reaches, or an output that has no graph at all, yields None.

    Args:
        function: maps the inputs to one floating-point tensor of any shape.
        inputs: floating-point tensors; they are copied (with their strides) and the originals stay untouched.
    """
    leaves = [_leaf(tensor) for tensor in inputs]
    output = function(*leaves)
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        return (None,) * len(leaves)
    return torch.autograd.grad((output * weights(output)).sum(), leaves, allow_unused=True)


def weights(tensor: torch.Tensor) -> torch.Tensor:
    """Numbers in [0.5, 1.5) for the entries of `tensor`, no two neighbours alike; the same for every caller."""
    count = torch.arange(tensor.numel(), dtype=torch.float64)
    return (0.5 + (count * 0.6180339887498949) % 1.0).to(tensor.dtype).to(tensor.device).reshape(tensor.shape)


def _leaf(tensor: torch.Tensor) -> torch.Tensor:
    if any(step == 0 for step in tensor.stride()):  # an expanded tensor: its entries share memory
        return tensor.detach().clone().requires_grad_()
    copy = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device)
    return copy.copy_(tensor.detach()).requires_grad_()
