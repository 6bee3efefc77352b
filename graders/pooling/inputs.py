"""Strategies for pooling: feature maps, and windows that fit them."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from autograder.grading.strategies import shapes, tensors


def feature_maps(values: str = "signed", dtype: torch.dtype = torch.float32, smallest: int = 1) -> st.SearchStrategy:
    """(H, W) with H ≠ W more often than not."""
    return tensors(shapes((smallest, 7), (smallest, 7)), values=values, dtype=dtype)


@st.composite
def padded_cases(draw: st.DrawFn, values: str = "signed", dtype: torch.dtype = torch.float32) -> tuple:
    """(map, kernel_size, strides, padding) where the window fits and padding ≤ kernel_size // 2."""
    kernel = draw(st.integers(1, 4))
    padding = draw(st.integers(0, kernel // 2))
    smallest = max(1, kernel - 2 * padding)
    shape = draw(shapes((smallest, 7), (smallest, 7)))
    return draw(tensors(shape, values=values, dtype=dtype)), kernel, draw(st.integers(1, 4)), padding
