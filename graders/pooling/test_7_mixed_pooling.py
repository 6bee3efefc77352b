"""`MixedPooling(kernel_size, stride=None, alpha=0.5)`: between max and average pooling."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, float64, image_cases, too_large_windows

from autograder.grading import exercise, points
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("MixedPooling")

alphas = st.sampled_from([0.0, 0.25, 0.75, 1.0])


@points(1)
@given(case=image_cases(), training=st.booleans())
def test_half_and_half(same_outcome, case, training):
    """Without arguments the result is half the maximum plus half the mean, and the windows do not overlap."""
    x, kernel, _ = case
    same_outcome(lambda m: m.MixedPooling(kernel).train(training)(x))


@points(1.5)
@given(case=image_cases(), alpha=alphas, training=st.booleans())
def test_alpha(same_outcome, case, alpha, training):
    """alpha is the share of the maximum, 1 - alpha that of the mean."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride, alpha).train(training)(x))


@points(0.5)
@given(case=image_cases(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride)(x))


@points(1)
@given(case=image_cases())
def test_stride(same_outcome, case):
    """The stride may differ from the kernel size, which is its default."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride=stride)(x))
    same_outcome(lambda m: m.MixedPooling(kernel_size=kernel, alpha=0.25)(x))


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


@points(1)
@given(case=image_cases(values="distinct"), alpha=alphas, training=st.booleans())
def test_gradient(same_outcome, case, alpha, training):
    """The gradient reaches the input through the maximum and through the mean, in both modes."""
    x, kernel, stride = case
    same_outcome(lambda m: {"gradient": gradients(m.MixedPooling(kernel, stride, alpha).train(training), x)[0]})


@points(0.5)
@given(case=image_cases(dtype=float64), alpha=st.one_of(alphas, st.sampled_from([0.3, 0.9])))
def test_dtype(same_outcome, case, alpha):
    """The result has the input's dtype and device; with float64 it has that precision."""
    x, kernel, stride = case
    same_outcome(lambda m: m.MixedPooling(kernel, stride, alpha)(x / 3), exact="dtype")
    same_outcome(lambda m: m.MixedPooling(kernel, stride, alpha)(x.float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.MixedPooling(kernel, stride, alpha), x))


@points(0.5)
@given(case=image_cases(kernels=(2, 3)))
def test_one_layer_used_twice(same_outcome, case):
    """A layer can be used for images of different sizes, and modifies neither its input nor an earlier result."""
    x, kernel, stride = case

    def probe(m):
        layer = m.MixedPooling(kernel, stride)
        return [layer(x), layer(x[:1, :1]), layer(x), x]

    same_outcome(probe)
    same_outcome(lambda m: used_again(lambda: m.MixedPooling(kernel, stride, 0.3), x, OTHER_IMAGES))


@points(0.5)
@given(case=image_cases(kernels=(3, 3)))
def test_rank(same_outcome, case):
    """The result has four dimensions, whatever their size."""
    x = case[0][:1, :1, :3, :3]
    same_outcome(lambda m: m.MixedPooling(3)(x), exact="shape")
