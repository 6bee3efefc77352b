"""`DepthPool(pool_size=2)`: max pooling over space, then over groups of channels."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import OTHER_IMAGES, float64, images

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients, stays_on_device, used_again

pytestmark = exercise("DepthPool")


@st.composite
def cases(draw, sizes=(1, 3), values="signed", dtype=None, whole=False, layouts=False):
    """(batch, p) with at least p channels, rows and columns; with `whole`, multiples of p."""
    p = draw(st.integers(*sizes))
    options = {"dtype": dtype} if dtype else {}
    if whole:
        shape = draw(shapes((1, 2), (1, 3), (1, 3), (1, 3)))
        shape = (shape[0], *(p * extent for extent in shape[1:]))
    else:
        shape = draw(shapes((1, 2), (p, 3 * p), (p, 3 * p), (p, 3 * p)))
    return draw(tensors(shape, values=values, layouts=layouts, **options)), p


@points(2)
@given(case=cases(sizes=(2, 2), whole=True), training=st.booleans())
def test_pairs(same_outcome, case, training):
    """With pool_size 2 (the default) every result is the maximum over 2×2 pixels of 2 channels."""
    same_outcome(lambda m: m.DepthPool().train(training)(case[0]))


@points(2)
@given(case=cases(whole=True), negative=cases(values="negative", whole=True))
def test_other_sizes(same_outcome, case, negative):
    """With another pool_size the groups and the windows have that size."""
    same_outcome(lambda m: m.DepthPool(case[1])(case[0]))
    same_outcome(lambda m: m.DepthPool(pool_size=negative[1])(negative[0] * 1000))


@points(2)
@given(p=st.integers(2, 3), groups=st.integers(1, 3), extra=st.integers(1, 2), data=st.data())
def test_channels_left_over(same_outcome, p, groups, extra, data):
    """The groups are consecutive and have pool_size channels each; channels that do not fill a group are dropped."""
    channels = p * groups + min(extra, p - 1)
    x = data.draw(tensors((2, channels, p, p), values="distinct", layouts=False))
    same_outcome(lambda m: m.DepthPool(p)(x))


@points(1)
@given(case=cases(sizes=(2, 3)))
def test_rows_and_columns_left_over(same_outcome, case):
    """Rows and columns that do not fill a window are dropped."""
    same_outcome(lambda m: m.DepthPool(case[1])(case[0]))


@points(1)
@given(x=images(channels=(1, 2), sides=(3, 5)))
def test_too_few_channels(same_outcome, x):
    """Fewer channels than pool_size raise a ValueError."""
    same_outcome(lambda m: m.DepthPool(3)(x), raises=ValueError)


@points(0.5)
@given(
    x=images(channels=(3, 4), sides=(1, 2)),
    one_side=tensors(st.sampled_from([(1, 3, 2, 4), (2, 4, 3, 1), (1, 3, 5, 2)]), layouts=False),
)
def test_map_smaller_than_the_window(same_outcome, x, one_side):
    """A map smaller than pool_size, in one direction or both, raises a ValueError."""
    same_outcome(lambda m: m.DepthPool(3)(x), raises=ValueError)
    same_outcome(lambda m: m.DepthPool(3)(one_side), raises=ValueError)


@points(1)
@given(
    x=tensors(st.sampled_from([(1, 2, 2, 2), (2, 2, 2, 4), (1, 4, 2, 2), (1, 3, 3, 5), (3, 2, 2, 2)]), layouts=False)
)
def test_extents_of_one(same_outcome, x):
    """Results with one sample, one channel, one row or one column keep all four dimensions."""
    same_outcome(lambda m: m.DepthPool()(x), exact="shape")


@points(1)
@given(case=cases(layouts=True, sizes=(2, 3)))
def test_any_memory_layout(same_outcome, case):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: m.DepthPool(case[1])(case[0]))


@points(0.5)
@given(case=cases(dtype=float64))
def test_dtype(same_outcome, case):
    """The result has the input's dtype and device; with float64 it has that precision."""
    same_outcome(lambda m: m.DepthPool(case[1])(case[0] / 3), exact="dtype")
    same_outcome(lambda m: m.DepthPool(case[1])(case[0].float()), exact="dtype")
    same_outcome(lambda m: stays_on_device(m.DepthPool(case[1]), case[0]))


@points(1)
@given(case=cases(values="distinct"), training=st.booleans())
def test_gradient(same_outcome, case, training):
    """The gradient of each maximum reaches the entry it came from, in both modes; no call leaves anything behind."""

    def probe(m):
        layer = m.DepthPool(case[1]).train(training)
        return {
            "gradient": gradients(layer, case[0])[0],
            "result": layer(case[0]),
            "input after the call": case[0],
            **used_again(lambda: m.DepthPool(case[1]), case[0], OTHER_IMAGES),
        }

    same_outcome(probe)
