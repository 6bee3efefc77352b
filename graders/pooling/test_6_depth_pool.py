"""`DepthPool(pool_size=2)`: max pooling over space, then over groups of channels.

Some checks look at one side of it alone: with equal channels only the windows matter, with maps of one number only the
groups of channels.
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, below_zero, float32, float64, images, thirds

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("DepthPool")

more_channels = torch.cat([OTHER_IMAGES, OTHER_IMAGES], dim=1)


@st.composite
def cases(draw):
    """(batch, p) of all kinds with at least p channels, rows and columns."""
    p = draw(st.integers(1, 3))
    shape = draw(shapes((1, 2), (p, 3 * p), (p, 3 * p), (p, 3 * p)))
    return draw(tensors(shape, values="distinct")), p


def pairs(values="non-negative", dtype=float32, layouts=False):
    """A batch with two groups of two channels, and four windows of 2×2 pixels."""
    return tensors((2, 4, 4, 4), values=values, dtype=dtype, layouts=layouts)


@st.composite
def equal_channels(draw, left_over=0):
    """A batch with two groups of two equal channels each, and four windows of 2×2 pixels."""
    x = draw(tensors((2, 1, 4 + left_over, 4 + left_over), values="non-negative", layouts=False))
    return x.expand(-1, 4, -1, -1).clone()


@st.composite
def maps_of_one_number(draw, left_over=0):
    """A batch with groups of two channels, each of which is one number everywhere."""
    channels = 2 * draw(st.integers(2, 3)) + left_over
    x = draw(tensors((2, channels, 1, 1), values="distinct", layouts=False)) + 50
    return x.expand(-1, -1, 4, 4).clone()


@points(1)
@given(x=pairs(), training=st.booleans())
def test_pairs(same_outcome, x, training):
    """With pool_size 2 (the default) every result is the maximum over 2×2 pixels of 2 channels."""
    same_outcome(lambda m: m.DepthPool().train(training)(x))


@points(0.5)
@given(p=st.sampled_from([1, 3]), data=st.data())
def test_other_sizes(same_outcome, p, data):
    """With another pool_size the groups and the windows have that size."""
    x = data.draw(tensors((2, 2 * p, 2 * p, 2 * p), values="non-negative", layouts=False))
    same_outcome(lambda m: m.DepthPool(p)(x))
    same_outcome(lambda m: m.DepthPool(pool_size=p)(x))


@points(1.5)
@given(x=equal_channels())
def test_rows_and_columns(same_outcome, x):
    """Where all channels are equal, every result is the maximum over pool_size × pool_size pixels."""
    same_outcome(lambda m: {"maximum over the channels": m.DepthPool()(x).amax(1)})


@points(1.5)
@given(x=maps_of_one_number())
def test_groups_of_channels(same_outcome, x):
    """Where each channel is one number, every result is the maximum over pool_size neighbouring channels."""
    same_outcome(lambda m: {"maximum over the pixels": m.DepthPool()(x).amax((2, 3))})


@points(1)
@given(x=maps_of_one_number(left_over=1))
def test_channels_left_over(same_outcome, x):
    """Channels at the end that do not fill a group are dropped."""
    same_outcome(lambda m: {"maximum over the pixels": m.DepthPool()(x).amax((2, 3))})


@points(0.5)
@given(x=equal_channels(left_over=1))
def test_rows_and_columns_left_over(same_outcome, x):
    """Rows and columns that do not fill a window are dropped."""
    same_outcome(lambda m: {"maximum over the channels": m.DepthPool()(x).amax(1)})


@points(0.5)
@settings(max_examples=10)
@given(number=below_zero)
def test_negative_numbers(same_outcome, number):
    """The maximum of negative numbers is negative, however small they are."""
    x = torch.full((2, 4, 4, 4), number)
    same_outcome(lambda m: {"first number": m.DepthPool()(x)[0, 0, 0, 0]})


@points(1)
@given(x=images(values="non-negative", channels=(1, 2), sides=(6, 6)))
def test_too_few_channels(same_outcome, x):
    """Fewer channels than pool_size raise a ValueError."""
    same_outcome(lambda m: m.DepthPool(3)(x), raises=ValueError)


@points(1)
@settings(max_examples=12)
@given(
    x=images(values="non-negative", channels=(3, 4), sides=(1, 2)),
    one_side=tensors(st.sampled_from([(1, 3, 2, 4), (2, 4, 3, 1), (1, 3, 5, 2)]), layouts=False),
)
def test_map_smaller_than_the_window(same_outcome, x, one_side):
    """A map smaller than pool_size, in one direction or both, raises a ValueError."""
    same_outcome(lambda m: m.DepthPool(3)(x), raises=ValueError)
    same_outcome(lambda m: m.DepthPool(3)(one_side), raises=ValueError)


@points(0.5)
@settings(max_examples=12)
@given(x=tensors(st.sampled_from([(1, 2, 4, 4), (2, 2, 2, 2), (1, 4, 2, 2)]), values="non-negative", layouts=False))
def test_extents_of_one(same_outcome, x):
    """One sample, one group of channels or one window is enough, and the result keeps its four dimensions."""
    same_outcome(lambda m: m.DepthPool()(x).shape)


@points(0.5)
@settings(max_examples=15)
@given(x=pairs(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: {"maximum over the channels": m.DepthPool()(x).amax(1)})


@points(0.5)
@settings(max_examples=12)
@given(x=pairs(dtype=float64), number=thirds)
def test_dtype(same_outcome, x, number):
    """The result has the input's dtype and device; with float64 it has that precision."""
    single, constant = x.float(), torch.full_like(x, number)
    same_outcome(lambda m: {f"dtype for {one.dtype}": m.DepthPool()(one).dtype for one in (single, x)})
    same_outcome(lambda m: {"first number": m.DepthPool()(constant)[0, 0, 0, 0]}, exact="dtype")
    same_outcome(lambda m: stays_on_device(m.DepthPool(), x))


@points(0.5)
@settings(max_examples=16)
@given(x=pairs(values="distinct"), training=st.booleans())
def test_gradient(same_outcome, x, training):
    """The gradient of each maximum reaches the entry it came from, in training and in evaluation mode."""
    x = x + 50  # all positive: another check is about negative numbers
    same_outcome(lambda m: {"gradient": gradients(m.DepthPool().train(training), x)[0]})


@points(0.5)
@settings(max_examples=12)
@given(x=pairs())
def test_one_layer_used_twice(same_outcome, x):
    """A layer can be used for images of different sizes, and modifies neither its input nor an earlier result."""

    def probe(m):
        return {"input after the call": x, **used_again(m.DepthPool, x, more_channels)}

    same_outcome(probe)


@points(1)
@given(case=cases())
def test_everything_together(same_outcome, case):
    """Images of any number, size, sign and memory layout, with cubes of any size, whatever is left over."""
    x, p = case
    same_outcome(lambda m: m.DepthPool(p)(x))
