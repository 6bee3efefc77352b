"""`nin_block(in_channels, out_channels, kernel_size, strides, padding)`: one convolution, then two 1×1 convolutions."""

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

pytestmark = exercise("nin_block")

channels = st.tuples(st.integers(1, 4), st.integers(2, 8))
kernels, sides = st.integers(1, 5), st.integers(5, 9)
windows = st.tuples(kernels, st.integers(1, 4), st.integers(0, 2))  # kernel_size, strides, padding


@points(1)
@given(channels=channels, kernel=kernels)
def test_number_of_parameters(same_outcome, channels, kernel):
    """There are three convolutions, each with a bias: one with the given kernel and two 1×1 convolutions."""
    shape = (1, channels[0], 5, 5)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.nin_block(*channels, kernel, 1, 0), shape)})


@points(2)
@given(channels=channels, kernel=kernels, seed=seeds, batch=st.integers(1, 3), side=sides, training=modes)
def test_values(same_outcome, channels, kernel, seed, batch, side, training):
    """With the same parameters the result is that of the three convolutions with their ReLUs, in both modes."""
    x = images(batch, channels[0], side, side, seed=seed)
    same_outcome(lambda m: result(lambda: m.nin_block(*channels, kernel, 1, 0), x, training), tolerance=VALUES)


@points(1.5)
@given(channels=channels, window=windows, seed=seeds, height=sides, width=sides)
def test_strides_and_padding(same_outcome, channels, window, seed, height, width):
    """Stride and padding are those of the first convolution; the other two keep the size of the map."""
    x = images(2, channels[0], height, width, seed=seed)
    same_outcome(lambda m: result(lambda: m.nin_block(*channels, *window), x), tolerance=VALUES)


@points(0.5)
@given(window=windows, height=sides)
def test_one_channel_and_equal_channels(same_outcome, window, height):
    """Input and output may have one channel, or equal numbers of channels; the arguments have these names."""
    x = images(1, 1, height, 6)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(1, 1, *window), x))
    named = dict(zip(("kernel_size", "strides", "padding"), window, strict=True))
    x = images(1, 3, height, 6)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(in_channels=3, out_channels=3, **named), x))


@points(1.5)
@settings(max_examples=4)
@given(channels=channels, window=windows, seed=seeds)
def test_gradients(same_outcome, channels, window, seed):
    """The gradients of the input and of all parameters are right, in both modes."""
    x = images(2, channels[0], 5, 6, seed=seed, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.nin_block(*channels, *window), x), tolerance=EXACT)


@points(0.5)
@settings(max_examples=3)
@given(channels=channels, window=windows, seed=seeds)
def test_dtype(same_outcome, channels, window, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(1, channels[0], 5, 6, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.nin_block(*channels, *window), x))


@points(0.5)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 6, 7)
    same_outcome(lambda m: any_layout(lambda: m.nin_block(3, 4, 3, 2, 1), x))


@points(0.5)
@settings(max_examples=3)
@given(channels=channels, window=windows, seed=seeds)
def test_block_used_again(same_outcome, channels, window, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, channels[0], 5, 6, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.nin_block(*channels, *window), x, *of_other_sizes(x)))
