"""Strategies for pooling: feature maps, batches of images, and windows that fit them.

What one check is about is left out of the inputs of the others, so that a mistake costs the points for it and no more.
Plain inputs are square maps without negative numbers, stored row by row, in which windows side by side leave nothing
over. Each check adds to them what it is about; one check of each exercise adds everything.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from autograder.grading.strategies import shapes, tensors

float32, float64 = torch.float32, torch.float64

# Numbers that float32 cannot hold: a map filled with one of them shows the precision of every pooling alike.
thirds = st.integers(1, 20).map(lambda number: number + 1 / 3)
below_zero = st.sampled_from([-500.0, -4e12])  # the second one wins over no number that is meant to stand for -inf


def feature_maps(values="signed", smallest=1, layouts=False):
    """(H, W), more often oblong than square."""
    return tensors(shapes((smallest, 7), (smallest, 7)), values=values, layouts=layouts)


def square_maps(values="non-negative", dtype=float32, sides=(2, 5), layouts=False):
    """(H, H)."""
    shape = st.integers(*sides).map(lambda side: (side, side))
    return tensors(shape, values=values, dtype=dtype, layouts=layouts)


@st.composite
def plain_cases(draw, leading=(), values="non-negative", dtype=float32, kernels=(2, 3), counts=(2, 3), layouts=False):
    """(input, kernel_size) where windows side by side cover square maps; `counts` is how many in each direction, and
    `leading` are the ranges of the extents before (H, W)."""
    kernel = draw(st.integers(*kernels))
    side = kernel * draw(st.integers(*counts))
    shape = draw(shapes(*leading, (side, side), (side, side)))
    return draw(tensors(shape, values=values, dtype=dtype, layouts=layouts)), kernel


@st.composite
def other_strides(draw, leading=()):
    """(input, kernel_size, stride) where the stride is not the kernel size, and still leaves nothing over."""
    kernel = draw(st.integers(2, 3))
    stride = draw(st.sampled_from([step for step in (1, 2, 3, 4) if step != kernel]))
    side = kernel + stride * draw(st.integers(1, 2))
    shape = draw(shapes(*leading, (side, side), (side, side)))
    return draw(tensors(shape, values="non-negative", layouts=False)), kernel, stride


@st.composite
def left_over_cases(draw, leading=()):
    """(input, kernel_size) where windows side by side leave rows and columns over."""
    kernel = draw(st.integers(2, 4))
    side = kernel * draw(st.integers(2, 3)) + draw(st.integers(1, kernel - 1))
    shape = draw(shapes(*leading, (side, side), (side, side)))
    return draw(tensors(shape, values="non-negative", layouts=False)), kernel


@st.composite
def one_window_cases(draw, leading=()):
    """(input, kernel_size) where the window is as large as the map."""
    kernel = draw(st.integers(2, 3))
    shape = draw(shapes(*leading, (kernel, kernel), (kernel, kernel)))
    return draw(tensors(shape, values="non-negative", layouts=False)), kernel


@st.composite
def padded_cases(draw):
    """(map, kernel_size, strides, padding) of all kinds where the window fits and padding ≤ kernel_size // 2."""
    padding = draw(st.integers(0, 2))
    kernel = draw(st.integers(max(1, 2 * padding), 4))
    smallest = max(1, kernel - 2 * padding)
    shape = draw(shapes((smallest, 7), (smallest, 7)))
    return draw(tensors(shape, layouts=True)), kernel, draw(st.integers(1, 4)), padding


@st.composite
def padded_squares(draw, value):
    """(map, kernel_size, strides, padding): four windows side by side cover a square map of one number and its border,
    which is narrower than half a window."""
    kernel, padding = draw(st.sampled_from([(3, 1), (4, 1), (5, 2)]))
    side = 2 * kernel - 2 * padding
    return torch.full((side, side), draw(value)), kernel, kernel, padding


@st.composite
def oblong_cases(draw):
    """(map, (p_h, p_w)) where the window fits."""
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = draw(shapes((window[0], 6), (window[1], 6)))
    return draw(tensors(shape, layouts=True)), window


@st.composite
def strided_cases(draw, leading=((1, 3),), values="signed", kernels=(1, 4)):
    """(input, kernel_size, stride) where the window fits; `leading` are the ranges of the extents before (H, W)."""
    kernel = draw(st.integers(*kernels))
    shape = draw(shapes(*leading, (kernel, 7), (kernel, 7)))
    return draw(tensors(shape, values=values, layouts=True)), kernel, draw(st.integers(1, 4))


def image_cases(**options):
    """(batch, kernel_size, stride) where batch is (N, C, H, W)."""
    return strided_cases(leading=((1, 2), (1, 3)), **options)


def images(values="signed", channels=(1, 4), sides=(1, 6), layouts=False):
    """(N, C, H, W), including extents of 1 and oblong maps."""
    return tensors(shapes((1, 3), channels, sides, sides), values=values, layouts=layouts)


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


def energy(function):
    """x ↦ the sum of the squares of `function(x)`. Its gradient shows which entries of x the result depends on, and
    not in which places of the result they are."""
    return lambda x: function(x).square().sum()
