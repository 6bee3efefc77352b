"""`vgg_block(num_convs, in_channels, out_channels)`: 3×3 convolutions, then pooling."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    VALUES,
    any_layout,
    float64,
    images,
    in_double,
    learned,
    modes,
    of_other_sizes,
    result,
    seeds,
    shape_of,
    trainable,
    used_again,
)

from autograder.grading import exercise, points

pytestmark = exercise("vgg_block")

blocks = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))  # num_convs, in_channels, out_channels
even, sides = st.sampled_from([2, 4, 6]), st.integers(2, 7)


@points(0.5)
@given(block=blocks)
def test_number_of_parameters(same_outcome, block):
    """There are `num_convs` 3×3 convolutions with biases, and nothing else to learn."""
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.vgg_block(*block), (1, block[1], 4, 4))})


@points(1.5)
@given(block=blocks, seed=seeds, batch=st.integers(1, 3), height=even, width=even, training=modes)
def test_values(same_outcome, block, seed, batch, height, width, training):
    """With the same parameters the result is that of convolutions with ReLUs and one pooling, in both modes."""
    x = images(batch, block[1], height, width, seed=seed)
    same_outcome(lambda m: result(lambda: m.vgg_block(*block), x, training), tolerance=VALUES)


@points(0.5)
@given(num_convs=st.integers(1, 2), height=even, width=even)
def test_one_channel_and_equal_channels(same_outcome, num_convs, height, width):
    """Input and output may have one channel, or equal numbers of channels; the arguments have these names."""
    x = images(2, 1, height, width)
    same_outcome(lambda m: shape_of(lambda: m.vgg_block(num_convs, 1, 1), x))
    block = {"num_convs": num_convs, "in_channels": 3, "out_channels": 3}
    x = images(1, 3, height, width)
    same_outcome(lambda m: shape_of(lambda: m.vgg_block(**block), x))


@points(0.5)
@given(block=blocks, height=sides, width=sides)
def test_odd_sizes(same_outcome, block, height, width):
    """A row or column that is left over at the end is dropped: H becomes H // 2."""
    x = images(1, block[1], height, width)
    same_outcome(lambda m: shape_of(lambda: m.vgg_block(*block), x))


@points(1.5)
@settings(max_examples=4)
@given(block=blocks, seed=seeds)
def test_gradients(same_outcome, block, seed):
    """The gradients of the input and of all parameters are right, in both modes."""
    x = images(2, block[1], 4, 6, seed=seed, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.vgg_block(*block), x), tolerance=EXACT)


@points(0.5)
@settings(max_examples=3)
@given(block=blocks, seed=seeds)
def test_dtype(same_outcome, block, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(1, block[1], 4, 4, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.vgg_block(*block), x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 6, 4)
    same_outcome(lambda m: any_layout(lambda: m.vgg_block(2, 3, 4), x))


@points(0.5)
@settings(max_examples=3)
@given(block=blocks, seed=seeds)
def test_block_used_again(same_outcome, block, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, block[1], 4, 4, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.vgg_block(*block), x, *of_other_sizes(x)))
