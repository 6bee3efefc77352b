"""`corr2d_multi_in_out(X, K)`: several channels in, several out."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    LAYERS,
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

pytestmark = [exercise("corr2d_multi_in_out"), forbids(CONVOLUTION)]


def corr2d_multi_in_out(m, x, k):
    return m.corr2d_multi_in_out(x, k)


two, three, four = (2, 2), (3, 3), (4, 4)
as_many_out_as_in = st.sampled_from([two, three]).flatmap(lambda count: squares(c_in=count, c_out=count))
more_out, fewer_out = squares(c_in=two, c_out=(3, 4)), squares(c_in=(3, 4), c_out=two)


@points(1)
@given(case=squares(c_in=two, c_out=two, kernels=(1, 3), more=(1, 4)))
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_o, c_i, h, w) give (c_o, H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d_multi_in_out(*case).shape))


@points(2)
@given(case=as_many_out_as_in)
def test_values(same_outcome, case):
    """Every kernel makes an output channel, in the order of the kernels (here as many as there are channels in)."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))


@points(1)
@settings(max_examples=12)
@given(case=more_out, other=fewer_out)
def test_more_or_fewer_channels_out_than_in(same_outcome, case, other):
    """There may be more channels out than in, or fewer."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out(*other))


@points(0.5)
@settings(max_examples=10)
@given(case=squares(c_in=(1, 2), c_out=(1, 1)), whole=as_large(c_in=(1, 2), c_out=(1, 1)))
def test_one_output_channel(same_outcome, case, whole):
    """With one kernel the result still has three dimensions, even if it has a single row or column."""
    same_outcome(lambda m: {"number of dimensions": m.corr2d_multi_in_out(*case).dim()})
    same_outcome(lambda m: {"number of dimensions": m.corr2d_multi_in_out(*whole).dim()})


@points(0.5)
@settings(max_examples=10)
@given(case=as_large(c_in=two, c_out=two))
def test_kernels_as_large_as_the_image(same_outcome, case):
    """Kernels as tall or as wide as the image fit."""
    same_outcome(lambda m: {"how many numbers the result has": m.corr2d_multi_in_out(*case).numel()})


@points(1.5)
@given(
    case=cases(c_in=(1, 3), c_out=(1, 4), sides=(1, 4)),
    large=cases(c_in=(1, 3), c_out=(1, 3), sides=(1, 4), values="negative"),
)
def test_everything_together(same_outcome, case, large):
    """Any numbers of channels, sizes down to a single pixel, oblong ones too, with large and with negative numbers."""
    same_outcome(lambda m: m.corr2d_multi_in_out(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out(large[0] * 1000, large[1]))


@points(0.5)
def test_gradient_of_the_input(student):
    """The gradient reaches every channel of the input: it says how the result changes with X."""
    expect_gradient(student, corr2d_multi_in_out, LAYERS, "X")


@points(0.5)
def test_gradient_of_the_kernels(student):
    """The gradient reaches every kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d_multi_in_out, LAYERS, "K")


@points(0.5)
def test_dtype(same_outcome, student):
    """The result has the input's dtype and device; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d_multi_in_out, LAYERS)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """Input and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    expect_any_layout(same_outcome, student, corr2d_multi_in_out, LAYERS)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments."""
    x, k = (numbers(shape) for shape in LAYERS)

    def probe(m):
        corr2d_multi_in_out(m, x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(probe)


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d_multi_in_out, LAYERS)


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
