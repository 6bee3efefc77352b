"""`network_sizes(input_size, layers)`: layer after layer."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    accepts,
    last_size,
    networks,
    networks_that_do_not_fit,
    networks_that_just_fit,
    outlasts_another_call,
    sizes_of,
    type_of,
    wide_networks,
)

from autograder.grading import exercise, points

pytestmark = exercise("network_sizes")


@points(1)
@given(case=wide_networks())
def test_size_behind_every_layer(same_outcome, case):
    """The output of each layer is the input of the next, and every output is in the result."""
    size, layers = case
    same_outcome(lambda m: {"sizes after the layers": sizes_of(m.network_sizes(size, layers))[-len(layers) :]})


@points(1)
@given(case=wide_networks(strides=(1, 3), paddings=(0, 0), lengths=(1, 1)))
def test_strides(same_outcome, case):
    """A layer may have a stride, and rounds down; the last layer's output comes last."""
    same_outcome(lambda m: {"last size": last_size(m.network_sizes(*case))})


@points(0.5)
@given(case=wide_networks(paddings=(0, 2), lengths=(2, 2)))
def test_padding(same_outcome, case):
    """Layers may have padding."""
    same_outcome(lambda m: {"size after the first of two layers": sizes_of(m.network_sizes(*case))[1]})


@points(0.5)
@given(case=wide_networks(lengths=(1, 4)))
def test_input_first(same_outcome, case):
    """The input comes first, so there is one more size than there are layers."""

    def probe(m):
        sizes = sizes_of(m.network_sizes(*case))
        return {"first size": sizes[0], "number of sizes": len(sizes)}

    same_outcome(probe)


@points(0.5)
@given(size=st.integers(1, 300))
def test_no_layers(same_outcome, size):
    """Without layers, only the input size is left."""
    same_outcome(lambda m: sizes_of(m.network_sizes(size, [])))


@points(1)
@given(case=networks(lengths=(1, 5), sizes=(8, 64)), too_small=networks_that_do_not_fit((1, 3), (0, 1)))
def test_everything_together(same_outcome, case, too_small):
    """Kernels, strides and paddings of all kinds, down to maps of a single pixel, and those that do not fit."""
    same_outcome(lambda m: sizes_of(m.network_sizes(*case)))
    same_outcome(lambda m: sizes_of(m.network_sizes(*too_small)), raises=ValueError)


@points(1)
@given(case=networks_that_do_not_fit())
def test_layer_that_does_not_fit(same_outcome, case):
    """A layer whose window is larger than its padded input raises a ValueError."""
    same_outcome(lambda m: sizes_of(m.network_sizes(*case)), raises=ValueError)


@points(1)
@given(fitting=networks_that_just_fit())
def test_layer_that_just_fits(same_outcome, fitting):
    """A layer whose window is as large as its padded input is accepted."""
    just_fits = 'answer to "is a layer accepted that just fits?"'
    same_outcome(lambda m: {just_fits: accepts(lambda: m.network_sizes(*fitting))})


@points(0.5)
@given(case=wide_networks(), stride=st.integers(-2, 0))
def test_stride_below_one(same_outcome, case, stride):
    """A layer with a stride of 0 or less raises a ValueError."""
    size, layers = case
    layers = [*layers, (1, stride, 0)]
    same_outcome(lambda m: sizes_of(m.network_sizes(size, layers)), raises=ValueError)


@points(0.5)
@given(case=wide_networks())
def test_arguments(same_outcome, case):
    """Arguments may be given by name, and neither the list that was passed in nor an earlier result is modified."""
    size, layers = case

    def probe(m):
        m.network_sizes(layers=layers, input_size=size)
        after = list(layers)
        outlasts = outlasts_another_call(
            lambda: m.network_sizes(size, list(after)), lambda: m.network_sizes(2 * size, list(after))
        )
        return {"layers after the call": after, **outlasts}

    same_outcome(probe)


@points(0.5)
@given(case=wide_networks())
def test_plain_ints(same_outcome, case):
    """The sizes are plain ints: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"types of the sizes": sorted({type_of(size) for size in m.network_sizes(*case)})})
