"""`corr2d_multi_in_out_1x1(X, K)`: kernels of one pixel, as one matrix multiplication."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    MIXTURES,
    cases,
    expect_another_call,
    expect_any_layout,
    expect_dtype,
    expect_gradient,
    expect_one_product,
    numbers,
    squares,
)

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.grading.strategies import normal

pytestmark = [exercise("corr2d_multi_in_out_1x1"), forbids(CONVOLUTION)]

one, several = (1, 1), (2, 4)


def corr2d_multi_in_out_1x1(m, x, k):
    return m.corr2d_multi_in_out_1x1(x, k)


def mixtures(**options):
    """X (c_i, H, W) and K (c_o, c_i, 1, 1)."""
    return cases(**{"c_in": (1, 4), "c_out": (1, 4), "kernels": one} | options)


def square_mixtures(**options):
    """The same with H = W, at least 2."""
    return squares(**{"c_in": several, "c_out": several, "kernels": one, "more": (1, 3)} | options)


other_numbers_of_channels = square_mixtures().filter(lambda case: case[1].shape[0] != case[1].shape[1])
as_many_out_as_in = st.integers(2, 4).flatmap(lambda count: square_mixtures(c_in=(count, count), c_out=(count, count)))


@points(0.5)
@given(case=square_mixtures())
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_o, c_i, 1, 1) give (c_o, H, W)."""
    same_outcome(lambda m: list(m.corr2d_multi_in_out_1x1(*case).shape))


@points(2.5)
@given(case=other_numbers_of_channels)
def test_values(same_outcome, case):
    """At every pixel, the output channels are mixtures of the input channels."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))


@points(1)
@settings(max_examples=12)
@given(case=as_many_out_as_in)
def test_as_many_channels_out_as_in(same_outcome, case):
    """K[o, c] is the share of input channel c in output channel o, even when c_o = c_i."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))


@points(0.5)
@settings(max_examples=12)
@given(case=mixtures(c_in=several, c_out=several, sides=(2, 5)).filter(lambda case: len({*case[0].shape[1:]}) > 1))
def test_oblong(same_outcome, case):
    """The image may be oblong."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))


@points(0.5)
@settings(max_examples=10)
@given(one_in=square_mixtures(c_in=one), one_out=square_mixtures(c_out=one), row=mixtures(sides=(1, 2)))
def test_extents_of_one(same_outcome, one_in, one_out, row):
    """One channel in, one channel out, one row or one column is enough, and the result still has three dimensions."""
    same_outcome(
        lambda m: {"numbers of dimensions": [m.corr2d_multi_in_out_1x1(*case).dim() for case in (one_in, one_out, row)]}
    )


@points(1)
@given(case=mixtures(), large=mixtures(values="negative"))
def test_everything_together(same_outcome, case, large):
    """Any numbers of channels, rows and columns, with large and with negative numbers."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(large[0] * 1000, large[1]))


@points(1.5)
def test_one_matrix_multiplication(operators):
    """The result is computed by one matrix multiplication."""
    for c_o, c_i, height, width in ((4, 3, 5, 6), (2, 5, 3, 4), (3, 2, 6, 2)):
        x, k = torch.rand(c_i, height, width), torch.rand(c_o, c_i, 1, 1)
        expect_one_product(operators(lambda m, x=x, k=k: m.corr2d_multi_in_out_1x1(x, k)))


@points(1)
def test_vectorised(vectorised):
    """The work done in Python does not grow with the number of channels, rows or columns."""
    hint = "No loop is needed: all positions of the map can be the columns of one matrix, with a row for each channel."
    inputs = [torch.rand(size) for size in ((3, 6, 7), (12, 6, 7), (3, 30, 7), (3, 6, 40))]
    vectorised(lambda m, x: m.corr2d_multi_in_out_1x1(x, torch.ones(4, x.shape[0], 1, 1)), *inputs, hint=hint)
    kernels = [torch.rand(size) for size in ((2, 3, 1, 1), (20, 3, 1, 1))]
    vectorised(lambda m, k: m.corr2d_multi_in_out_1x1(torch.ones(3, 5, 6), k), *kernels, hint=hint)


@points(0.5)
def test_gradient_of_the_input(student):
    """The gradient reaches every pixel of every channel: it says how the result changes with X."""
    expect_gradient(student, corr2d_multi_in_out_1x1, MIXTURES, "X")


@points(0.5)
def test_gradient_of_the_kernels(student):
    """The gradient reaches every kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d_multi_in_out_1x1, MIXTURES, "K")


@points(0.5)
def test_dtype(same_outcome, student):
    """The result has the input's dtype and device; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d_multi_in_out_1x1, MIXTURES)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """Input and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    expect_any_layout(same_outcome, student, corr2d_multi_in_out_1x1, MIXTURES)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments."""
    x, k = (numbers(shape) for shape in MIXTURES)

    def probe(m):
        corr2d_multi_in_out_1x1(m, x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(probe)


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d_multi_in_out_1x1, MIXTURES)


@points(1)
@given(size=st.sampled_from([(1, 2), (2, 1), (2, 2), (3, 3), (1, 3)]), c_o=st.integers(1, 3), c_i=st.integers(1, 3))
def test_larger_kernels(same_outcome, size, c_o, c_i):
    """Kernels that are not 1×1 raise a ValueError; a K without four dimensions is rejected, too."""
    x, k = torch.ones(c_i, 4, 5), torch.ones(c_o, c_i, *size)

    def refuses_a_matrix(m):
        try:
            m.corr2d_multi_in_out_1x1(torch.ones(3, 4, 5), torch.ones(2, 3))
        except Exception:
            return {'answer to "is a K of shape (2, 3) rejected?"': True}
        return {'answer to "is a K of shape (2, 3) rejected?"': False}

    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(x, k), raises=ValueError)
    same_outcome(refuses_a_matrix)


@points(0.5)
@given(
    channels=st.sampled_from([(3, 2), (2, 3), (1, 2), (2, 1), (2, 4), (4, 2)]),
    c_o=st.integers(1, 4),
    sides=st.sampled_from([(2, 3), (2, 4), (1, 2), (3, 2)]),
)
def test_channels_that_do_not_match(same_outcome, channels, c_o, sides):
    """Kernels whose number of input channels differs from that of X raise a ValueError."""
    x, k = torch.ones(channels[0], *sides), torch.ones(c_o, channels[1], 1, 1)
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(x, k), raises=ValueError)


@points(1)
def test_speed(forward_time):
    """Many channels of a large map are mixed about as fast as a matrix product does it."""
    inputs = normal((64, 32, 32), (64, 64, 1, 1))
    forward_time(lambda m: m.corr2d_multi_in_out_1x1, inputs, cpu=(14, 56), cuda=(14, 56))
