"""Hypothesis strategies for tensors: quick to draw, readable when shrunk, in every memory layout that courses need."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st

__all__ = ["module_modes", "normal", "shapes", "tensors"]

Shape = tuple[int, ...]

_STEP = 0.5


def _number(byte: int) -> float:
    """0, 0.5, −0.5, 1, −1, …: zero is the simplest, so a shrunk tensor is mostly zeros."""
    return (byte + 1) // 2 * _STEP * (1 if byte % 2 else -1)


_SIGNED = torch.tensor([_number(byte) for byte in range(64)] * 4, dtype=torch.float64)
_NON_NEGATIVE = torch.tensor([byte * _STEP for byte in range(32)] * 8, dtype=torch.float64)
_NEGATIVE = -_NON_NEGATIVE - _STEP


@st.composite
def tensors(
    draw: st.DrawFn,
    shapes: st.SearchStrategy[Shape] | Shape,
    *,
    dtype: torch.dtype = torch.float32,
    values: str = "signed",
    layouts: bool = True,
) -> torch.Tensor:
    """Tensors of multiples of 0.5 (exact in every dtype, so wrong sums and means cannot be blamed on rounding).

    Args:
        shapes: one shape or a strategy of shapes.
        values: "signed", "non-negative", "negative", or "distinct" (no two entries are equal: gradients without ties).
        layouts: also draw transposed, sliced and (for 4 dimensions) channels-last memory.
    """
    shape = draw(shapes) if isinstance(shapes, st.SearchStrategy) else shapes
    count = 1
    for extent in shape:
        count *= extent
    if values == "distinct":
        order = torch.randperm(count, generator=torch.Generator().manual_seed(draw(st.integers(0, 2**16))))
        flat = (order.to(torch.float64) - count // 2) * _STEP
    else:
        table = {"signed": _SIGNED, "non-negative": _NON_NEGATIVE, "negative": _NEGATIVE}[values]
        data = draw(st.binary(min_size=count, max_size=count))
        flat = table[torch.frombuffer(bytearray(data), dtype=torch.uint8).long()] if count else table[:0]
    tensor = flat.reshape(shape).to(dtype)
    return draw(st.sampled_from(_layouts(len(shape))))(tensor) if layouts else tensor


def shapes(*extents: tuple[int, int]) -> st.SearchStrategy[Shape]:
    """Shapes with extents in the given (smallest, largest) ranges."""
    return st.tuples(*(st.integers(low, high) for low, high in extents))


def _layouts(dimensions: int) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    known: list[Callable[[torch.Tensor], torch.Tensor]] = [_contiguous]
    if dimensions >= 2:
        known += [_transposed, _sliced]
    if dimensions == 4:
        known.append(_channels_last)
    return known


def _contiguous(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _transposed(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)


def _sliced(tensor: torch.Tensor) -> torch.Tensor:
    wide = torch.zeros(*tensor.shape[:-1], 2 * tensor.shape[-1] + 1, dtype=tensor.dtype)
    view = wide[..., 1::2]
    view.copy_(tensor)
    return view


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def module_modes() -> st.SearchStrategy[bool]:
    """Arguments for `module.train(mode)`: training and evaluation mode."""
    return st.booleans()


def normal(*shapes: Shape, dtype: torch.dtype = torch.float32) -> Callable[[torch.Generator], tuple[torch.Tensor, ...]]:
    """For `forward_time`: makes one tensor of each shape, normally distributed, from a generator."""
    return lambda generator: tuple(torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes)
