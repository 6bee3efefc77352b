"""`LPPooling(kernel_size, stride=None, p=2)`: the p-mean of absolute values."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    OTHER_IMAGES,
    float64,
    image_cases,
    one_window_cases,
    other_strides,
    plain_cases,
    thirds,
    too_large_windows,
)

from autograder.grading import exercise, points
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("LPPooling")

powers = st.sampled_from([1, 1.5, 3, 4, 0.5, 0.25])
several = ((2, 2), (2, 3))  # images and channels of a plain batch


@points(0.75)
@given(case=plain_cases(several), training=st.booleans())
def test_root_mean_square(same_outcome, case, training):
    """With p = 2 (the default) every result is the root of the *mean* of the squares, in both modes."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel).train(training)(x))


@points(0.75)
@given(case=plain_cases(several), p=powers)
def test_other_powers(same_outcome, case, p):
    """p may be any positive number, whole or not."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel, kernel, p)(x))


@points(0.5)
@given(case=plain_cases(several, values="negative"), p=st.sampled_from([1, 3]))
def test_negative_numbers(same_outcome, case, p):
    """Negative numbers count by their absolute value."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel, p=p)(x))


@points(0.5)
@settings(max_examples=10)
@given(case=plain_cases(several), p=st.sampled_from([1, 2, 3]))
def test_window_of_zeros(same_outcome, case, p):
    """A window of zeros gives 0."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel, p=p)(torch.zeros_like(x)))


@points(0.75)
@given(case=other_strides(several), default=plain_cases(several))
def test_stride(same_outcome, case, default):
    """The stride may differ from the kernel size, which is its default; it decides on the size of the result."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride=stride)(x).shape)
    same_outcome(lambda m: m.LPPooling(kernel_size=default[1])(default[0]).shape)


@points(0.75)
@settings(max_examples=12)
@given(case=one_window_cases(((1, 2), (1, 2))))
def test_window_as_large_as_the_map(same_outcome, case):
    """A window as large as the map gives one number per channel, and the result has four dimensions."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel)(x).shape)


@points(1)
@given(p=st.sampled_from([0, -1, -2.0, -0.5]))
def test_power_that_is_not_positive(same_outcome, p):
    """A p of 0 or less raises a ValueError when the layer is created."""
    same_outcome(lambda m: m.LPPooling(2, p=p), raises=ValueError)


@points(0.5)
@given(case=too_large_windows())
def test_window_that_does_not_fit(same_outcome, case):
    """A window larger than the map raises a ValueError."""
    same_outcome(lambda m: m.LPPooling(case[1])(case[0]), raises=ValueError)


@points(0.5)
@settings(max_examples=16)
@given(case=plain_cases(several), p=st.sampled_from([2, 3]), training=st.booleans())
def test_gradient(same_outcome, case, p, training):
    """The gradient reaches the input, in training and in evaluation mode."""
    x, kernel = case
    # No entry is 0: the contract says nothing about the gradient there.
    same_outcome(lambda m: {"gradient": gradients(m.LPPooling(kernel, p=p).train(training), x + 0.25)[0]})


@points(0.25)
@settings(max_examples=15)
@given(case=plain_cases(several, layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x, kernel = case
    same_outcome(lambda m: m.LPPooling(kernel)(x))


@points(0.5)
@settings(max_examples=12)
@given(case=plain_cases(several, dtype=float64), number=thirds, p=st.sampled_from([1.5, 3, 4]))
def test_dtype(same_outcome, case, number, p):
    """The result has the input's dtype and device; with float64 it has that precision."""
    x, kernel = case
    single, constant = x.float(), torch.full_like(x, number)
    same_outcome(lambda m: {f"dtype for {one.dtype}": m.LPPooling(kernel)(one).dtype for one in (single, x)})
    same_outcome(lambda m: {"first number": m.LPPooling(kernel, p=p)(constant)[0, 0, 0, 0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(m.LPPooling(kernel), x))


@points(0.5)
@settings(max_examples=12)
@given(case=plain_cases(several, values="signed"))
def test_argument_is_not_modified(same_outcome, case):
    """The call modifies neither its argument nor an earlier result, and a used layer takes images of any size."""
    x, kernel = case

    def probe(m):
        again = used_again(lambda: m.LPPooling(kernel, p=3), x, OTHER_IMAGES)
        return {"input after the call": x, **again}

    same_outcome(probe)


@points(0.75)
@settings(max_examples=30)
@given(case=image_cases(kernels=(2, 4)), p=powers)
def test_everything_together(same_outcome, case, p):
    """Images of any number, size, sign and memory layout, with any window, stride and p."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride, p)(x), exact="shape")
