"""`nin_block(in_channels, out_channels, kernel_size, strides, padding)`: one convolution, then two 1×1 convolutions."""

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

pytestmark = exercise("nin_block")

channels = st.integers(2, 6).map(lambda number: (number, number))
kernels, sides = st.integers(1, 5), st.integers(8, 11)
windows = st.tuples(st.integers(3, 5), st.integers(2, 3), st.integers(1, 2))  # kernel_size, strides, padding
PLAIN = (3, 1, 0)


@points(1)
@given(number=st.integers(7, 9), kernel=kernels)  # other channels than elsewhere: these blocks have no numbers
def test_number_of_parameters(same_outcome, number, kernel):
    """There are three convolutions, each with a bias: one with the given kernel and two 1×1 convolutions."""
    block = (number, number, kernel, 1, 0)
    same_outcome(lambda m: {"number of parameters": trainable(lambda: m.nin_block(*block), (1, number, 9, 9))})


@points(1.25)
@given(channels=channels, kernel=kernels, seed=seeds, batch=st.integers(1, 3), training=modes)
def test_values(same_outcome, channels, kernel, seed, batch, training):
    """Without negative numbers, a map of equal pixels yields what the three convolutions make of it, in both modes."""
    x = images(batch, channels[0], 1, 1, seed=seed).abs().expand(-1, -1, 9, 9).contiguous()

    def probe(m):
        y = without_negative_numbers(lambda: m.nin_block(*channels, kernel, 1, 0), x).train(training)(x)
        return {"largest results of the channels": y.amax((2, 3))}  # away from the border, if there is one

    same_outcome(probe, tolerance=VALUES)


@points(1)
@given(stride=st.integers(2, 3), height=sides, width=sides)
def test_strides(same_outcome, stride, height, width):
    """The first convolution has the stride, and the other two keep the size of the map."""
    x = images(2, 3, height, width)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(3, 3, 3, stride, 0), x))


@points(1)
@given(padding=st.integers(1, 2), height=sides, width=sides)
def test_padding(same_outcome, padding, height, width):
    """The first convolution has the padding, and the other two add none."""
    x = images(2, 3, height, width)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(3, 3, 3, 1, padding), x))


@points(0.5)
@given(kernel=kernels, padding=st.integers(0, 2))
def test_windows_at_the_limit(same_outcome, kernel, padding):
    """The stride may be larger than the kernel, and the kernel, even or odd, as large as the padded map."""
    size = max(1, kernel - 2 * padding)
    x = images(2, 3, size, size)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(3, 3, size + 2 * padding, 1, padding), x))
    x = images(2, 3, 9, 9)
    same_outcome(lambda m: shape_of(lambda: m.nin_block(3, 3, kernel, kernel + 1, 0), x))


@points(0.75)
@given(channels=channels)
def test_relu_after_every_convolution(same_outcome, channels):
    """A ReLU follows each of the three convolutions."""
    x = images(1, channels[0], 9, 9)
    same_outcome(lambda m: silent_if_rectified(lambda: m.nin_block(*channels, *PLAIN), x))


@points(0.5)
@given(channels=st.sampled_from([(1, 1), (1, 3), (3, 1), (4, 2)]))
def test_channels(same_outcome, channels):
    """Input and output may have one channel, or different numbers of channels; the arguments have these names."""
    x = images(2, channels[0], 9, 9)
    named = dict(zip(("kernel_size", "strides", "padding"), PLAIN, strict=True))
    build = {"in_channels": channels[0], "out_channels": channels[1], **named}
    same_outcome(lambda m: counts_of(lambda: m.nin_block(**build), x))


@points(0.5)
@settings(max_examples=2)
@given(channels=channels, seed=seeds)
def test_gradients(same_outcome, channels, seed):
    """Gradients reach the input and all parameters, in both modes, and predict how the result changes."""
    x = images(2, channels[0], 9, 9, seed=seed)
    same_outcome(lambda m: slopes(lambda: m.nin_block(*channels, *PLAIN), x), tolerance=SLOPES)


@points(0.25)
@settings(max_examples=3)
@given(channels=channels, seed=seeds)
def test_dtype(same_outcome, channels, seed):
    """A block in float64 computes in float64, one in float32 returns float32."""
    x = images(2, channels[0], 9, 9, seed=seed)
    same_outcome(lambda m: in_double(lambda: m.nin_block(*channels, *PLAIN), x))


@points(0.25)
def test_any_memory_layout(same_outcome):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    x = images(2, 3, 9, 8)
    same_outcome(lambda m: any_layout(lambda: m.nin_block(3, 3, *PLAIN), x))


@points(0.25)
@settings(max_examples=3)
@given(channels=channels, seed=seeds)
def test_block_used_again(same_outcome, channels, seed):
    """One block takes maps of any size, and so does a copy of it; the input and earlier results do not change."""
    x = images(2, channels[0], 9, 9, seed=seed)
    same_outcome(lambda m: used_again(lambda: m.nin_block(*channels, *PLAIN), x, *of_other_sizes(x)))


@points(0.75)
@settings(max_examples=2)
@given(channels=st.tuples(st.integers(1, 4), st.integers(2, 8)), window=windows, seed=seeds)
def test_everything_together(same_outcome, channels, window, seed):
    """All at once: stride, padding, other channels, results in evaluation mode, gradients in training mode."""
    x = transposed(images(2, channels[0], 7, 9, seed=seed, dtype=float64))
    same_outcome(lambda m: together(lambda: m.nin_block(*channels, *window), x), tolerance=TOGETHER)
