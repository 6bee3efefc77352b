"""`corr2d_multi_in_out(X, K)`: several channels in, several out."""

from hypothesis import given
from inputs import float64, layers, other_channels, too_large_kernels

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d_multi_in_out"), forbids(CONVOLUTION)]


@points(1)
@given(case=layers())
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_o, c_i, h, w) give (c_o, H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d_multi_in_out(*case).shape))


@points(3)
@given(case=layers(c_out=(2, 4)), large=layers(values="negative"))
def test_values(same_outcome, case, large):
    """Every kernel makes an output channel, in the order of the kernels."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out(large[0] * 1000, large[1]))


@points(1.5)
@given(case=layers(c_out=(1, 1)))
def test_one_output_channel(same_outcome, case):
    """With one kernel the result still has three dimensions."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))


@points(0.5)
@given(
    one=layers(c_in=(1, 1)),
    pixel=layers(kernels=(1, 1), sides=(1, 2)),
    whole=layers(sides=(3, 3), kernels=(3, 3)),
)
def test_extents_of_one(same_outcome, one, pixel, whole):
    """The result has three dimensions, even for one input channel, kernels of one pixel, and one result."""
    same_outcome(lambda m: [m.corr2d_multi_in_out(*case) for case in (one, pixel, whole)])


@points(0.5)
@given(case=layers())
def test_gradient_of_the_input(same_outcome, case):
    """The gradient reaches every channel of the input."""
    same_outcome(lambda m: {"gradient of X": gradients(m.corr2d_multi_in_out, *case)[0]})


@points(0.5)
@given(case=layers())
def test_gradient_of_the_kernels(same_outcome, case):
    """The gradient reaches every kernel."""
    same_outcome(lambda m: {"gradient of K": gradients(m.corr2d_multi_in_out, *case)[1]})


@points(1)
@given(case=layers(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    same_outcome(lambda m: m.corr2d_multi_in_out(case[0] / 3, case[1] / 7), exact="dtype")
    same_outcome(lambda m: m.corr2d_multi_in_out(case[0].float(), case[1].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.corr2d_multi_in_out, *case))


@points(0.5)
@given(case=layers(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """Input and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))


@points(1)
@given(case=layers())
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor earlier results, and a second call gives the same result."""
    x, k = case

    def probe(m):
        results = [m.corr2d_multi_in_out(x, k), m.corr2d_multi_in_out(x, k)]
        outlasts = after_another_call(lambda x: m.corr2d_multi_in_out(x, k), x, x + 1)
        return {"X after the call": x, "K after the call": k, "results": results, **outlasts}

    same_outcome(probe)


@points(1.5)
@given(case=other_channels(c_out=(1, 4)))
def test_channels_that_do_not_match(same_outcome, case):
    """A kernel whose number of input channels differs from that of X raises a ValueError."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case), raises=ValueError)


@points(1)
@given(case=too_large_kernels((2,), (3, 2)))
def test_kernels_that_do_not_fit(same_outcome, case):
    """Kernels larger than the input, in one direction or both, raise a ValueError."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case), raises=ValueError)
