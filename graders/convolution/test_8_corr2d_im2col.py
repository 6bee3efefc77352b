"""`corr2d_im2col(X, K, padding=0, stride=1)`: whole batches with one matrix multiplication."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    BATCHES,
    as_large,
    cases,
    expect_another_call,
    expect_any_layout,
    expect_dtype,
    expect_gradient,
    expect_one_product,
    numbers,
    other_channels,
    squares,
    too_large_kernels,
    with_plain_steps,
    with_steps,
)

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.grading.strategies import normal

pytestmark = [exercise("corr2d_im2col"), forbids(CONVOLUTION)]

one, two, several = (1, 1), (2, 2), (2, 4)
none, every_place, steps = st.just(0), st.just(1), st.integers(1, 3)


def corr2d_im2col(m, x, k):
    return m.corr2d_im2col(x, k, 1, 2)


def batches(**options):
    """X (N, c_i, H, W) and K (c_o, c_i, h, w), square."""
    return squares(**{"batch": two, "c_in": (2, 3), "c_out": several} | options)


def moving(paddings, strides=every_place, **options):
    """(X, K, padding, stride), square."""
    return with_plain_steps(paddings, strides, batched=True, **options)


@points(0.5)
@given(case=batches(kernels=(1, 3), more=(1, 4)))
def test_shape(same_outcome, case):
    """(N, c_i, H, W) and (c_o, c_i, h, w) give (N, c_o, H − h + 1, W − w + 1)."""
    same_outcome(lambda m: list(m.corr2d_im2col(*case).shape))


@points(2.5)
@given(case=batches(batch=one))
def test_one_image(same_outcome, case):
    """A batch of one image: every kernel makes an output channel."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(1)
@settings(max_examples=12)
@given(case=batches(batch=several))
def test_several_images(same_outcome, case):
    """Every image of the batch has its own result, in the order of the images."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(0.5)
@settings(max_examples=10)
@given(case=cases(batch=one, c_in=(2, 3), c_out=(2, 3), sides=(4, 6)))
def test_oblong(same_outcome, case):
    """Images and kernels may be oblong."""
    same_outcome(lambda m: m.corr2d_im2col(*case))


@points(1)
@settings(max_examples=12)
@given(case=moving(st.integers(1, 2)))
def test_padding(same_outcome, case):
    """`padding` is the width of a border of zeros on each side."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_im2col(x, k, padding=padding))


@points(1)
@settings(max_examples=12)
@given(case=moving(none, st.integers(2, 3)))
def test_stride(same_outcome, case):
    """`stride` is the step of the window."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_im2col(x, k, stride=stride))


@points(1)
@settings(max_examples=12)
@given(case=moving(none, st.integers(2, 4), left_over=True))
def test_window_over_the_edge(same_outcome, case):
    """A window that would hang over the edge is left out of the result's height and width."""
    x, k, _, stride = case
    same_outcome(lambda m: {"height and width": list(m.corr2d_im2col(x, k, stride=stride).shape[2:])})


@points(0.5)
@settings(max_examples=10)
@given(one_image=batches(batch=one), one_in=batches(c_in=one), one_out=batches(c_out=one), pixel=batches(kernels=one))
def test_extents_of_one(same_outcome, one_image, one_in, one_out, pixel):
    """One image, one channel in or out, kernels of one pixel: the result still has four dimensions."""
    inputs = one_image, one_in, one_out, pixel
    same_outcome(lambda m: {"numbers of dimensions": [m.corr2d_im2col(*case).dim() for case in inputs]})


@points(0.5)
@settings(max_examples=10)
@given(plain=as_large(batch=two, c_in=two, c_out=two), padded=as_large(batch=two, c_in=two, c_out=two, border=1))
def test_kernels_as_large_as_the_images(same_outcome, plain, padded):
    """Kernels as tall or as wide as the images with their border fit, and the result still has four dimensions."""
    same_outcome(lambda m: {"number of dimensions": m.corr2d_im2col(*plain).dim()})
    same_outcome(lambda m: {"number of dimensions": m.corr2d_im2col(*padded, 1).dim()})


@points(2)
@given(
    case=with_steps(st.integers(0, 3), st.integers(1, 4), batched=True),
    large=cases(batch=(1, 3), c_in=(1, 3), c_out=(1, 4), values="negative"),
)
def test_everything_together(same_outcome, case, large):
    """Padding and stride together, any sizes and numbers of channels, large and negative numbers."""
    same_outcome(lambda m: m.corr2d_im2col(*case))
    same_outcome(lambda m: m.corr2d_im2col(large[0] * 1000, large[1]))


@points(1.5)
def test_one_matrix_multiplication(operators):
    """The whole batch is computed with one matrix multiplication."""
    for x_shape, k_shape, padding, stride in (
        ((2, 3, 5, 6), (4, 3, 2, 3), 0, 1),
        ((5, 2, 7, 4), (3, 2, 3, 2), 1, 2),
        ((3, 4, 4, 5), (2, 4, 2, 2), 1, 1),
    ):
        x, k = torch.rand(x_shape), torch.rand(k_shape)
        expect_one_product(operators(lambda m, x=x, k=k, p=padding, s=stride: m.corr2d_im2col(x, k, p, s)))


@points(1)
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
def test_gradient_of_the_input(student):
    """The gradient reaches every pixel: it says how the result changes with X."""
    expect_gradient(student, corr2d_im2col, BATCHES, "X")


@points(0.5)
def test_gradient_of_the_kernels(student):
    """The gradient reaches every kernel: it says how the result changes with K."""
    expect_gradient(student, corr2d_im2col, BATCHES, "K")


@points(0.5)
def test_dtype(same_outcome, student):
    """The result has the dtype and the device of the images; with float64 it has that precision."""
    expect_dtype(same_outcome, student, corr2d_im2col, BATCHES)


@points(0.5)
def test_any_memory_layout(same_outcome, student):
    """Images and kernels may be transposed, sliced from larger tensors, or have their channels last."""
    expect_any_layout(same_outcome, student, corr2d_im2col, BATCHES)


@points(0.5)
def test_arguments_are_not_modified(same_outcome):
    """The call does not modify its arguments."""
    x, k = (numbers(shape) for shape in BATCHES)

    def probe(m):
        corr2d_im2col(m, x, k)
        return {"X after the call": x, "K after the call": k}

    same_outcome(probe)


@points(0.5)
def test_another_call(student):
    """A call does not change the result of an earlier one, and does not depend on it."""
    expect_another_call(student, corr2d_im2col, BATCHES)


@points(0.5)
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
    forward_time(lambda m: lambda x, k: m.corr2d_im2col(x, k, 1, 1), inputs, cpu=(17, 68), cuda=(17, 68))
