"""What each parameter and buffer of a module is for, whatever its name, its place and its owner's class.

Two models that compute the same may name and order their layers differently, write batch normalisation themselves, or
use a linear layer for a convolution that sees all of its input at once. Comparing them needs a description that all of
that leaves alone: the role of a tensor, and what is left of its shape.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

WEIGHT, BIAS, SCALE, MEAN, VARIANCE = "weights", "biases", "scales", "running means", "running variances"
Group = tuple[str, tuple[int, ...]]  # role, shape: of weights (outputs, numbers for each), else without extents of 1

_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
_SCALES, _BIASES = ("gamma", "scale", "gain"), ("bias", "beta", "shift")
_MEANS, _VARIANCES = ("mean", "avg", "mu"), ("var", "std", "sigma")


def parameters(model: nn.Module) -> Iterator[tuple[Group, nn.Parameter]]:
    """Every parameter once, with its group; in the order of registration."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield _group(owner, name, parameter), parameter


def running_statistics(model: nn.Module) -> Iterator[tuple[Group, torch.Tensor]]:
    """Every running mean and variance once, with its group. Other buffers are nobody's business."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, buffer in owner.named_buffers(recurse=False):
            role = VARIANCE if _speaks_of(_VARIANCES, name) else MEAN if _speaks_of(_MEANS, name) else ""
            if role and buffer.is_floating_point() and id(buffer) not in seen:
                seen.add(id(buffer))
                yield (role, _squeezed(buffer)), buffer


def _squeezed(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(extent for extent in tensor.shape if extent != 1)


def _speaks_of(words: tuple[str, ...], name: str) -> bool:
    return any(word in name.lower() for word in words)


def _group(owner: nn.Module, name: str, parameter: nn.Parameter) -> Group:
    role = _role(owner, name, parameter)
    if role == WEIGHT and parameter.numel():
        return role, (parameter.shape[0], parameter.numel() // parameter.shape[0])
    return role, _squeezed(parameter)


def _role(owner: nn.Module, name: str, parameter: nn.Parameter) -> str:
    """Biases of layers and shifts of normalisation are alike: one that is written as the other changes nothing."""
    if isinstance(owner, _NORMS):
        return BIAS if name == "bias" else SCALE
    if len(_squeezed(parameter)) >= 2:
        return WEIGHT
    if _speaks_of(_SCALES, name):
        return SCALE
    if _speaks_of(_BIASES, name):
        return BIAS
    if parameter.dim() >= 2:
        return WEIGHT
    normalises = any(_speaks_of(_MEANS, buffer) for buffer, _ in owner.named_buffers(recurse=False))
    return SCALE if normalises else BIAS
