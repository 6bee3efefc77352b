"""Summaries of several tensors that do not depend on their order."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable

import torch

from autograder.probes.roles import WEIGHT, Group

_WHOLE = 64  # a tensor with at most this many entries is reported as it is
_BINS = 32  # a larger one is reduced to this many numbers


def power_sums(members: Iterable[tuple[Group, torch.Tensor | None]]) -> dict[str, object]:
    """For each group in words: {"members", "sum", "sum of squares"} over its members, entry by entry.

    Sums of powers do not depend on the order, so there is nothing to sort and there are no ties to break. Large tensors
    are reduced to a few weighted sums of their entries. A member that is None counts as zeros; a group with nothing but
    None is None.
    """
    groups: defaultdict[Group, list[torch.Tensor | None]] = defaultdict(list)
    for group, tensor in members:
        groups[group].append(tensor)
    return {_words(group): _sums(groups[group]) for group in sorted(groups)}


@functools.lru_cache(maxsize=64)
def distinct_weights(count: int) -> torch.Tensor:
    """`count` numbers in [0.5, 1.5), no two neighbours equal, in double precision."""
    return 0.5 + (torch.arange(count, dtype=torch.float64) * 0.6180339887498949) % 1.0


def _words(group: Group) -> str:
    role, shape = group
    if role == WEIGHT and len(shape) == 2:
        return f"{role} of layers with {shape[0]} outputs from {shape[1]} numbers each"
    return f"{role} of shape {'×'.join(map(str, shape)) or '1'}"


def _sums(members: list[torch.Tensor | None]) -> object:
    flat = [member.detach().reshape(-1) for member in members if member is not None]
    if not flat:
        return None
    total, squares = flat[0], flat[0] * flat[0]
    for tensor in flat[1:]:
        total, squares = total + tensor, squares + tensor * tensor
    return {"members": len(members), "sum": _reduced(total), "sum of squares": _reduced(squares)}


def _reduced(flat: torch.Tensor) -> torch.Tensor:
    count = flat.numel()
    if count <= _WHOLE:
        return flat
    rows, rest = divmod(count, _BINS)
    weights = distinct_weights(rows + 1)
    numbers = flat.double()
    sums = weights[:rows] @ numbers[: rows * _BINS].view(rows, _BINS)
    sums[:rest] += weights[rows] * numbers[rows * _BINS :]
    return sums.to(flat.dtype)
