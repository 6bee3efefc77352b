"""`MBConvBlock(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25)`: wide in the middle."""

import torch
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
from autograder.grading.strategies import normal
from autograder.probes import filled, parameter_count

pytestmark = exercise("MBConvBlock")

expansions = st.sampled_from([2, 3, 4, 6])
kernels = st.sampled_from([3, 5])


def count_of(m, *args, **names):
    """The parameters of a block; its first argument is its number of input channels."""
    return {"number of parameters": parameter_count(lambda: m.MBConvBlock(*args, **names), (2, args[0], 7, 7))}


@points(2)
@given(wide_in=st.sampled_from([4, 8, 12]), out=st.integers(1, 9), expand=expansions, kernel=kernels)
@some
def test_parameters(same_outcome, wide_in, out, expand, kernel):
    """There are three convolutions without bias, each with its batch norm, and two 1×1 convolutions with bias."""
    same_outcome(lambda m: count_of(m, wide_in, out, expand, kernel, 1))


@points(1)
@given(wide_in=st.sampled_from([4, 8, 12]), out=st.integers(1, 9), kernel=kernels, stride=st.integers(1, 2))
@few
def test_parameters_without_expansion(same_outcome, wide_in, out, kernel, stride):
    """With expand_ratio=1 the first convolution and its batch norm are left out."""
    same_outcome(lambda m: count_of(m, wide_in, out, 1, kernel, stride))


@points(2)
@given(expand=expansions)
@few
def test_width_of_the_squeeze(same_outcome, expand):
    """The squeeze has max(1, int(in_channels · se_ratio)) channels: a fraction of the block's input channels."""
    for wide_in, ratio in ((8, 0.5), (6, 0.25), (3, 0.25), (7, 0.5), (10, 0.01), (4, 1.0)):
        same_outcome(lambda m, wide_in=wide_in, ratio=ratio: count_of(m, wide_in, 4, expand, 3, 1, se_ratio=ratio))


@points(2)
@given(x=images(4), out=st.sampled_from([2, 3, 6]), expand=expansions)
@some
def test_other_channels(same_outcome, x, out, expand):
    """If the numbers of channels differ, the result is the projection alone, without an activation after it."""
    same_outcome(lambda m: evaluated(lambda: m.MBConvBlock(4, out, expand, 3, 1), x), tolerance=VALUES)


@points(2)
@given(x=images(4), expand=expansions)
@some
def test_residual(same_outcome, x, expand):
    """With stride 1 and as many output channels as input channels, the input is added."""
    same_outcome(lambda m: evaluated(lambda: m.MBConvBlock(4, 4, expand, 3, 1), x), tolerance=VALUES)


@points(2)
@given(x=images(4), expand=expansions, stride=st.integers(2, 3))
@some
def test_stride(same_outcome, x, expand, stride):
    """The depthwise convolution takes the stride; then nothing is added, even with equal numbers of channels."""
    for args in ((4, 4, expand, 3, stride), (4, 6, expand, 3, stride)):
        same_outcome(lambda m, args=args: evaluated(lambda: m.MBConvBlock(*args), x), tolerance=VALUES)


@points(1)
@given(x=images(4))
@few
def test_kernel_size(same_outcome, x):
    """The padding is kernel_size // 2, so only the stride makes the map smaller."""
    for kernel, stride in ((5, 1), (5, 2), (7, 1), (1, 1)):
        same_outcome(
            lambda m, kernel=kernel, stride=stride: evaluated(lambda: m.MBConvBlock(4, 3, 2, kernel, stride), x),
            tolerance=VALUES,
        )


@points(1)
@given(x=images(4), kernel=kernels)
@few
def test_without_expansion(same_outcome, x, kernel):
    """With expand_ratio=1 the depthwise convolution comes first."""
    for out, stride in ((4, 1), (3, 1), (4, 2)):
        same_outcome(
            lambda m, out=out, stride=stride: evaluated(lambda: m.MBConvBlock(4, out, 1, kernel, stride), x),
            tolerance=VALUES,
        )


@points(1.5)
@given(x=images(4, sides=((4, 7), (4, 7)), dtype=float64), expand=expansions)
@few
def test_training(same_outcome, x, expand):
    """In training mode the statistics of the batch are used, and nothing is random."""
    for out, stride in ((4, 1), (6, 2)):
        same_outcome(
            lambda m, out=out, stride=stride: trained(lambda: m.MBConvBlock(4, out, expand, 3, stride), x),
            tolerance=PRECISE,
        )


@points(1)
@given(x=images(4, sides=((4, 7), (4, 7)), dtype=float64), expand=st.sampled_from([1, 2, 6]))
@few
def test_running_statistics(same_outcome, x, expand):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""
    same_outcome(
        lambda m: after_training(lambda: m.MBConvBlock(4, 6, expand, 3, 1), x, x * 2 + 1),
        tolerance=PRECISE,
    )


@points(1)
@given(x=images(4, sides=((4, 7), (4, 7)), dtype=float64), expand=st.sampled_from([1, 2, 3]))
@few
def test_gradient(same_outcome, x, expand):
    """The gradients of the input and of the parameters are right, in both modes."""
    for out, stride in ((4, 1), (6, 2)):
        same_outcome(
            lambda m, out=out, stride=stride: learned(lambda: m.MBConvBlock(4, out, expand, 3, stride), x),
            tolerance=PRECISE,
        )


@points(0.5)
@given(x=images(4))
@few
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    for same in laid_out(x):
        same_outcome(lambda m, x=same: evaluated(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(0.5)
@given(x=images(4, dtype=float64))
@few
def test_dtype(same_outcome, x):
    """The result has four dimensions and the dtype of input and module, float32 or float64, at full precision."""
    same_outcome(lambda m: evaluated(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x / 3), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x))


@points(0.5)
@given(x=images(4))
@few
def test_input_is_not_modified(same_outcome, x):
    """One module takes images of any size, one after another; the input and earlier results stay as they are."""
    for expand in (1, 2):
        same_outcome(
            lambda m, expand=expand: untouched(lambda: m.MBConvBlock(4, 4, expand, 3, 1), x),
            tolerance=VALUES,
            exact="shape",
        )


@points(0.5)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    names = {
        "in_channels": 4,
        "out_channels": 6,
        "expand_ratio": 2,
        "kernel_size": 5,
        "stride": 2,
        "se_ratio": 0.5,
    }
    same_outcome(lambda m: evaluated(lambda: m.MBConvBlock(**names), noise((2, 4, 7, 6))), tolerance=VALUES)


@points(0.5)
@given(x=images(4))
@few
def test_copies(same_outcome, x):
    """Copies of the module behave as it does: a deep copy, and a new module that loads its state."""
    same_outcome(lambda m: copied(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(1)
def test_speed(forward_time):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    shape = (4, 16, 28, 28)
    forward_time(
        lambda m: filled(lambda: m.MBConvBlock(16, 16, 4, 3, 1), torch.zeros(shape)).eval(),
        normal(shape),
        cpu=(4, 16),
        cuda=(4, 16),
        tolerance=VALUES,
    )
