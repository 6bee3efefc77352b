"""`naive_padding(feature_map, padding, value=0.0)`: a border of `value` around a feature map."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import energy, feature_maps, square_maps

from autograder.grading import PADDING, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("naive_padding"), forbids(PADDING)]

values = st.sampled_from([1.0, -2.5, float("-inf")])


@points(0.5)
@given(x=feature_maps(smallest=2), p=st.integers(1, 3))
def test_shape(same_outcome, x, p):
    """The result is 2·padding taller and wider than the map, which may be oblong."""
    same_outcome(lambda m: m.naive_padding(x, p).shape)


@points(1)
@given(x=square_maps(values="signed"), p=st.integers(1, 3))
def test_zeros_around_the_map(same_outcome, x, p):
    """Without a value the border is 0, and the map is unchanged in the middle."""
    same_outcome(lambda m: m.naive_padding(x, p))


@points(1)
@given(x=square_maps(), p=st.integers(1, 3), value=values)
def test_border_value(same_outcome, x, p, value):
    """The border is filled with the requested value."""
    same_outcome(lambda m: m.naive_padding(x, p, value))
    same_outcome(lambda m: m.naive_padding(x, p, value=value))


@points(1)
@settings(max_examples=10)
@given(x=square_maps())
def test_no_border(same_outcome, x):
    """A padding of 0 gives the map itself."""
    same_outcome(lambda m: m.naive_padding(x, 0))


@points(0.5)
@settings(max_examples=15)
@given(x=square_maps(layouts=True), p=st.integers(1, 2))
def test_any_memory_layout(same_outcome, x, p):
    """The map may be transposed or cut out of a larger one."""
    same_outcome(lambda m: m.naive_padding(x, p))


@points(1)
@settings(max_examples=10)
@given(x=square_maps(dtype=torch.float64), p=st.integers(1, 2))
def test_dtype(same_outcome, x, p):
    """The result has the map's dtype and device; with float64 it has that precision."""
    x = x + 1
    same_outcome(
        lambda m: {
            "dtype for torch.float32": m.naive_padding(x.float(), p, value=0.1).dtype,
            "dtype for torch.float64": m.naive_padding(x, p).dtype,
        }
    )
    same_outcome(lambda m: {"largest number": m.naive_padding(x / 3, p).amax()}, exact="dtype")
    same_outcome(lambda m: stays_on_device(lambda x: m.naive_padding(x, p), x))


@points(0.5)
@settings(max_examples=15)
@given(x=square_maps(), p=st.integers(1, 2))
def test_gradient(same_outcome, x, p):
    """The gradient reaches every entry of the map through the padding."""
    same_outcome(lambda m: {"gradient": gradients(energy(lambda x: m.naive_padding(x, p)), x + 1)[0]})


@points(0.5)
@settings(max_examples=15)
@given(x=square_maps(), p=st.integers(1, 2))
def test_argument_is_not_modified(same_outcome, x, p):
    """The call modifies neither the map nor the result of an earlier call."""

    def probe(m):
        outlasts = after_another_call(lambda x: m.naive_padding(x, p), x, x + 1)
        return {"map after the call": x, **outlasts}

    same_outcome(probe)


@points(1)
@given(x=square_maps(), p=st.integers(-3, -1))
def test_negative_padding_is_refused(same_outcome, x, p):
    """A negative padding raises a ValueError."""
    same_outcome(lambda m: m.naive_padding(x, p), raises=ValueError)


@points(1)
@given(x=feature_maps(layouts=True), p=st.integers(0, 3), value=values)
def test_everything_together(same_outcome, x, p, value):
    """Maps of any size, sign and memory layout, with borders of any width and value."""
    same_outcome(lambda m: m.naive_padding(x, p, value))
