"""`corr2d_multi_in_out_1x1(X, K)`: kernels of one pixel, as one matrix multiplication."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import cases, expect_one_product, float64

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.grading.strategies import normal, shapes, tensors
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d_multi_in_out_1x1"), forbids(CONVOLUTION)]


def mixtures(**options):
    """X (c_i, H, W) and K (c_o, c_i, 1, 1)."""
    return cases(**{"c_in": (1, 4), "c_out": (1, 4), "kernels": (1, 1)} | options)


@st.composite
def as_many_out_as_in(draw):
    """X and K with c_o = c_i, where a transposed kernel has the right shape."""
    channels = draw(st.integers(2, 4))
    return draw(mixtures(c_in=(channels, channels), c_out=(channels, channels)))


@points(1)
@given(case=mixtures())
def test_shape(same_outcome, case):
    """(c_i, H, W) and (c_o, c_i, 1, 1) give (c_o, H, W)."""
    same_outcome(lambda m: list(m.corr2d_multi_in_out_1x1(*case).shape))


@points(2.5)
@given(case=mixtures(c_in=(2, 4), c_out=(2, 4), sides=(2, 5)), large=mixtures(values="negative"))
def test_values(same_outcome, case, large):
    """At every pixel, the output channels are mixtures of the input channels."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(large[0] * 1000, large[1]))


@points(1)
@given(case=as_many_out_as_in())
def test_as_many_channels_out_as_in(same_outcome, case):
    """K[o, c] is the share of input channel c in output channel o, even when c_o = c_i."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))


@points(1)
@given(
    one_in=mixtures(c_in=(1, 1)),
    one_out=mixtures(c_out=(1, 1)),
    narrow=mixtures(sides=(1, 1)),
    row=mixtures(sides=(1, 2)),
)
def test_extents_of_one(same_outcome, one_in, one_out, narrow, row):
    """The result has three dimensions, even for one channel in, one channel out, one row, one column."""
    same_outcome(lambda m: [m.corr2d_multi_in_out_1x1(*case) for case in (one_in, one_out, narrow, row)])


@points(2)
def test_one_matrix_multiplication(operators):
    """The result is computed by one matrix multiplication."""
    for c_o, c_i, height, width in ((4, 3, 5, 6), (2, 5, 3, 4), (3, 2, 6, 2)):
        x, k = torch.rand(c_i, height, width), torch.rand(c_o, c_i, 1, 1)
        expect_one_product(operators(lambda m, x=x, k=k: m.corr2d_multi_in_out_1x1(x, k)))


@points(1.5)
def test_vectorised(vectorised):
    """The work done in Python does not grow with the number of channels, rows or columns."""
    hint = "No loop is needed: all positions of the map can be the columns of one matrix, with a row for each channel."
    inputs = [torch.rand(size) for size in ((3, 6, 7), (12, 6, 7), (3, 30, 7), (3, 6, 40))]
    vectorised(lambda m, x: m.corr2d_multi_in_out_1x1(x, torch.ones(4, x.shape[0], 1, 1)), *inputs, hint=hint)
    kernels = [torch.rand(size) for size in ((2, 3, 1, 1), (20, 3, 1, 1))]
    vectorised(lambda m, k: m.corr2d_multi_in_out_1x1(torch.ones(3, 5, 6), k), *kernels, hint=hint)


@points(0.5)
@given(case=mixtures())
def test_gradient_of_the_input(same_outcome, case):
    """The gradient reaches every pixel of every channel."""
    same_outcome(lambda m: {"gradient of X": gradients(m.corr2d_multi_in_out_1x1, *case)[0]})


@points(0.5)
@given(case=mixtures())
def test_gradient_of_the_kernels(same_outcome, case):
    """The gradient reaches every kernel."""
    same_outcome(lambda m: {"gradient of K": gradients(m.corr2d_multi_in_out_1x1, *case)[1]})


@points(0.5)
@given(case=mixtures(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(case[0] / 3, case[1] / 7), exact="dtype")
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(case[0].float(), case[1].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.corr2d_multi_in_out_1x1, *case))


@points(0.5)
@given(case=mixtures(layouts=True), k=tensors(shapes((1, 3), (2, 3)), layouts=False))
def test_any_memory_layout(same_outcome, case, k):
    """Input and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    x = (
        torch.arange(60.0).reshape(4, 5, 3)[:, :, : k.shape[0]].permute(2, 0, 1)
    )  # like an image that was read from a file
    turned = k.t()[:, :, None, None]
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(*case))
    same_outcome(lambda m: m.corr2d_multi_in_out_1x1(x, turned))


@points(0.5)
@given(case=mixtures())
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor the result of an earlier call."""
    x, k = case

    def probe(m):
        m.corr2d_multi_in_out_1x1(x, k)
        after = {"X after the call": x.clone(), "K after the call": k.clone()}
        return {**after, **after_another_call(lambda x: m.corr2d_multi_in_out_1x1(x, k), x, x + 1)}

    same_outcome(probe)


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
    forward_time(lambda m: m.corr2d_multi_in_out_1x1, inputs, cpu=(5, 20), cuda=(5, 20))
