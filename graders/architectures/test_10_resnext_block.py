"""`ResNeXtBlock(in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1)`."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    learned,
    of_other_sizes,
    result,
    seeds,
    trainable,
    training_step,
    used_again,
)

from autograder.grading import exercise, points

pytestmark = exercise("ResNeXtBlock")

channels, sides, strides = st.integers(1, 6), st.integers(2, 6), st.integers(1, 3)

# num_channels, group_width, bot_mul, where the bottleneck's width is a multiple of the group's
bottlenecks = st.sampled_from(
    [(4, 2, 1), (6, 3, 1.0), (8, 2, 0.5), (8, 4, 0.5), (6, 2, 2), (4, 8, 2.0), (12, 3, 0.25), (6, 1, 0.5), (8, 1, 0.25)]
)
# The product is not a whole number: 3.6, 5.4, 2.5, 4.8, 3.5, 2.9999….
fractions = st.sampled_from([(6, 2, 0.6), (9, 5, 0.6), (5, 2, 0.5), (8, 5, 0.6), (7, 4, 0.5), (10, 3, 0.3)])


def plain(bottleneck):
    """Arguments of a block whose shortcut is the input itself."""
    return (bottleneck[0], *bottleneck)


@points(1)
@given(bottleneck=bottlenecks, in_channels=channels)
def test_number_of_parameters(same_outcome, bottleneck, in_channels):
    """The number of parameters is right: grouped convolutions have fewer weights, and all convolutions have biases."""
    block, shape = plain(bottleneck), (2, bottleneck[0], 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.ResNeXtBlock(*block), shape)})
    block, shape = (in_channels, *bottleneck), (2, in_channels, 4, 4)
    build = {"use_1x1conv": True, "strides": 2}
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.ResNeXtBlock(*block, **build), shape)})


@points(1.5)
@given(bottleneck=bottlenecks, seed=seeds, batch=st.integers(1, 3), height=sides, width=sides)
def test_values(same_outcome, bottleneck, seed, batch, height, width):
    """Without further arguments the input is added as it is, and a ReLU follows the sum (in evaluation mode)."""
    x = images(batch, bottleneck[0], height, width, seed=seed)
    same_outcome(lambda m: result(lambda: m.ResNeXtBlock(*plain(bottleneck)), x), tolerance=VALUES)


@points(1.5)
@given(bottleneck=bottlenecks, in_channels=channels, seed=seeds, height=sides, width=sides)
def test_convolution_on_the_shortcut(same_outcome, bottleneck, in_channels, seed, height, width):
    """With `use_1x1conv` the input passes through a 1×1 convolution and a batch norm before it is added."""
    x = images(2, in_channels, height, width, seed=seed)
    block = (in_channels, *bottleneck, True)
    same_outcome(lambda m: result(lambda: m.ResNeXtBlock(*block), x), tolerance=VALUES)


@points(1)
@given(bottleneck=bottlenecks, in_channels=channels, stride=strides, seed=seeds, height=sides, width=sides)
def test_strides(same_outcome, bottleneck, in_channels, stride, seed, height, width):
    """The 3×3 convolution and the one on the shortcut have the stride."""
    x = images(2, in_channels, height, width, seed=seed)
    block = (in_channels, *bottleneck)
    build = {"strides": stride, "use_1x1conv": True}
    same_outcome(lambda m: result(lambda: m.ResNeXtBlock(*block, **build), x), tolerance=VALUES)


@points(1)
@given(bottleneck=bottlenecks, shortcut=st.booleans(), seed=seeds)
def test_values_in_training(same_outcome, bottleneck, shortcut, seed):
    """In training mode every batch norm uses the statistics of the batch."""
    x = images(4, bottleneck[0], 5, 4, seed=seed, dtype=float64)
    block = (*plain(bottleneck), shortcut)
    same_outcome(lambda m: result(lambda: m.ResNeXtBlock(*block), x, training=True), tolerance=EXACT)


@points(1)
@given(bottleneck=bottlenecks, in_channels=channels, stride=strides, seed=seeds)
def test_statistics(same_outcome, bottleneck, in_channels, stride, seed):
    """A pass in training mode updates the running statistics of three or four batch norms."""
    x = images(3, bottleneck[0], 5, 4, seed=seed, dtype=float64)
    same_outcome(lambda m: training_step(lambda: m.ResNeXtBlock(*plain(bottleneck)), x), tolerance=EXACT)
    x = images(3, in_channels, 5, 4, seed=seed, dtype=float64)
    block = (in_channels, *bottleneck, True, stride)
    same_outcome(lambda m: training_step(lambda: m.ResNeXtBlock(*block), x), tolerance=EXACT)


@points(1.5)
@settings(max_examples=4)
@given(bottleneck=bottlenecks, in_channels=channels, stride=strides, seed=seeds)
def test_gradients(same_outcome, bottleneck, in_channels, stride, seed):
    """In both modes the gradients of the input and of all parameters are right, even if the input itself is added."""
    x = images(3, bottleneck[0], 4, 5, seed=seed, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.ResNeXtBlock(*plain(bottleneck)), x), tolerance=EXACT)
    x = images(3, in_channels, 4, 5, seed=seed, dtype=float64)
    block = (in_channels, *bottleneck, True, stride)
    same_outcome(lambda m: learned(lambda: m.ResNeXtBlock(*block), x), tolerance=EXACT)


@points(0.5)
@given(bottleneck=fractions)
def test_width_is_rounded(same_outcome, bottleneck):
    """The bottleneck has `round(num_channels * bot_mul)` channels if the product is not a whole number."""
    block, shape = plain(bottleneck), (2, bottleneck[0], 4, 4)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.ResNeXtBlock(*block), shape)})


@points(1.5)
@given(num_channels=st.integers(2, 16), group_width=st.integers(2, 6), bot_mul=st.sampled_from([0.5, 1, 2]))
def test_width_that_cannot_be_divided(same_outcome, num_channels, group_width, bot_mul):
    """A width that is not a multiple of `group_width` raises a ValueError when the block is created."""
    width = round(num_channels * bot_mul)
    assume(width % group_width)
    block = (num_channels, num_channels, group_width, bot_mul)
    same_outcome(lambda m: m.ResNeXtBlock(*block), raises=ValueError)
    same_outcome(lambda m: m.ResNeXtBlock(*block, use_1x1conv=True, strides=2), raises=ValueError)


@points(0.5)
@settings(max_examples=3)
@given(bottleneck=bottlenecks, seed=seeds)
def test_dtype(same_outcome, bottleneck, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(2, bottleneck[0], 4, 4, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.ResNeXtBlock(*plain(bottleneck)), x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 4, 5, 4)
    same_outcome(lambda m: any_layout(lambda: m.ResNeXtBlock(4, 4, 2, 1), x))
    same_outcome(lambda m: any_layout(lambda: m.ResNeXtBlock(4, 6, 3, 1, True, 2), x))


@points(0.5)
@settings(max_examples=3)
@given(bottleneck=bottlenecks, seed=seeds)
def test_block_used_again(same_outcome, bottleneck, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, bottleneck[0], 4, 4, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.ResNeXtBlock(*plain(bottleneck)), x, *of_other_sizes(x)))
    block = (*plain(bottleneck), True)
    same_outcome(lambda m: used_again(lambda: m.ResNeXtBlock(*block), x, *of_other_sizes(x)))
