"""`corr2d_multi_in(X, K)`: several channels in, one map out."""

from hypothesis import given
from inputs import float64, images, other_channels, too_large_kernels

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d_multi_in"), forbids(CONVOLUTION)]


@points(1)
@given(case=images())
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_i, h, w) give one map, (H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d_multi_in(*case).shape))


@points(2.5)
@given(case=images(c_in=(2, 4)), large=images(values="negative"))
def test_sum_over_channels(same_outcome, case, large):
    """Every channel is correlated with its own channel of the kernel, and the maps are added."""
    same_outcome(lambda m: m.corr2d_multi_in(*case))
    same_outcome(lambda m: m.corr2d_multi_in(large[0] * 1000, large[1]))


@points(1)
@given(
    one=images(c_in=(1, 1)),
    pixel=images(kernels=(1, 1), sides=(1, 2)),
    whole=images(sides=(3, 3), kernels=(3, 3)),
)
def test_extents_of_one(same_outcome, one, pixel, whole):
    """The result has two dimensions, even for one channel, for a kernel of one pixel, and for one result."""
    same_outcome(lambda m: [m.corr2d_multi_in(*one), m.corr2d_multi_in(*pixel), m.corr2d_multi_in(*whole)])


@points(0.5)
@given(case=images())
def test_gradient_of_the_input(same_outcome, case):
    """The gradient reaches every channel of the input."""
    same_outcome(lambda m: {"gradient of X": gradients(m.corr2d_multi_in, *case)[0]})


@points(0.5)
@given(case=images())
def test_gradient_of_the_kernel(same_outcome, case):
    """The gradient reaches every channel of the kernel."""
    same_outcome(lambda m: {"gradient of K": gradients(m.corr2d_multi_in, *case)[1]})


@points(1)
@given(case=images(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    same_outcome(lambda m: m.corr2d_multi_in(case[0] / 3, case[1] / 7), exact="dtype")
    same_outcome(lambda m: m.corr2d_multi_in(case[0].float(), case[1].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.corr2d_multi_in, *case))


@points(0.5)
@given(case=images(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """Input and kernel may be transposed or cut out of larger ones."""
    same_outcome(lambda m: m.corr2d_multi_in(*case))


@points(1)
@given(case=images())
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor earlier results, and a second call gives the same result."""
    x, k = case

    def probe(m):
        results = [m.corr2d_multi_in(x, k), m.corr2d_multi_in(x, k)]
        outlasts = after_another_call(lambda x: m.corr2d_multi_in(x, k), x, x + 1)
        return {"X after the call": x, "K after the call": k, "results": results, **outlasts}

    same_outcome(probe)


@points(1.5)
@given(case=other_channels())
def test_channels_that_do_not_match(same_outcome, case):
    """Different numbers of channels raise a ValueError, whichever of the two has more."""
    same_outcome(lambda m: m.corr2d_multi_in(*case), raises=ValueError)


@points(0.5)
@given(case=too_large_kernels((2,), (2,)))
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel larger than the input, in one direction or both, raises a ValueError."""
    same_outcome(lambda m: m.corr2d_multi_in(*case), raises=ValueError)
