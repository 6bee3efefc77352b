"""`max_pool_2d(x, kernel_size=2, stride=2)` and `avg_pool_2d`: the same without loops over the map."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import float64, strided_cases, too_large_windows

from autograder.grading import POOLING, exercise, forbids, points
from autograder.grading.strategies import normal, shapes, tensors
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [
    forbids(POOLING),
    pytest.mark.parametrize(
        "name", [pytest.param(name, marks=exercise(name), id=name) for name in ("max_pool_2d", "avg_pool_2d")]
    ),
]


def maps_and_stacks(**options):
    """(input, kernel_size, stride) where the input is (H, W) or (C, H, W)."""
    return st.one_of(strided_cases(**options), strided_cases(leading=(), **options))


@points(0.5)
@given(case=strided_cases(leading=()), plain=tensors(shapes((3, 7), (3, 7)), layouts=False))
def test_one_map(same_outcome, name, case, plain):
    """A map (H, W) is pooled and stays a map; kernel size and stride are 2 by default."""
    same_outcome(lambda m: getattr(m, name)(*case))
    same_outcome(lambda m: getattr(m, name)(plain))
    same_outcome(lambda m: getattr(m, name)(plain, kernel_size=3))
    same_outcome(lambda m: getattr(m, name)(plain, stride=1))


@points(1)
@given(case=strided_cases(), negative=strided_cases(values="negative"))
def test_several_channels(same_outcome, name, case, negative):
    """Every channel of (C, H, W) is pooled on its own."""
    same_outcome(lambda m: getattr(m, name)(*case))
    same_outcome(lambda m: getattr(m, name)(negative[0] * 1000, kernel_size=negative[1], stride=negative[2]))


@points(1)
@given(
    x=tensors(
        st.sampled_from([(1, 4, 5), (2, 2, 2), (1, 2, 2), (1, 2, 5), (3, 5, 2), (2, 2), (2, 6), (5, 3)]), layouts=False
    )
)
def test_extents_of_one(same_outcome, name, x):
    """The rank is kept with one channel, one row or one column: (1, H, W) does not become (H, W)."""
    same_outcome(lambda m: getattr(m, name)(x), exact="shape")


@points(1)
def test_vectorised(vectorised, name):
    """The work done in Python does not grow with the number of channels, rows or columns."""
    hint = "Loop over the positions inside the window, not over rows, columns or channels."
    for kernel, stride in ((2, 2), (3, 1)):
        for sizes in ([(3, 8, 8), (3, 8, 32), (3, 32, 8), (9, 8, 8)], [(8, 8), (8, 32), (32, 8)]):
            maps = [torch.rand(size) for size in sizes]
            vectorised(lambda m, x, k=kernel, s=stride: getattr(m, name)(x, k, s), *maps, hint=hint)


@points(0.5)
@given(case=strided_cases(layouts=True))
def test_any_memory_layout(same_outcome, name, case):
    """The input may be transposed or cut out of a larger one."""
    same_outcome(lambda m: getattr(m, name)(*case))


@points(0.5)
@given(case=maps_and_stacks(dtype=float64))
def test_dtype(same_outcome, name, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    x, *window = case
    same_outcome(lambda m: getattr(m, name)(x / 3, *window), exact="dtype")
    same_outcome(lambda m: getattr(m, name)(x.float(), *window), exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: getattr(m, name)(x, *window), x))


@points(0.5)
@given(case=maps_and_stacks(values="distinct"))
def test_gradient(same_outcome, name, case):
    """The gradient reaches the input, be it a map or a stack of maps."""
    x, *window = case
    same_outcome(lambda m: {"gradient": gradients(lambda x: getattr(m, name)(x, *window), x)[0]})


@points(0.5)
@given(case=maps_and_stacks())
def test_argument_is_not_modified(same_outcome, name, case):
    """The call modifies neither its argument nor the result of an earlier call."""
    x, *window = case

    def probe(m):
        outlasts = after_another_call(lambda x: getattr(m, name)(x, *window), x, x + 1)
        return {"input after the call": x, **outlasts}

    same_outcome(probe)


@points(0.5)
@given(
    case=st.one_of(too_large_windows(leading=((1, 2),)), too_large_windows(leading=())),
    stride=st.integers(1, 2),
)
def test_window_that_does_not_fit(same_outcome, name, case, stride):
    """A window larger than the map raises a ValueError, for one map and for a stack."""
    same_outcome(lambda m: getattr(m, name)(*case, stride), raises=ValueError)


@points(1)
def test_speed(forward_time, name):
    """A stack of large maps is pooled about as fast as possible."""
    forward_time(lambda m: lambda x: getattr(m, name)(x, 3, 2), normal((32, 64, 64)), cpu=(8, 32), cuda=(8, 32))
