"""`ResNeXtBlock(in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1)`."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    counts_of,
    float64,
    images,
    in_double,
    of_other_sizes,
    seeds,
    slopes,
    together,
    trainable,
    transposed,
    used_again,
    without_negative_numbers,
)

from autograder.grading import exercise, points
from autograder.probes import filled, gradients, outline, statistics, zeroed

pytestmark = exercise("ResNeXtBlock")

channels, sides = st.integers(2, 6), st.integers(4, 7)

# num_channels, group_width, bot_mul. In plain ones the bottleneck has as many groups as a group has channels.
plain_ones = st.sampled_from([(4, 2, 1), (9, 3, 1.0), (8, 2, 0.5), (2, 2, 2), (16, 2, 0.25)])
bottlenecks = st.sampled_from(
    [(4, 2, 1), (6, 3, 1.0), (8, 2, 0.5), (8, 4, 0.5), (6, 2, 2), (4, 8, 2.0), (12, 3, 0.25), (6, 1, 0.5), (8, 1, 0.25)]
)
grouped = st.sampled_from([(6, 3, 1), (8, 2, 1.0), (12, 2, 0.5), (6, 2, 2), (6, 1, 0.5), (8, 4, 2)])
# The product is not a whole number: 3.6, 4.5, 3.5, 8.7, 3.9999….
fractions = st.sampled_from([(6, 2, 0.6), (9, 2, 0.5), (7, 2, 0.5), (10, 3, 0.87), (5, 2, 0.75)])
single = st.sampled_from([(4, 4, 1), (8, 4, 0.5), (4, 8, 2.0), (12, 3, 0.25), (6, 6, 1)])
SHORTCUT = (3, 8, 2, 0.5, True)  # with a convolution of 8 outputs from 3 channels, as no other one


def plain(bottleneck):
    """Arguments of a block whose shortcut is the input itself."""
    return (bottleneck[0], *bottleneck)


def with_constant_branch(build, x, number):
    """A block in evaluation mode whose branch returns the same number for every input: with the sign of `number`."""
    model = zeroed(build, x).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if sum(extent > 1 for extent in parameter.shape) < 2:
                parameter.fill_(number)
    return model


@points(1.25)
@given(bottleneck=grouped, in_channels=channels)
def test_number_of_parameters(same_outcome, bottleneck, in_channels):
    """The number of parameters is right: grouped convolutions have fewer weights, and all convolutions have biases."""
    block, shape = plain(bottleneck), (2, bottleneck[0], 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.ResNeXtBlock(*block), shape)})
    block, shape = (in_channels, *bottleneck, True), (2, in_channels, 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.ResNeXtBlock(*block), shape)})


@points(1.25)
@given(bottleneck=plain_ones, seed=seeds, batch=st.integers(1, 3), height=sides, width=sides)
def test_values(same_outcome, bottleneck, seed, batch, height, width):
    """Without negative numbers, the result of the three convolutions and batch norms is added to the input itself."""
    x = images(batch, bottleneck[0], height, width, seed=seed).abs()

    def probe(m):
        model = without_negative_numbers(lambda: m.ResNeXtBlock(*plain(bottleneck)), x)
        with torch.no_grad():
            for buffer in model.buffers():  # means: what is normalised stays positive
                if buffer.is_floating_point():
                    buffer.copy_(buffer.abs().clamp(max=1))
        return model(x)

    same_outcome(probe, tolerance=VALUES)


@points(1.25)
@given(bottleneck=plain_ones)
def test_relu_after_the_sum(same_outcome, bottleneck):
    """One ReLU follows the sum; none changes the input, or the result of the third batch norm, before it is added."""
    build = plain(bottleneck)
    zeros = torch.zeros(2, bottleneck[0], 4, 4)

    def probe(m):
        up, down = (with_constant_branch(lambda: m.ResNeXtBlock(*build), zeros, number) for number in (0.5, -0.5))
        return {
            'answer to "does a negative input make the result smaller?"': bool((up(zeros - 0.2) < up(zeros)).all()),
            'answer to "does a branch that returns negative numbers?"': bool((down(zeros + 1) < 1).all()),
            'answer to "is the result 0 if the sum is negative?"': bool((down(zeros - 1) == 0).all()),
        }

    same_outcome(probe)


@points(1)
@given(seed=seeds, height=sides, width=sides)
def test_convolution_on_the_shortcut(same_outcome, seed, height, width):
    """With `use_1x1conv` the input passes through a 1×1 convolution and a batch norm before it is added."""
    x = images(2, SHORTCUT[0], height, width, seed=seed).abs()

    def probe(m):
        model = without_negative_numbers(lambda: m.ResNeXtBlock(*SHORTCUT), x)
        with torch.no_grad():
            for parameter in model.parameters():  # the branch returns the same for every input
                extents = [extent for extent in parameter.shape if extent > 1]
                if len(extents) > 1 and extents != [SHORTCUT[1], SHORTCUT[0]]:
                    parameter.zero_()
            return {"what the input adds to the result": model(x + 9).clone() - model(0 * x[:1] + 9)}

    same_outcome(probe, tolerance=VALUES)


@points(1)
@given(bottleneck=plain_ones, in_channels=channels, stride=st.integers(2, 3), height=sides, width=sides)
def test_strides(same_outcome, bottleneck, in_channels, stride, height, width):
    """The 3×3 convolution and the one on the shortcut have the stride."""
    x = images(2, in_channels, height, width).abs()

    def probe(m):
        model = without_negative_numbers(lambda: m.ResNeXtBlock(in_channels, *bottleneck, True, stride), x)
        (gradient,) = gradients(model, x)
        return {
            "shape of the result": list(model(x).shape),
            "whether a pixel has an influence": (gradient != 0).any(1).any(0).tolist(),
        }

    same_outcome(probe)


@points(1)
@given(bottleneck=plain_ones, seed=seeds)
def test_statistics(same_outcome, bottleneck, seed):
    """A pass in training mode updates the running statistics of every batch norm."""
    x = images(3, bottleneck[0], 5, 4, seed=seed, dtype=float64)

    def probe(m):
        model = filled(lambda: m.ResNeXtBlock(*plain(bottleneck)), x)
        model(x)
        return statistics(model)

    same_outcome(probe, tolerance=EXACT)


@points(0.75)
@settings(max_examples=2)
@given(bottleneck=plain_ones, shortcut=st.booleans(), seed=seeds)
def test_gradients(same_outcome, bottleneck, shortcut, seed):
    """In both modes gradients reach all parameters, and the input on both paths."""
    x = images(3, bottleneck[0], 4, 5, seed=seed)
    block = (*plain(bottleneck), shortcut)
    same_outcome(lambda m: slopes(lambda: m.ResNeXtBlock(*block), x), tolerance=SLOPES)


@points(0.5)
@given(bottleneck=fractions)
def test_width_is_rounded(same_outcome, bottleneck):
    """The bottleneck has `round(num_channels * bot_mul)` channels if the product is not a whole number."""
    block, shape = plain(bottleneck), (2, bottleneck[0], 4, 4)

    def probe(m):
        model = outline(lambda: m.ResNeXtBlock(*block), shape)
        return {"numbers of outputs of the layers": sorted({max(value.shape[:2]) for value in model.parameters()})}

    same_outcome(probe)


@points(1)
@given(num_channels=st.integers(2, 16), group_width=st.integers(2, 6), bot_mul=st.sampled_from([0.5, 1, 2]))
def test_width_that_cannot_be_divided(same_outcome, num_channels, group_width, bot_mul):
    """A width that is not a multiple of `group_width` raises a ValueError when the block is created."""
    width = round(num_channels * bot_mul)
    assume(width % group_width)
    block = (num_channels, num_channels, group_width, bot_mul)
    same_outcome(lambda m: m.ResNeXtBlock(*block), raises=ValueError)
    same_outcome(lambda m: m.ResNeXtBlock(*block, use_1x1conv=True, strides=2), raises=ValueError)


@points(0.5)
@given(bottleneck=single)
def test_single_group(same_outcome, bottleneck):
    """The bottleneck may be exactly one group wide."""
    x = images(2, bottleneck[0], 4, 4)
    same_outcome(lambda m: counts_of(lambda: m.ResNeXtBlock(*plain(bottleneck)), x))


@points(0.5)
@settings(max_examples=3)
@given(bottleneck=plain_ones, seed=seeds)
def test_dtype(same_outcome, bottleneck, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(2, bottleneck[0], 4, 4, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.ResNeXtBlock(*plain(bottleneck)), x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 4, 5, 4)
    same_outcome(lambda m: any_layout(lambda: m.ResNeXtBlock(4, 4, 2, 1), x))
    same_outcome(lambda m: any_layout(lambda: m.ResNeXtBlock(4, 9, 3, 1, True), x))


@points(0.25)
@settings(max_examples=3)
@given(bottleneck=plain_ones, seed=seeds)
def test_block_used_again(same_outcome, bottleneck, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, bottleneck[0], 4, 4, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.ResNeXtBlock(*plain(bottleneck)), x, *of_other_sizes(x)))
    block = (*plain(bottleneck), True)
    same_outcome(lambda m: used_again(lambda: m.ResNeXtBlock(*block), x, *of_other_sizes(x)))


@points(1.5)
@settings(max_examples=3)
@given(bottleneck=bottlenecks, in_channels=channels, stride=st.integers(1, 3), seed=seeds)
def test_everything_together(same_outcome, bottleneck, in_channels, stride, seed):
    """All at once: any groups, both kinds of shortcuts, strides, results in evaluation mode, gradients in training."""
    x = transposed(images(3, bottleneck[0], 4, 5, seed=seed, dtype=float64))
    same_outcome(lambda m: together(lambda: m.ResNeXtBlock(*plain(bottleneck)), x), tolerance=TOGETHER)
    x = transposed(images(3, in_channels, 4, 5, seed=seed, dtype=float64))
    block = (in_channels, *bottleneck, True, stride)
    same_outcome(lambda m: together(lambda: m.ResNeXtBlock(*block), x), tolerance=TOGETHER)
