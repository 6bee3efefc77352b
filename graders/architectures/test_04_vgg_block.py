"""`vgg_block(num_convs, in_channels, out_channels)`: 3×3 convolutions, then pooling."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    SLOPES,
    TOGETHER,
    VALUES,
    any_layout,
    counts_of,
    float64,
    images,
    in_double,
    modes,
    of_other_sizes,
    seeds,
    shape_of,
    silent_if_rectified,
    slopes,
    together,
    trainable,
    transposed,
    used_again,
    without_negative_numbers,
)

from autograder.grading import exercise, points

pytestmark = exercise("vgg_block")

# num_convs, in_channels, out_channels: in plain blocks the map is large enough for convolutions without padding, and
# the number of channels stays the same
plain = st.tuples(st.integers(1, 3), st.integers(2, 5)).map(lambda block: (block[0], block[1], block[1]))
blocks = st.tuples(st.integers(2, 3), st.integers(1, 4), st.integers(1, 5))
even, odd = st.sampled_from([8, 10]), st.sampled_from([3, 5, 7, 9])


@points(0.75)
@given(num_convs=st.integers(1, 3), channels=st.integers(6, 9))  # others than elsewhere: these blocks have no numbers
def test_number_of_parameters(same_outcome, num_convs, channels):
    """There are `num_convs` 3×3 convolutions with biases, and nothing else to learn."""
    block = (num_convs, channels, channels)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.vgg_block(*block), (1, channels, 8, 8))})


@points(0.5)
@given(block=plain, batch=st.integers(1, 3), height=even, width=even)
def test_shape(same_outcome, block, batch, height, width):
    """The convolutions keep height and width, and the pooling halves them."""
    x = images(batch, block[1], height, width)
    same_outcome(lambda m: shape_of(lambda: m.vgg_block(*block), x))


@points(1)
@given(block=plain, seed=seeds, height=even, width=even, training=modes)
def test_values(same_outcome, block, seed, height, width, training):
    """Without negative numbers, the result is that of 3×3 convolutions and one max pooling, in both modes."""
    x = images(2, block[1], height, width, seed=seed).abs()

    def probe(m):
        return without_negative_numbers(lambda: m.vgg_block(*block), x).train(training)(x)

    same_outcome(probe, tolerance=VALUES)


@points(0.75)
@given(block=plain)
def test_relu_after_every_convolution(same_outcome, block):
    """A ReLU follows every convolution."""
    x = images(1, block[1], 8, 8)
    same_outcome(lambda m: silent_if_rectified(lambda: m.vgg_block(*block), x))


@points(0.75)
@given(block=blocks)
def test_channels(same_outcome, block):
    """The first convolution changes the number of channels, which may be one; the arguments have these names."""
    x = images(2, block[1], 8, 8)
    named = dict(zip(("num_convs", "in_channels", "out_channels"), block, strict=True))
    same_outcome(lambda m: counts_of(lambda: m.vgg_block(**named), x))


@points(0.25)
@given(channels=st.integers(2, 5), height=odd, width=odd)
def test_odd_sizes(same_outcome, channels, height, width):
    """A row or column that is left over at the end is dropped: H becomes H // 2."""
    x = images(2, channels, height, width)
    same_outcome(lambda m: shape_of(lambda: m.vgg_block(1, channels, channels), x))


@points(0.5)
@settings(max_examples=2)
@given(block=plain, seed=seeds)
def test_gradients(same_outcome, block, seed):
    """Gradients reach the input and all parameters, in both modes, and predict how the result changes."""
    x = images(2, block[1], 8, 8, seed=seed)
    same_outcome(lambda m: slopes(lambda: m.vgg_block(*block), x), tolerance=SLOPES)


@points(0.25)
@settings(max_examples=3)
@given(block=plain, seed=seeds)
def test_dtype(same_outcome, block, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(2, block[1], 8, 8, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.vgg_block(*block), x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 10, 8)
    same_outcome(lambda m: any_layout(lambda: m.vgg_block(2, 3, 3), x))


@points(0.25)
@settings(max_examples=3)
@given(block=plain, seed=seeds)
def test_block_used_again(same_outcome, block, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, block[1], 8, 8, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.vgg_block(*block), x, *of_other_sizes(x)))


@points(0.75)
@settings(max_examples=2)
@given(block=blocks, seed=seeds)
def test_everything_together(same_outcome, block, seed):
    """All at once: results in evaluation mode and gradients in training mode, for odd sizes and other channels."""
    x = transposed(images(2, block[1], 7, 9, seed=seed, dtype=float64))
    same_outcome(lambda m: together(lambda: m.vgg_block(*block), x), tolerance=TOGETHER)
