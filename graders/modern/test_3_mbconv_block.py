"""`MBConvBlock(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25)`: wide in the middle."""

import torch
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
    more_parameters,
    noise,
    passed_on,
    repeated,
    slopes,
    three,
    trained,
    two,
    used_for_others,
    vectors,
)

from autograder.grading import exercise, points
from autograder.grading.strategies import normal
from autograder.probes import filled

pytestmark = exercise("MBConvBlock")

expansions = st.sampled_from([2, 3, 4, 6])


SHORTCUT = (13, 4)  # where some have a 1×1 convolution, which is another check's question


def weighted_evenly(result, m, x, expand, kernel, stride):
    """The result of a block with 13 output channels where the first weights of the squeeze and excitation are 0 (it has
    at most 8 channels in the middle): all channels have the weight 1/2."""
    silent = [(squeezed, 4 * expand) for squeezed in range(1, 9)] + ([SHORTCUT] if expand > 1 else [])
    return result(lambda: m.MBConvBlock(4, 13, expand, kernel, stride), x, *silent)


@points(1.25)
@given(out=st.sampled_from([5, 7, 9]), expand=expansions, kernel=st.sampled_from([3, 5]))
@three
def test_convolutions(same_outcome, out, expand, kernel):
    """There are an expansion, a depthwise convolution and a projection, with kernels of the right size and depth."""
    wide = 8 * expand
    wanted = (wide, 8), (wide, kernel**2), (out, wide)
    same_outcome(lambda m: layers(lambda: m.MBConvBlock(8, out, expand, kernel, 1), (2, 8, 7, 7), *wanted))


@points(1.25)
@given(out=st.sampled_from([5, 7, 9]), expand=expansions)
@three
def test_norms_and_biases(same_outcome, out, expand):
    """Each of the three convolutions has a batch norm and no bias; the squeeze and excitation has two biases."""
    lengths = 8 * expand, out
    same_outcome(lambda m: vectors(lambda: m.MBConvBlock(8, out, expand, 3, 1), (2, 8, 7, 7), *lengths))


@points(1.25)
@given(expand=expansions)
@few
def test_width_of_the_squeeze(same_outcome, expand):
    """The squeeze has max(1, int(in_channels · se_ratio)) channels: a fraction of the block's input channels."""
    for wide_in, ratio in ((8, 0.5), (6, 0.25), (3, 0.25), (7, 0.5), (10, 0.01)):

        def probe(m, wide_in=wide_in, ratio=ratio):
            wide = wide_in * expand
            one, other = (lambda r=r: m.MBConvBlock(wide_in, wide, expand, 3, 1, r) for r in (1.0, ratio))
            more = more_parameters((2, wide_in, 7, 7), one, other)
            return {f"channels that the squeeze has more with se_ratio=1 than with {ratio}": more // (2 * wide)}

        same_outcome(probe)


@points(2)
@given(x=images(4), expand=expansions)
@few
def test_values(same_outcome, x, expand):
    """Expansion, depthwise convolution and linear projection are right (weights of the channels 1/2, biases 0)."""
    same_outcome(lambda m: weighted_evenly(evaluated, m, x, expand, 3, 1), tolerance=VALUES)


@points(1.5)
@given(x=images(4))
@few
def test_squeeze_and_excitation(same_outcome, x):
    """The expanded channels are weighted after the depthwise convolution (all biases 0)."""
    same_outcome(lambda m: evaluated(lambda: m.MBConvBlock(4, 13, 2, 3, 1), x, SHORTCUT), tolerance=VALUES)


@points(1.5)
@given(x=images(4))
@three
def test_residual(same_outcome, x):
    """With stride 1 and as many output channels as input channels, the input is added: a block of zeros returns it."""
    same_outcome(lambda m: passed_on(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x.abs(), 4), tolerance=VALUES)


@points(1.25)
@given(x=images(4))
@three
def test_no_residual(same_outcome, x):
    """With a stride, or with other channels, nothing is added: a block of zeros returns zeros."""
    for out, stride in ((6, 1), (4, 2), (6, 2)):

        def probe(m, out=out, stride=stride):
            return passed_on(lambda: m.MBConvBlock(4, out, 2, 3, stride), x.abs(), out)

        same_outcome(probe, tolerance=VALUES)


@points(0.5)
@given(x=images(4))
@three
def test_nothing_after_the_sum(same_outcome, x):
    """The sum is the result, with no activation after it: a block of zeros returns negative numbers as they are."""
    same_outcome(lambda m: passed_on(lambda: m.MBConvBlock(4, 4, 2, 3, 1), -x.abs(), 4), tolerance=VALUES)


@points(1)
@given(x=images(4), stride=st.integers(2, 3))
@few
def test_stride(same_outcome, x, stride):
    """The depthwise convolution takes the stride (weights of the channels 1/2, biases 0)."""
    same_outcome(lambda m: weighted_evenly(evaluated, m, x, 2, 3, stride), tolerance=VALUES)


@points(0.75)
@given(x=images(4))
@three
def test_kernel_size(same_outcome, x):
    """The padding is kernel_size // 2, so only the stride makes the map smaller."""
    for kernel, stride in ((5, 1), (5, 2), (7, 1), (1, 1)):

        def probe(m, kernel=kernel, stride=stride):
            return {"shape of the result": list(evaluated(lambda: m.MBConvBlock(4, 3, 2, kernel, stride), x).shape)}

        same_outcome(probe)


@points(0.75)
@given(x=images(4))
@three
def test_without_expansion(same_outcome, x):
    """With expand_ratio=1 the first convolution and its batch norm are left out (weights of the channels 1/2)."""
    same_outcome(lambda m: layers(lambda: m.MBConvBlock(4, 5, 1, 3, 1), x.shape, (4, 4), (4, 9)))
    same_outcome(lambda m: weighted_evenly(evaluated, m, x, 1, 3, 1), tolerance=VALUES)


@points(0.75)
@given(x=images(4, sides=(4, 7), dtype=float64), expand=expansions)
@few
def test_training(same_outcome, x, expand):
    """In training mode the statistics of the batch are used (weights of the channels 1/2, biases 0)."""
    same_outcome(lambda m: weighted_evenly(trained, m, x, expand, 3, 1), tolerance=PRECISE)


@points(0.5)
@given(x=images(4))
@few
def test_nothing_is_random(same_outcome, x):
    """The same block gives the same result for the same input, in training mode and in evaluation mode."""
    same_outcome(lambda m: repeated(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(0.25)
@given(x=images(4, sides=(4, 7), dtype=float64), expand=st.sampled_from([2, 6]))
@few
def test_running_statistics(same_outcome, x, expand):
    """Each batch norm sees what it should: the running statistics are right after two passes in training mode."""

    def probe(m):
        return after_training(lambda: m.MBConvBlock(4, 13, expand, 3, 1), x, x * 2 + 1)

    same_outcome(probe, tolerance=PRECISE)


@points(1)
@given(x=images(4, sides=(4, 7), dtype=float64))
@two
def test_gradient(same_outcome, x):
    """The gradients are those of the result, for the input and the parameters, in both modes."""
    for out in (4, 6):
        same_outcome(lambda m, out=out: slopes(lambda: m.MBConvBlock(4, out, 2, 3, 1), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(4))
@three
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: in_other_layouts(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(0.5)
@given(x=images(4))
@three
def test_dtype(same_outcome, x):
    """The result has the dtype of input and module, float32 or float64, and in float64 all its digits."""
    same_outcome(lambda m: dtypes(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=SLOPES)


@points(0.25)
@given(x=images(4, batch=(1, 1)))
@two
def test_single_image(same_outcome, x):
    """The result for a batch of one image still has four dimensions."""
    for out in (4, 6):

        def probe(m, out=out):
            return {"shape of the result": list(evaluated(lambda: m.MBConvBlock(4, out, 2, 3, 1), x).shape)}

        same_outcome(probe)


@points(0.25)
@given(x=images(4))
@three
def test_input_and_earlier_results(same_outcome, x):
    """The input is not modified, and a result stays as it is when the block is called again."""
    same_outcome(lambda m: left_alone(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(0.5)
@given(x=images(4))
@two
def test_block_used_again(same_outcome, x):
    """One block takes maps of any size, one after another, and remembers none; copies do what it does."""
    same_outcome(lambda m: used_for_others(lambda: m.MBConvBlock(4, 4, 2, 3, 1), x), tolerance=VALUES)


@points(0.25)
def test_names_of_the_arguments(same_outcome):
    """All arguments can be given by name."""
    names = {"in_channels": 4, "out_channels": 6, "expand_ratio": 2, "kernel_size": 3, "stride": 1, "se_ratio": 0.25}

    def probe(m):
        return {"shape of the result": list(evaluated(lambda: m.MBConvBlock(**names), noise((2, 4, 7, 6))).shape)}

    same_outcome(probe)


@points(1)
def test_speed(forward_time):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    shape = (4, 16, 28, 28)
    forward_time(
        lambda m: filled(lambda: m.MBConvBlock(16, 16, 4, 3, 1), torch.zeros(shape)).eval(),
        normal(shape),
        cpu=(24, 96),
        cuda=(24, 96),
        tolerance=VALUES,
    )


@points(1.5)
@given(x=images(4, sides=(4, 7), dtype=float64, square=False))
@two
def test_everything_together(same_outcome, x):
    """Blocks of all kinds, biases included, maps that are not square: results, statistics and gradients are right."""
    # outputs, expansion, kernel size, stride, ratio
    for args in ((4, 3, 3, 1, 0.5), (6, 2, 5, 2, 0.5), (4, 1, 3, 1), (4, 6, 3, 3, 0.25), (3, 1, 5, 2, 1.0)):
        same_outcome(lambda m, args=args: complete(lambda: m.MBConvBlock(4, *args), x / 3))
    for args in ((4, 3, 3, 1, 0.5), (6, 2, 5, 2, 0.5)):
        same_outcome(lambda m, args=args: learned(lambda: m.MBConvBlock(4, *args), x), tolerance=VALUES)
