"""`LPPooling(kernel_size, stride=None, p=2)`: the p-mean of absolute values."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, float64, image_cases, too_large_windows

from autograder.grading import exercise, points
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("LPPooling")

powers = st.sampled_from([1, 1.5, 3, 4, 0.5, 0.25])


@points(1.5)
@given(case=image_cases(), training=st.booleans())
def test_root_mean_square(same_outcome, case, training):
    """With p = 2 (the default) every result is the root of the *mean* of the squares."""
    x, kernel, _ = case
    same_outcome(lambda m: m.LPPooling(kernel).train(training)(x))


@points(1.5)
@given(case=image_cases(), p=powers)
def test_other_powers(same_outcome, case, p):
    """With another p, odd or fractional, negative numbers count by their absolute value."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride, p)(x))


@points(1)
@given(case=image_cases())
def test_stride(same_outcome, case):
    """The stride may differ from the kernel size, which is its default."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride=stride)(x))
    same_outcome(lambda m: m.LPPooling(kernel_size=kernel, p=3)(x))


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


@points(1)
@given(case=image_cases(values="distinct"), p=st.sampled_from([1, 2, 3]), training=st.booleans())
def test_gradient(same_outcome, case, p, training):
    """The gradient reaches the input, in training and in evaluation mode."""
    x, kernel, stride = case
    # A quarter is added so that no entry is 0: the contract says nothing about the gradient there.
    same_outcome(lambda m: {"gradient": gradients(m.LPPooling(kernel, stride, p).train(training), x + 0.25)[0]})


@points(0.5)
@given(case=image_cases(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride)(x))


@points(0.5)
@given(case=image_cases(dtype=float64), p=powers)
def test_dtype(same_outcome, case, p):
    """The result has the input's rank, dtype and device; with float64 it has that precision."""
    x, kernel, stride = case
    same_outcome(lambda m: m.LPPooling(kernel, stride, p)(x / 3), exact="dtype shape")
    same_outcome(lambda m: m.LPPooling(kernel, stride, p)(x.float()), exact="dtype shape")
    same_outcome(lambda m: stays_on_device(m.LPPooling(kernel, stride, p), x))


@points(0.5)
@given(case=image_cases())
def test_argument_is_not_modified(same_outcome, case):
    """The call modifies neither its argument nor an earlier result, and a used layer takes images of any size."""
    x, kernel, stride = case

    def probe(m):
        again = used_again(lambda: m.LPPooling(kernel, stride, 3), x, OTHER_IMAGES)
        return {"input after the call": x, **again}

    same_outcome(probe)
