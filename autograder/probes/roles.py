"""What each parameter and buffer of a module is for, whatever its name, its place and its owner's class.

Two models that compute the same thing may name and order their layers differently, implement batch normalisation
themselves, or use a linear layer for a convolution that sees its whole input at once. Comparing them needs a
description that none of this changes: the role of a tensor, and its shape without extents of 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

WEIGHT, BIAS, SCALE, MEAN, VARIANCE = "weights", "biases", "scales", "running means", "running variances"
Group = tuple[str, tuple[int, ...]]  # role, shape: of weights (outputs, numbers for each), else without extents of 1

_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
_LAYERS = (nn.Linear, nn.Bilinear, _ConvNd)
# Words that a name, or a part of it, ends with. If the name says nothing, the tensor's initial numbers decide.
_SCALES, _BIASES = ("gamma", "scale", "gain"), ("bias", "beta", "shift", "offset", "b")
_MEANS, _VARIANCES = ("mean", "avg", "average", "mu", "rm"), ("var", "variance", "std", "sigma", "rv")
_WHOLE = ("gain", "b", "mu", "rm", "rv")  # these only count as a whole part: "again" is not a gain


def parameters(model: nn.Module) -> Iterator[tuple[Group, nn.Parameter]]:
    """Every parameter once, with its group, in the order of registration."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield _group(owner, name, parameter), parameter


def running_statistics(model: nn.Module) -> Iterator[tuple[Group, torch.Tensor]]:
    """Every running mean and variance once, with its group. Other buffers are left out."""
    seen: set[int] = set()
    for owner in model.modules():
        for name, buffer in owner.named_buffers(recurse=False):
            role = _remembered(owner, name, _statistic, buffer)
            if role and id(buffer) not in seen:
                seen.add(id(buffer))
                yield (role, _squeezed(buffer)), buffer


def _group(owner: nn.Module, name: str, parameter: nn.Parameter) -> Group:
    role = _remembered(owner, name, _role, parameter)
    if role == WEIGHT and parameter.numel():
        return role, (parameter.shape[0], parameter.numel() // parameter.shape[0])
    return role, _squeezed(parameter)


def _remembered(
    owner: nn.Module, name: str, judge: Callable[[nn.Module, str, torch.Tensor], str], tensor: torch.Tensor
) -> str:
    """The role that a tensor had when it was first looked at: the numbers that reveal it are replaced later."""
    known: dict[str, str] = owner.__dict__.setdefault("_autograder_roles", {})
    if name not in known:
        known[name] = judge(owner, name, tensor)
    return known[name]


def _role(owner: nn.Module, name: str, parameter: torch.Tensor) -> str:
    """Biases of layers and shifts of normalisations share one role: writing one as the other changes nothing."""
    if isinstance(owner, _NORMS):
        return BIAS if name == "bias" else SCALE
    if isinstance(owner, _LAYERS) and name == "weight":
        return WEIGHT
    if len(_squeezed(parameter)) >= 2:
        return WEIGHT
    if _speaks_of(_BIASES, name):
        return BIAS
    if _speaks_of(_SCALES, name) or _all(parameter, 1):
        return SCALE
    normalises = any(_statistic(owner, other, buffer) for other, buffer in owner.named_buffers(recurse=False))
    if _all(parameter, 0):  # a scale that starts at zero has "weight" in its name and an owner with statistics
        return SCALE if normalises and "weight" in name else BIAS
    return WEIGHT if parameter.dim() >= 2 else BIAS


def _statistic(owner: nn.Module, name: str, buffer: torch.Tensor) -> str:
    if not buffer.is_floating_point():
        return ""
    if _speaks_of(_VARIANCES, name):
        return VARIANCE
    if _speaks_of(_MEANS, name):
        return MEAN
    holders = [owner, *(part for part in owner.children() if isinstance(part, nn.ParameterDict | nn.ParameterList))]
    vectors = [value for part in holders for value in part.parameters(recurse=False) if len(_squeezed(value)) < 2]
    if sum(value.numel() == buffer.numel() for value in vectors) < 2:  # a scale and a shift
        return ""
    return VARIANCE if _all(buffer, 1) else MEAN if _all(buffer, 0) else ""


def _squeezed(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(extent for extent in tensor.shape if extent != 1)


def _speaks_of(words: tuple[str, ...], name: str) -> bool:
    parts = re.findall("[a-z]+", name.lower())
    return any(part == word or (word not in _WHOLE and part.endswith(word)) for part in parts for word in words)


def _all(tensor: torch.Tensor, number: float) -> bool:
    return tensor.numel() > 0 and not tensor.is_meta and bool((tensor == number).all())
