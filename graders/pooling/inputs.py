"""Strategies for pooling: feature maps, batches of images, and windows that fit them.

Tensors are stored row by row unless `layouts` is set. One check of each exercise sets it, so that a `.view` in the
wrong place costs one check and not all.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from autograder.grading.strategies import shapes, tensors

float32, float64 = torch.float32, torch.float64


def feature_maps(values="signed", dtype=float32, smallest=1, layouts=False):
    """(H, W), more often oblong than square."""
    return tensors(shapes((smallest, 7), (smallest, 7)), values=values, dtype=dtype, layouts=layouts)


@st.composite
def padded_cases(draw, values="signed", dtype=float32, paddings=(0, 2), layouts=False):
    """(map, kernel_size, strides, padding) where the window fits and padding ≤ kernel_size // 2."""
    padding = draw(st.integers(*paddings))
    kernel = draw(st.integers(max(1, 2 * padding), 4))
    smallest = max(1, kernel - 2 * padding)
    shape = draw(shapes((smallest, 7), (smallest, 7)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), kernel, draw(st.integers(1, 4)), padding


@st.composite
def oblong_cases(draw, values="signed", dtype=float32, layouts=False):
    """(map, (p_h, p_w)) where the window fits."""
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = draw(shapes((window[0], 6), (window[1], 6)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), window


@st.composite
def strided_cases(draw, leading=((1, 3),), values="signed", dtype=float32, kernels=(1, 4), layouts=False):
    """(input, kernel_size, stride) where the window fits; `leading` are the ranges of the extents before (H, W)."""
    kernel = draw(st.integers(*kernels))
    shape = draw(shapes(*leading, (kernel, 7), (kernel, 7)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), kernel, draw(st.integers(1, 4))


def image_cases(**options):
    """(batch, kernel_size, stride) where batch is (N, C, H, W)."""
    return strided_cases(leading=((1, 2), (1, 3)), **options)


def images(values="signed", dtype=float32, channels=(1, 4), sides=(1, 6), layouts=False):
    """(N, C, H, W), including extents of 1 and oblong maps."""
    return tensors(shapes((1, 3), channels, sides, sides), values=values, dtype=dtype, layouts=layouts)


@st.composite
def too_large_windows(draw, leading=((1, 2), (1, 3))):
    """(input, kernel_size) where the window is larger than the map in at least one direction."""
    kernel = draw(st.integers(2, 5))
    short, other = draw(st.integers(1, kernel - 1)), draw(st.integers(1, 6))
    sides = draw(st.sampled_from([(short, other), (other, short)]))
    shape = (*draw(shapes(*leading)), *sides) if leading else sides
    return draw(tensors(shape, values="non-negative", layouts=False)), kernel


# --- used in probes --------------------------------------------------------------------------------------------------

# Images unlike any that a strategy makes, for a layer that has seen another one before: more samples, other sides.
OTHER_IMAGES = torch.arange(3 * 4 * 8 * 9, dtype=float64).remainder(11).reshape(3, 4, 8, 9) / 3
