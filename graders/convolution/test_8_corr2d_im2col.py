"""`corr2d_im2col(X, K, padding=0, stride=1)`: whole batches with one matrix multiplication."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import batches, expect_one_product, float64, other_channels, too_large_kernels, with_steps

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.grading.strategies import normal
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d_im2col"), forbids(CONVOLUTION)]

borders, steps = st.integers(0, 2), st.integers(1, 3)


def moving(paddings=borders, strides=steps, **options):
    """(X, K, padding, stride)."""
    return with_steps(paddings, strides, batched=True, **options)


@points(1)
@given(case=moving())
def test_shape(same_outcome, case):
    """(N, c_i, H, W) and (c_o, c_i, h, w) give (N, c_o, out_H, out_W), rounded down."""
    same_outcome(lambda m: list(m.corr2d_im2col(*case).shape))


@points(2.5)
@given(case=batches(batch=(1, 1), c_in=(2, 3), c_out=(2, 4)), large=batches(batch=(1, 1), values="negative"))
def test_one_image(same_outcome, case, large):
    """A batch of one image: every kernel makes an output channel."""
    same_outcome(lambda m: m.corr2d_im2col(*case))
    same_outcome(lambda m: m.corr2d_im2col(large[0] * 1000, large[1]))


@points(1)
@given(case=batches(batch=(2, 4)))
def test_several_images(same_outcome, case):
    """Every image of the batch has its own result, in the order of the images."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(1.5)
@given(case=moving(paddings=st.integers(1, 3), strides=st.just(1)))
def test_padding(same_outcome, case):
    """`padding` is the width of a border of zeros on each side."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_im2col(x, k, padding=padding))


@points(1.5)
@given(case=moving(paddings=st.just(0), strides=st.integers(2, 4)))
def test_stride(same_outcome, case):
    """`stride` is the step of the window; a window that would hang over the edge is left out."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_im2col(x, k, stride=stride))


@points(1)
@given(case=moving(paddings=st.integers(1, 2), strides=st.integers(2, 3)))
def test_padding_and_stride(same_outcome, case):
    """Padding and stride together."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(1)
@given(
    pixel=batches(kernels=(1, 1), sides=(1, 2)),
    one_in=batches(c_in=(1, 1)),
    one_out=batches(c_out=(1, 1)),
    whole=batches(sides=(3, 3), kernels=(3, 3)),
)
def test_extents_of_one(same_outcome, pixel, one_in, one_out, whole):
    """The result has four dimensions, even for one channel in or out, kernels of one pixel, and one result."""
    same_outcome(lambda m: [m.corr2d_im2col(*case) for case in (pixel, one_in, one_out, whole)])


@points(2)
def test_one_matrix_multiplication(operators):
    """The whole batch is computed with one matrix multiplication."""
    for x_shape, k_shape, padding, stride in (
        ((2, 3, 5, 6), (4, 3, 2, 3), 0, 1),
        ((5, 2, 7, 4), (3, 2, 3, 2), 1, 2),
        ((3, 4, 4, 5), (2, 4, 2, 2), 1, 1),
    ):
        x, k = torch.rand(x_shape), torch.rand(k_shape)
        expect_one_product(operators(lambda m, x=x, k=k, p=padding, s=stride: m.corr2d_im2col(x, k, p, s)))


@points(1.5)
def test_vectorised(vectorised):
    """The work done in Python does not grow with the number of samples, channels, rows or columns."""
    hint = "Loop over the positions inside the window, not over rows, columns or channels."
    sizes = [(2, 3, 6, 7), (9, 3, 6, 7), (2, 12, 6, 7), (2, 3, 30, 7), (2, 3, 6, 40)]
    for padding, stride in ((0, 1), (1, 2)):
        vectorised(
            lambda m, x, p=padding, s=stride: m.corr2d_im2col(x, torch.ones(4, x.shape[1], 2, 3), p, s),
            *(torch.rand(size) for size in sizes),
            hint=hint,
        )
    kernels = [torch.rand(size) for size in ((2, 3, 2, 3), (20, 3, 2, 3))]
    vectorised(lambda m, k: m.corr2d_im2col(torch.ones(2, 3, 5, 6), k), *kernels, hint=hint)


@points(0.5)
@given(case=moving())
def test_gradient_of_the_input(same_outcome, case):
    """The gradient reaches every pixel."""
    x, k, *step = case
    same_outcome(lambda m: {"gradient of X": gradients(lambda x: m.corr2d_im2col(x, k, *step), x)[0]})


@points(0.5)
@given(case=moving())
def test_gradient_of_the_kernels(same_outcome, case):
    """The gradient reaches every kernel."""
    x, k, *step = case
    same_outcome(lambda m: {"gradient of K": gradients(lambda k: m.corr2d_im2col(x, k, *step), k)[0]})


@points(0.5)
@given(case=moving(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the dtype and the device of the images; with float64 it has that precision."""
    x, k, *step = case
    same_outcome(lambda m: m.corr2d_im2col(x / 3, k / 7, *step), exact="dtype")
    same_outcome(lambda m: m.corr2d_im2col(x.float(), k.float(), *step), exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x, k: m.corr2d_im2col(x, k, *step), x, k))


@points(0.5)
@given(case=moving(layouts=True))
def test_any_memory_layout(same_outcome, case):
    """Images and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(0.5)
@given(case=moving())
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor the result of an earlier call."""
    x, k, *step = case

    def probe(m):
        m.corr2d_im2col(x, k, *step)
        after = {"X after the call": x.clone(), "K after the call": k.clone()}
        return {**after, **after_another_call(lambda x: m.corr2d_im2col(x, k, *step), x, x + 1)}

    same_outcome(probe)


@points(1)
@given(case=other_channels(batch=(1, 3), c_out=(1, 4)))
def test_channels_that_do_not_match(same_outcome, case):
    """Kernels whose number of input channels differs from that of X raise a ValueError."""
    same_outcome(lambda m: m.corr2d_im2col(*case), raises=ValueError)


@points(0.5)
@given(plain=too_large_kernels((2, 3), (2, 3)), padded=too_large_kernels((2, 1), (3, 1), padding=1), stride=steps)
def test_kernels_that_do_not_fit(same_outcome, plain, padded, stride):
    """Kernels larger than the images with their border raise a ValueError; the border counts."""
    same_outcome(lambda m: m.corr2d_im2col(*plain, stride=stride), raises=ValueError)
    same_outcome(lambda m: m.corr2d_im2col(*padded, 1, stride), raises=ValueError)


@points(1)
def test_speed(forward_time):
    """A batch of large images takes about as long as unfolding it and one matrix product."""
    inputs = normal((4, 16, 32, 32), (32, 16, 3, 3))
    forward_time(lambda m: lambda x, k: m.corr2d_im2col(x, k, 1, 1), inputs, cpu=(6, 24), cuda=(6, 24))
