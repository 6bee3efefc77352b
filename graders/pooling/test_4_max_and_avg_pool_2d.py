"""`max_pool_2d(x, kernel_size=2, stride=2)` and `avg_pool_2d`: the same without loops over the map."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    below_zero,
    float64,
    left_over_cases,
    one_window_cases,
    other_strides,
    plain_cases,
    strided_cases,
    too_large_windows,
)

from autograder.grading import POOLING, exercise, forbids, points
from autograder.grading.strategies import normal
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = forbids(POOLING)
both = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=exercise(name), id=name) for name in ("max_pool_2d", "avg_pool_2d")]
)

one_channel = ((1, 1),)


def plain_inputs(**options):
    """(input, kernel_size) where the input is (H, W) or (C, H, W)."""
    return st.one_of(plain_cases(one_channel, **options), plain_cases(**options))


@both
@points(1)
@given(case=plain_cases(((2, 3),), kernels=(2, 2)))
def test_several_channels(same_outcome, name, case):
    """Every channel of (C, H, W) is pooled on its own; kernel size and stride are 2 by default."""
    x, kernel = case
    same_outcome(lambda m: getattr(m, name)(x))
    same_outcome(lambda m: getattr(m, name)(x, kernel_size=kernel, stride=kernel))


@both
@points(0.5)
@given(case=plain_cases(kernels=(2, 2)))
def test_one_map(same_outcome, name, case):
    """A map (H, W) is accepted and stays a map: the result has two dimensions."""
    same_outcome(lambda m: {"number of dimensions": getattr(m, name)(case[0]).dim()})


@both
@points(0.5)
@given(case=other_strides(one_channel))
def test_stride(same_outcome, name, case):
    """The window moves by the stride, which may be smaller or larger than the kernel size."""
    x, kernel, stride = case
    same_outcome(lambda m: getattr(m, name)(x, kernel, stride=stride))


@both
@points(0.5)
@given(case=left_over_cases(one_channel))
def test_rows_and_columns_left_over(same_outcome, name, case):
    """Rows and columns that do not fill a window are dropped."""
    x, kernel = case
    same_outcome(lambda m: {"rows and columns": getattr(m, name)(x, kernel, kernel).shape[-2:]})


@exercise("max_pool_2d")
@points(0.5)
@settings(max_examples=15)
@given(case=plain_cases(one_channel, kernels=(2, 2)), number=below_zero)
def test_negative_numbers(same_outcome, case, number):
    """The maximum of negative numbers is negative, however small they are."""
    x = torch.full_like(case[0], number)
    same_outcome(lambda m: {"first number": m.max_pool_2d(x).flatten()[0]})


@exercise("avg_pool_2d")
@points(0.5)
@given(case=plain_cases(one_channel, kernels=(3, 4)))
def test_number_of_pixels(same_outcome, case):
    """The mean of a window of k rows and k columns is over k² numbers."""
    x, kernel = case
    same_outcome(lambda m: {"first number": m.avg_pool_2d(x, kernel, kernel).flatten()[0]})


@both
@points(0.5)
@settings(max_examples=12)
@given(case=one_window_cases(((1, 2),)), single=plain_cases(one_channel, kernels=(2, 2)))
def test_extents_of_one(same_outcome, name, case, single):
    """The rank is kept with one channel, or one row and one column: (1, H, W) does not become (H, W)."""
    x, kernel = case
    same_outcome(lambda m: getattr(m, name)(x, kernel, kernel).shape)
    same_outcome(lambda m: getattr(m, name)(single[0]).shape)


@both
@points(0.5)
def test_vectorised(vectorised, name):
    """The work done in Python does not grow with the number of channels, rows or columns."""
    hint = "Loop over the positions inside the window, not over rows, columns or channels."
    for kernel, stride in ((2, 2), (3, 1)):
        for sizes in ([(3, 8, 8), (3, 8, 32), (3, 32, 8), (9, 8, 8)], [(8, 8), (8, 32), (32, 8)]):
            maps = [torch.rand(size) for size in sizes]
            vectorised(lambda m, x, k=kernel, s=stride: getattr(m, name)(x, k, s), *maps, hint=hint)


@both
@points(0.25)
@settings(max_examples=15)
@given(case=plain_cases(one_channel, kernels=(2, 2), counts=(3, 3), layouts=True))
def test_any_memory_layout(same_outcome, name, case):
    """The input may be transposed or cut out of a larger one."""
    same_outcome(lambda m: {"first numbers": getattr(m, name)(case[0])[..., :2, :2]})


@both
@points(0.5)
@settings(max_examples=16)
@given(case=plain_inputs(dtype=float64, kernels=(3, 3), counts=(2, 2)))
def test_dtype(same_outcome, name, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    x, _ = case
    single = x.float()
    same_outcome(lambda m: {f"dtype for {one.dtype}": getattr(m, name)(one).dtype for one in (single, x)})
    same_outcome(lambda m: {"first number": getattr(m, name)(x / 3, 3, 3).flatten()[0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: getattr(m, name)(x), x))


@both
@points(0.5)
@settings(max_examples=16)
@given(case=plain_inputs(values="distinct", kernels=(2, 2)))
def test_gradient(same_outcome, name, case):
    """The gradient reaches the input, be it a map or a stack of maps."""
    x = case[0] + 50  # all positive: another check is about negative numbers
    same_outcome(lambda m: {"gradient": gradients(lambda x: getattr(m, name)(x), x)[0]})


@both
@points(0.25)
@settings(max_examples=16)
@given(case=plain_cases(one_channel))
def test_argument_is_not_modified(same_outcome, name, case):
    """The call modifies neither its argument nor the result of an earlier call."""
    x, kernel = case

    def probe(m):
        outlasts = after_another_call(lambda x: getattr(m, name)(x, kernel, kernel), x, x + 1)
        return {"input after the call": x, **outlasts}

    same_outcome(probe)


@both
@points(0.5)
@given(case=st.one_of(too_large_windows(leading=((1, 2),)), too_large_windows(leading=())))
def test_window_that_does_not_fit(same_outcome, name, case):
    """A window larger than the map raises a ValueError, for one map and for a stack."""
    x, kernel = case
    same_outcome(lambda m: getattr(m, name)(x, kernel, kernel), raises=ValueError)


@both
@points(0.5)
def test_speed(forward_time, name):
    """A stack of large maps is pooled about as fast as possible."""
    forward_time(lambda m: lambda x: getattr(m, name)(x, 3, 2), normal((32, 65, 65)), cpu=(25, 100), cuda=(25, 100))


@both
@points(0.5)
@settings(max_examples=30)
@given(case=st.one_of(strided_cases(), strided_cases(leading=())))
def test_everything_together(same_outcome, name, case):
    """Maps and stacks of any size, sign and memory layout, with windows and strides of any size."""
    same_outcome(lambda m: getattr(m, name)(*case), exact="shape")
