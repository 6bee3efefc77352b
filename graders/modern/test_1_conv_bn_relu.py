"""`ConvBNReLU(in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1)`: the basic building block."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    PRECISE,
    SLOPES,
    VALUES,
    after_training,
    complete,
    dtypes,
    evaluated,
    few,
    float64,
    images,
    in_other_layouts,
    layers,
    learned,
    left_alone,
    noise,
    slopes,
    some,
    three,
    trained,
    two,
    used_for_others,
)

from autograder.grading import exercise, points
from autograder.probes import parameter_count

pytestmark = exercise("ConvBNReLU")

channels = st.integers(2, 5)


def shape_of(m, x, *args, **names):
    return {"shape of the result": list(evaluated(lambda: m.ConvBNReLU(*args, **names), x).shape)}


@points(0.5)
@given(wide_in=channels, out=channels)
@few
def test_parameters(same_outcome, wide_in, out):
    """There is one kernel per pair of channels, a scale and a shift per output channel, and nothing else to learn."""
    shape = (2, wide_in, 5, 5)
    same_outcome(lambda m: {"number of parameters": parameter_count(lambda: m.ConvBNReLU(wide_in, out), shape)})


@points(1.5)
@given(x=images(3), out=channels)
@some
def test_evaluation(same_outcome, x, out):
    """In evaluation mode the result of a 3×3 convolution is right (all biases 0); the running statistics are used."""
    same_outcome(lambda m: evaluated(lambda: m.ConvBNReLU(3, out), x), tolerance=VALUES)


@points(0.5)
@given(x=images(2, dtype=float64), out=channels)
@few
def test_training(same_outcome, x, out):
    """In training mode the statistics of the batch are used (all biases 0)."""
    same_outcome(lambda m: trained(lambda: m.ConvBNReLU(2, out), x), tolerance=PRECISE)


@points(0.5)
@given(x=images(2, dtype=float64), out=channels)
@few
def test_running_statistics(same_outcome, x, out):
    """Passes in training mode move the running statistics; passes in evaluation mode leave them alone."""
    same_outcome(lambda m: after_training(lambda: m.ConvBNReLU(2, out), x, x * 2 + 1), tolerance=PRECISE)


@points(0.25)
@given(kernel=st.sampled_from([1, 2, 4, 5]))
@few
def test_kernel_size(same_outcome, kernel):
    """The kernels have the size that the caller asks for."""
    same_outcome(lambda m: layers(lambda: m.ConvBNReLU(2, 3, kernel), (2, 2, 7, 7), (3, 2 * kernel**2)))


@points(0.5)
@given(x=images(2, sides=(5, 9)), stride=st.integers(2, 4))
@three
def test_stride(same_outcome, x, stride):
    """The stride reaches the convolution: the result of a 3×3 convolution with padding 1 has the right shape."""
    same_outcome(lambda m: shape_of(m, x, 2, 3, 3, stride))


@points(0.5)
@given(x=images(2, sides=(5, 9)), padding=st.sampled_from([0, 2, 3]))
@three
def test_padding(same_outcome, x, padding):
    """The padding is the caller's: the result of a 3×3 convolution with stride 1 has the right shape."""
    same_outcome(lambda m: shape_of(m, x, 2, 3, 3, 1, padding))


@points(0.5)
def test_groups(same_outcome):
    """The convolution has as many groups as the caller asks for: each kernel sees the channels of its group."""
    for out, groups in ((4, 2), (3, 3), (6, 6)):
        kernels, args = (out, 9 * 6 // groups), (6, out, 3, 1, 1, groups)
        same_outcome(lambda m, args=args, kernels=kernels: layers(lambda: m.ConvBNReLU(*args), (2, 6, 5, 5), kernels))


@points(0.25)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    names = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 1, "padding": 1, "groups": 1}
    same_outcome(lambda m: shape_of(m, noise((2, 4, 6, 7)), **names))


@points(0.5)
@given(x=images(4, dtype=float64))
@two
def test_gradient(same_outcome, x):
    """The gradients are those of the result, for the input and the parameters, in both modes."""
    same_outcome(lambda m: slopes(lambda: m.ConvBNReLU(4, 6), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(3))
@three
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: in_other_layouts(lambda: m.ConvBNReLU(3, 4), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3))
@three
def test_dtype(same_outcome, x):
    """The result has the dtype of input and module, float32 or float64, and in float64 all its digits."""
    same_outcome(lambda m: dtypes(lambda: m.ConvBNReLU(3, 4), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(3, batch=(1, 1)))
@three
def test_single_image(same_outcome, x):
    """The result for a batch of one image, or with a single channel, still has four dimensions."""
    same_outcome(lambda m: shape_of(m, x, 3, 3))
    same_outcome(lambda m: shape_of(m, x, 3, 1))


@points(0.25)
@given(x=images(3))
@three
def test_input_and_earlier_results(same_outcome, x):
    """The input is not modified, and a result stays as it is when the module is called again."""
    same_outcome(lambda m: left_alone(lambda: m.ConvBNReLU(3, 3), x), tolerance=VALUES)


@points(0.5)
@given(x=images(3))
@two
def test_module_used_again(same_outcome, x):
    """One module takes images of any size, one after another, and learns after an evaluation; so do copies of it."""
    same_outcome(lambda m: used_for_others(lambda: m.ConvBNReLU(3, 3), x), tolerance=VALUES)


@points(0.75)
@given(x=images(4, sides=(6, 9), dtype=float64, square=False))
@two
def test_everything_together(same_outcome, x):
    """Kernel size, stride, padding and groups together, with biases: results, statistics and gradients are right."""
    for args in ((6, 5, 2, 1, 2), (4, 2, 3, 2, 4), (3, 1, 1, 0)):  # outputs, kernel size, stride, padding, groups
        same_outcome(lambda m, args=args: complete(lambda: m.ConvBNReLU(4, *args), x / 3))
    same_outcome(lambda m: learned(lambda: m.ConvBNReLU(4, 6, 5, 2, 1, 2), x), tolerance=VALUES)
