"""`ConvBNReLU(in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1)`: the basic building block."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    PRECISE,
    VALUES,
    after_training,
    copied,
    evaluated,
    few,
    float64,
    images,
    laid_out,
    learned,
    noise,
    single,
    some,
    trained,
    untouched,
)

from autograder.grading import exercise, points
from autograder.probes import parameter_count

pytestmark = exercise("ConvBNReLU")

channels = st.integers(1, 5)


@points(0.5)
@given(wide_in=channels, out=channels)
@few
def test_parameters(same_outcome, wide_in, out):
    """There is one kernel per pair of channels, a scale and a shift per output channel, and nothing else to learn."""
    shape = (2, wide_in, 5, 5)
    same_outcome(lambda m: {"number of parameters": parameter_count(lambda: m.ConvBNReLU(wide_in, out), shape)})


@points(1)
@given(x=images(3), out=channels)
@some
def test_evaluation(same_outcome, x, out):
    """In evaluation mode the result of a 3×3 convolution is right; the running statistics are used."""
    same_outcome(lambda m: evaluated(lambda: m.ConvBNReLU(3, out), x), tolerance=VALUES)


@points(1)
@given(x=images(2, dtype=float64), out=channels)
@some
def test_training(same_outcome, x, out):
    """In training mode the statistics of the batch are used."""
    same_outcome(lambda m: trained(lambda: m.ConvBNReLU(2, out), x), tolerance=PRECISE)


@points(0.5)
@given(x=images(2, dtype=float64), out=channels)
@few
def test_running_statistics(same_outcome, x, out):
    """Passes in training mode move the running statistics; passes in evaluation mode leave them alone."""
    same_outcome(lambda m: after_training(lambda: m.ConvBNReLU(2, out), x, x * 2 + 1), tolerance=PRECISE)


@points(1)
@given(x=images(2, sides=((5, 9), (5, 9))))
@few
def test_kernel_size_stride_and_padding(same_outcome, x):
    """Kernel size, stride and padding reach the convolution."""
    for args in ((1, 1, 0), (5, 1, 2), (3, 2, 1), (2, 3, 0), (4, 1, 3)):  # kernel size, stride, padding
        same_outcome(lambda m, args=args: evaluated(lambda: m.ConvBNReLU(2, 3, *args), x), tolerance=VALUES)


@points(1)
@given(x=images(6))
@few
def test_groups(same_outcome, x):
    """The convolution has as many groups as the caller asks for."""
    for out, groups in ((4, 2), (3, 3), (6, 6)):

        def probe(m, out=out, groups=groups):
            def build():
                return m.ConvBNReLU(6, out, groups=groups)

            return {"number of parameters": parameter_count(build, x.shape), "result": evaluated(build, x)}

        same_outcome(probe, tolerance=VALUES)


@points(0.5)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    x = noise((2, 4, 6, 7))
    names = {"in_channels": 4, "out_channels": 6, "kernel_size": 5, "stride": 2, "padding": 1, "groups": 2}
    same_outcome(lambda m: evaluated(lambda: m.ConvBNReLU(**names), x), tolerance=VALUES)


@points(1)
@given(x=images(4, dtype=float64))
@few
def test_gradient(same_outcome, x):
    """The gradients of the input and of the parameters are right, in both modes."""
    same_outcome(lambda m: learned(lambda: m.ConvBNReLU(4, 6, groups=2), x), tolerance=PRECISE)


@points(0.5)
@given(x=images(3))
@few
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    for same in laid_out(x):
        same_outcome(lambda m, x=same: evaluated(lambda: m.ConvBNReLU(3, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3, dtype=float64))
@few
def test_dtype(same_outcome, x):
    """The result has four dimensions and the dtype of input and module, float32 or float64, at full precision."""
    same_outcome(lambda m: evaluated(lambda: m.ConvBNReLU(3, 4), x / 3), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.ConvBNReLU(3, 4), x))


@points(0.5)
@given(x=images(3))
@few
def test_input_and_copies(same_outcome, x):
    """One module takes images of any size, and so does a copy of it; input and earlier results stay as they are."""
    same_outcome(lambda m: untouched(lambda: m.ConvBNReLU(3, 3), x), tolerance=VALUES, exact="shape")
    same_outcome(lambda m: copied(lambda: m.ConvBNReLU(3, 3), x), tolerance=VALUES, exact="shape")
