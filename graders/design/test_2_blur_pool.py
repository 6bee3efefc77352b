"""`BlurPool(channels, stride=2)`: blur with [1, 2, 1]ᵀ[1, 2, 1] / 16, then keep every stride-th pixel."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    NETWORK,
    around_the_middle,
    close,
    float64,
    has_digits_of,
    images,
    impulse,
    noise,
    reflected,
    same_in_any_layout,
    with_empty_state,
)

from autograder.grading import exercise, points
from autograder.probes import gradients, on_meta_device, used_again

pytestmark = exercise("BlurPool")

few = settings(max_examples=6)
strides = st.integers(1, 4)
maps = images(sides=(3, 7))


def blurred(m, x, *stride):
    return m.BlurPool(x.shape[1], *stride)(x)


@points(1.25)
@given(x=images())
def test_shape(same_outcome, x):
    """With the default stride of 2, the size is halved and rounded up: 7 becomes 4, and 6 becomes 3."""
    same_outcome(lambda m: {"shape of the result": list(blurred(m, x).shape)})


@points(1)
@given(x=maps, stride=st.sampled_from([1, 3, 4]))
def test_stride(same_outcome, x, stride):
    """The stride may be another one, such as 1, 3 or 4; it decides on the size of the result."""
    same_outcome(lambda m: {"shape of the result": list(blurred(m, x, stride).shape)})


@points(1.75)
def test_weights(same_outcome):
    """A pixel passes on to its neighbours 1/4 or 1/2 of what it gives to itself: 1 2 1, 2 4 2, 1 2 1."""

    def probe(m):
        spread = around_the_middle(blurred(m, impulse(), 1)[0, 0])
        return {
            "what neighbours get from a pixel, in quarters of what the pixel itself gets": 4 * spread / spread[1, 1]
        }

    same_outcome(probe)


@points(1)
@few
@given(value=st.sampled_from([1.0, -2.0, 8.0]), stride=strides)
def test_brightness(same_outcome, value, stride):
    """The weights add up to 1: inside a map in which all numbers are equal, blurring changes nothing."""
    x = torch.full((1, 2, 11, 11), value)
    same_outcome(lambda m: {"second number of the second row": blurred(m, x, stride)[0, :, 1, 1]})


@points(1.75)
@given(x=maps)
def test_border(same_outcome, x):
    """At the border the map is reflected: the result is the same as for a map that was reflected before."""

    def probe(m):
        by_hand = blurred(m, reflected(x), 1)[:, :, 1:-1, 1:-1]
        return {"result minus that for a map that was reflected before, without its border": blurred(m, x, 1) - by_hand}

    same_outcome(probe)


@points(1.25)
@given(x=images(sides=(4, 7)), stride=st.integers(2, 3))
def test_first_pixel(same_outcome, x, stride):
    """Of the blurred map, every stride-th row and column is kept, beginning with the first."""

    def probe(m):
        whole, sampled = blurred(m, x, 1), blurred(m, x, stride)
        return {"result minus what is expected from that of stride 1": sampled - whole[:, :, ::stride, ::stride]}

    same_outcome(probe)


@points(1.25)
def test_channels(same_outcome):
    """Every channel is blurred on its own, and all in the same way."""

    def probe(m):
        found = {}
        for channel in range(3):
            y = around_the_middle(blurred(m, impulse(3, channel), 1)[0])[:, 1, 1]
            found[f"what the channels get from channel {channel}, in parts of what it gets itself"] = y / y[channel]
        return found

    same_outcome(probe)


@points(1)
def test_no_parameters(same_outcome):
    """The layer has no parameters: an optimizer must not change the filter."""

    def probe(m):
        parameters = list(m.BlurPool(3).parameters())
        return {
            "number of parameters": len(parameters),
            "number of those that require a gradient": sum(parameter.requires_grad for parameter in parameters),
        }

    same_outcome(probe)


@points(1.25)
def test_buffer(same_outcome):
    """The filter is in the state_dict, and the layer works with what is there."""
    x = noise(1, 2, 4, 4)

    def probe(m):
        layer = m.BlurPool(2)
        numbers = layer.state_dict().values()
        return {
            'answer to "is there a filter in the state_dict?"': any(tensor.numel() > 1 for tensor in numbers),
            "largest number of the result with zeros in the state_dict": float(with_empty_state(layer)(x).abs().amax()),
        }

    same_outcome(probe)


@points(0.75)
def test_a_single_row(same_outcome):
    """A map with H = 1 raises a ValueError, however wide it is."""
    for shape in ((1, 2, 1, 5), (2, 1, 1, 2), (1, 3, 1, 1)):
        same_outcome(lambda m, shape=shape: blurred(m, torch.ones(shape)), raises=ValueError)


@points(0.75)
def test_a_single_column(same_outcome):
    """A map with W = 1 raises a ValueError, however high it is."""
    for shape in ((1, 2, 5, 1), (2, 1, 2, 1), (1, 3, 1, 1)):
        same_outcome(lambda m, shape=shape: blurred(m, torch.ones(shape), 1), raises=ValueError)


@points(0.75)
@few
@given(x=maps)
def test_dtype(same_outcome, x):
    """A layer in float32 gives float32 for a map in float32, and float64 with that precision for one in float64."""

    def probe(m):
        results = {dtype: blurred(m, x.to(dtype) / 3 + 0.1) for dtype in (torch.float32, float64)}
        return {
            f'answer to "is it {dtype}, with its precision?"': has_digits_of(y, dtype) for dtype, y in results.items()
        }

    same_outcome(probe)


@points(0.5)
@few
@given(x=maps)
def test_double(same_outcome, x):
    """After `.double()` the layer gives what it gave before, for maps of both dtypes."""

    def probe(m):
        layer = m.BlurPool(x.shape[1]).double()
        same = [close(layer(typed), blurred(m, typed)) for typed in (x.double() / 3, x / 3)]
        return {'list of answers to "is the result the same as before?"': same}

    same_outcome(probe)


@points(0.75)
@few
@given(x=images(sides=(3, 7), dtype=float64, values="distinct"), stride=strides, training=st.booleans())
def test_gradient(same_outcome, x, stride, training):
    """The gradient reaches every pixel that was blurred, in training and in evaluation mode."""

    def probe(m):
        return {"gradient": gradients(m.BlurPool(x.shape[1], stride).train(training), x)[0]}

    same_outcome(probe, tolerance=NETWORK)


@points(0.25)
@few
@given(x=images(sides=(3, 7), layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The map may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: same_in_any_layout(m.BlurPool(x.shape[1]), x))


@points(0.25)
@few
@given(x=maps)
def test_device(same_outcome, x):
    """The layer can be moved, and the result is where layer and map are. (Here: "meta", which stands in for a GPU.)"""

    def probe(m):
        layer = m.BlurPool(x.shape[1]).to("meta")
        return {'answer to "is the result on the device of the map?"': on_meta_device(lambda: layer(x.to("meta")))}

    same_outcome(probe)


@points(0.5)
@few
@given(x=images(channels=(2, 2), sides=(3, 7)))
def test_one_layer_used_twice(same_outcome, x):
    """A layer can be used for maps of different sizes, and modifies neither its input nor an earlier result."""

    def probe(m):
        return {"map after the call": x, **used_again(lambda: m.BlurPool(2), x, noise(3, 2, 9, 5, dtype=float64))}

    same_outcome(probe)


@points(0.5)
@few
@given(x=maps, stride=strides)
def test_names_of_the_arguments(same_outcome, x, stride):
    """All arguments can be given by name."""

    def probe(m):
        same = close(m.BlurPool(channels=x.shape[1], stride=stride)(x), blurred(m, x, stride))
        return {'answer to "is the result the same if the arguments are given by name?"': same}

    same_outcome(probe)


@points(1.5)
@given(x=images(layouts=True), stride=strides)
def test_everything_together(same_outcome, x, stride):
    """Maps of any number, size and sign, with any stride: every number of the result."""
    same_outcome(lambda m: blurred(m, x, stride), exact="shape")
