"""`MixedPooling(kernel_size, stride=None, alpha=0.5)`: between max and average pooling."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    OTHER_IMAGES,
    float64,
    image_cases,
    one_window_cases,
    other_strides,
    plain_cases,
    too_large_windows,
)

from autograder.grading import exercise, points
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("MixedPooling")

alphas = st.sampled_from([0.0, 0.25, 0.75, 1.0])
several = ((2, 2), (2, 3))  # images and channels of a plain batch


@points(1)
@given(case=plain_cases(several), training=st.booleans())
def test_half_and_half(same_outcome, case, training):
    """Without alpha the result is half the maximum plus half the mean, in training and in evaluation mode."""
    x, kernel = case
    same_outcome(lambda m: m.MixedPooling(kernel, kernel).train(training)(x))


@points(1)
@given(case=plain_cases(several), alpha=alphas)
def test_alpha(same_outcome, case, alpha):
    """alpha is the share of the maximum, 1 - alpha that of the mean."""
    x, kernel = case
    same_outcome(lambda m: m.MixedPooling(kernel, kernel, alpha)(x))


@points(1)
@given(case=other_strides(several), default=plain_cases(several))
def test_stride(same_outcome, case, default):
    """The stride may differ from the kernel size, which is its default; it decides on the size of the result."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride=stride)(x).shape)
    same_outcome(lambda m: m.MixedPooling(kernel_size=default[1])(default[0]).shape)


@points(1)
@settings(max_examples=12)
@given(case=one_window_cases(((1, 2), (1, 2))))
def test_window_as_large_as_the_map(same_outcome, case):
    """A window as large as the map gives one number per channel, and the result has four dimensions."""
    x, kernel = case
    same_outcome(lambda m: m.MixedPooling(kernel)(x).shape)


@points(1)
@given(alpha=st.sampled_from([-0.1, 1.1, 2.0, -1.0, 1.001, -0.001]))
def test_alpha_outside_0_and_1(same_outcome, alpha):
    """An alpha outside [0, 1] raises a ValueError when the layer is created."""
    same_outcome(lambda m: m.MixedPooling(2, alpha=alpha), raises=ValueError)


@points(0.5)
@given(case=too_large_windows())
def test_window_that_does_not_fit(same_outcome, case):
    """A window larger than the map raises a ValueError."""
    same_outcome(lambda m: m.MixedPooling(case[1])(case[0]), raises=ValueError)


@points(0.5)
@settings(max_examples=16)
@given(case=plain_cases(several, values="distinct"), training=st.booleans())
def test_gradient(same_outcome, case, training):
    """The gradient reaches the input through the maximum and through the mean, in both modes."""
    x, kernel = case
    same_outcome(lambda m: {"gradient": gradients(m.MixedPooling(kernel, kernel).train(training), x)[0]})


@points(0.25)
@settings(max_examples=15)
@given(case=plain_cases(several, layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x, kernel = case
    same_outcome(lambda m: m.MixedPooling(kernel, kernel)(x))


@points(0.5)
@settings(max_examples=12)
@given(case=plain_cases(several, dtype=float64), alpha=st.sampled_from([0.3, 0.9]))
def test_dtype(same_outcome, case, alpha):
    """The result has the input's dtype and device; with float64 it has that precision."""
    x, kernel = case
    single = x.float()
    same_outcome(
        lambda m: {f"dtype for {one.dtype}": m.MixedPooling(kernel, alpha=alpha)(one).dtype for one in (single, x)}
    )
    same_outcome(lambda m: {"first number": m.MixedPooling(kernel, alpha=alpha)(x / 3)[0, 0, 0, 0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(m.MixedPooling(kernel, alpha=alpha), x))


@points(0.5)
@settings(max_examples=12)
@given(case=plain_cases(several))
def test_one_layer_used_twice(same_outcome, case):
    """A layer can be used for images of different sizes, and modifies neither its input nor an earlier result."""
    x, kernel = case

    def probe(m):
        again = used_again(lambda: m.MixedPooling(kernel, alpha=0.3), x, OTHER_IMAGES)
        return {"input after the call": x, **again}

    same_outcome(probe)


@points(0.75)
@given(case=image_cases(kernels=(2, 4)), alpha=alphas)
def test_everything_together(same_outcome, case, alpha):
    """Images of any number, size, sign and memory layout, with any window, stride and alpha."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride, alpha)(x), exact="shape")
