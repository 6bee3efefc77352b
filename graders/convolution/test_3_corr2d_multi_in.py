"""`corr2d_multi_in(X, K)`: several channels in, one map out."""

from hypothesis import given, settings
from inputs import (
    IMAGES,
    as_large,
    cases,
    expect_another_call,
    expect_any_layout,
    expect_dtype,
    expect_gradient,
    numbers,
    other_channels,
    squares,
    too_large_kernels,
)

from autograder.grading import CONVOLUTION, exercise, forbids, points

pytestmark = [exercise("corr2d_multi_in"), forbids(CONVOLUTION)]


def corr2d_multi_in(m, x, k):
    return m.corr2d_multi_in(x, k)


@points(1)
@given(case=squares(c_in=(2, 3), kernels=(1, 3), more=(1, 4)))
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_i, h, w) give one map, (H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d_multi_in(*case).shape))


@points(2)
@given(case=squares(c_in=(2, 4)))
def test_sum_over_channels(same_outcome, case):
    """Every channel is correlated with its own channel of the kernel, and the maps are added."""
    same_outcome(lambda m: m.corr2d_multi_in(*case))


@points(0.5)
@settings(max_examples=10)
@given(case=squares(c_in=(1, 1)))
def test_one_channel(same_outcome, case):
    """One channel is enough, and the result is a map without channels."""
    x, k = case
    same_outcome(lambda m: m.corr2d_multi_in(x, k), exact="shape")


@points(0.5)
@settings(max_examples=10)
@given(case=as_large(c_in=(2, 3)))
def test_kernel_as_large_as_the_image(same_outcome, case):
    """A kernel as tall or as wide as the image fits, and the result still has two dimensions."""
    same_outcome(lambda m: {"number of dimensions": m.corr2d_multi_in(*case).dim()})


@points(1)
@given(case=cases(c_in=(1, 4), sides=(1, 5)), large=cases(c_in=(1, 3), sides=(1, 5), values="negative"))
def test_everything_together(same_outcome, case, large):
    """Any number of channels, sizes down to a single pixel, oblong ones too, with large and with negative numbers."""
    same_outcome(lambda m: m.corr2d_multi_in(*case))
    same_outcome(lambda m: m.corr2d_multi_in(large[0] * 1000, large[1]))


@points(0.5)
def test_gradient_of_the_input(student):
    """The gradient reaches every channel of the input: it says how the result changes with X."""
    expect_gradient(student, corr2d_multi_in, IMAGES, "X")


@points(0.5)
def test_gradient_of_the_kernel(student):
    """The gradient reaches every channel of the kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d_multi_in, IMAGES, "K")


@points(0.5)
def test_dtype(same_outcome, student):
    """The result has the input's dtype and device; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d_multi_in, IMAGES)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """Input and kernel may be transposed or cut out of larger ones."""
    expect_any_layout(same_outcome, student, corr2d_multi_in, IMAGES)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments, nor does one with a kernel of one pixel."""
    x, k = (numbers(shape) for shape in IMAGES)

    def probe(m, k):
        corr2d_multi_in(m, x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(lambda m: probe(m, k))
    same_outcome(lambda m: probe(m, k[:, :1, :1].clone()))


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d_multi_in, IMAGES)


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
