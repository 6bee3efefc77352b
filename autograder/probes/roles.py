"""What each parameter and buffer of a module is for, whatever its name, its place and its owner's class.

Two models that compute the same may name and order their layers differently, write batch normalisation themselves, or
use a linear layer for a 1×1 convolution. Comparing them needs a description that all of that leaves alone: the role of
a tensor, and its shape without extents of 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

WEIGHT, BIAS, SCALE, SHIFT, MEAN, VARIANCE = (
    "weights",
    "biases",
    "normalisation scales",
    "normalisation shifts",
    "running means",
    "running variances",
)
Group = tuple[str, tuple[int, ...]]  # role, shape without extents of 1

_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)


def parameters(model: nn.Module) -> Iterator[tuple[Group, nn.Parameter]]:
    """Every parameter once, with its group; in the order of registration."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield (_role(owner, name, parameter), _squeezed(parameter)), parameter


def running_statistics(model: nn.Module) -> Iterator[tuple[Group, torch.Tensor]]:
    """Every running mean and variance once, with its group. Other buffers are nobody's business."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, buffer in owner.named_buffers(recurse=False):
            role = VARIANCE if "var" in name else MEAN if "mean" in name else ""
            if role and buffer.is_floating_point() and id(buffer) not in seen:
                seen.add(id(buffer))
                yield (role, _squeezed(buffer)), buffer


def _squeezed(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(extent for extent in tensor.shape if extent != 1)


def _role(owner: nn.Module, name: str, parameter: nn.Parameter) -> str:
    if isinstance(owner, _NORMS) or any("mean" in buffer for buffer, _ in owner.named_buffers(recurse=False)):
        return SHIFT if any(word in name for word in ("bias", "beta", "shift")) else SCALE
    if parameter.dim() < 2 or "bias" in name:
        return BIAS
    return WEIGHT
