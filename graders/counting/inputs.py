"""Layers and networks that fit their input, models to count, and ways to read what comes back.

Numbers are compared as whole numbers, whatever their type: 9408.0 and a tensor count as 9408. Each exercise
has a separate check that the result is a plain int, so a division with `/` costs one check and not all of them.

Each check has one subject, and its inputs avoid those of the others. Where a check is about one argument, it asks for a
`difference` or a `ratio` of two results, which do not depend on what else is counted.
"""

from __future__ import annotations

import math
import numbers

import torch
from hypothesis import strategies as st
from torch import nn

# --- strategies for numbers ------------------------------------------------------------------------------------------


def near(wanted, low, high):
    """Ints from low to high, with `wanted` as the simplest: an example that is all ones explains little."""
    return st.sampled_from(sorted(range(low, high + 1), key=lambda value: (abs(value - wanted), value)))


channels = st.tuples(near(3, 1, 9), near(5, 1, 9))  # in and out
sides = near(2, 1, 9)  # of a square kernel
groups_of_channels = st.tuples(near(2, 2, 4), near(2, 1, 4), near(3, 1, 4)).map(
    lambda case: (case[0] * case[1], case[0] * case[2], case[0])
)  # (in_channels, out_channels, groups)
widths = st.tuples(near(2, 1, 5), near(3, 1, 6)).filter(lambda pair: pair[0] != pair[1])  # of layers


# --- strategies for windows that fit ---------------------------------------------------------------------------------


@st.composite
def windows(draw, sizes=(1, 30), kernels=(1, 7), strides=(1, 4), paddings=(0, 3)):
    """(input_size, kernel_size, stride, padding) where the window fits at least once."""
    size, padding = draw(near(8, *sizes)), draw(near(1, *paddings))
    kernel = draw(near(3, kernels[0], min(kernels[1], size + 2 * padding)))
    return size, kernel, draw(near(2, *strides)), padding


@st.composite
def plain_windows(draw, strides=(1, 1), paddings=(0, 0)):
    """The same, where the last window ends at the edge. The window is smaller than the input, no step is longer than
    it, and no padding more than half of it."""
    stride, padding = draw(near(2, *strides)), draw(near(1, *paddings))
    least = max(2, stride, 2 * padding)
    kernel = draw(near(3, least, least + 4))
    steps = draw(near(3, 1, 8)) + -(-2 * padding // stride)
    return kernel + steps * stride - 2 * padding, kernel, stride, padding


@st.composite
def too_large_windows(draw):
    """(input_size, kernel_size, stride, padding) where the window is larger than the padded input."""
    size, padding = draw(near(3, 1, 9)), draw(st.integers(0, 2))
    kernel = size + 2 * padding + draw(st.integers(1, 4))
    return size, kernel, draw(st.integers(1, 4)), padding


@st.composite
def networks(draw, sizes=(8, 40), lengths=(1, 4), strides=(1, 3), paddings=(0, 2), kernels=(1, 5)):
    """(input_size, layers) where every layer, a triple (kernel, stride, padding), fits."""
    input_size = draw(st.integers(*sizes))
    return input_size, draw(_layers(input_size, draw(st.integers(*lengths)), strides, paddings, kernels))


@st.composite
def wide_networks(draw, strides=(1, 1), paddings=(1, 1), lengths=(2, 4)):
    """The same, where no window comes near to the size of its input. By default with stride 1 and padding 1, so that
    nothing depends on which of the two is which."""
    layers = st.tuples(st.integers(2, 5), st.integers(*strides), st.integers(*paddings))
    return draw(st.integers(48, 64)), draw(st.lists(layers, min_size=lengths[0], max_size=lengths[1]))


@st.composite
def networks_that_do_not_fit(draw, strides=(1, 1), paddings=(1, 1)):
    """(input_size, layers) where one layer, often not the first, is larger than its padded input."""
    input_size = draw(st.integers(4, 20))
    fitting = draw(_layers(input_size, draw(st.integers(0, 3)), strides, paddings, (1, 4)))
    size, padding = _last_size(input_size, fitting), draw(st.integers(*paddings))
    kernel = size + 2 * padding + draw(st.integers(1, 3))
    return input_size, [*fitting, (kernel, draw(st.integers(*strides)), padding)]


@st.composite
def networks_that_just_fit(draw, strides=(1, 1), paddings=(1, 1)):
    """(input_size, layers) where the window of the last layer is exactly as large as its padded input."""
    input_size = draw(st.integers(4, 20))
    fitting = draw(_layers(input_size, draw(st.integers(0, 3)), strides, paddings, (1, 4)))
    padding = draw(st.integers(*paddings))
    return input_size, [*fitting, (_last_size(input_size, fitting) + 2 * padding, draw(st.integers(*strides)), padding)]


@st.composite
def _layers(draw, size, length, strides, paddings, kernels):
    layers = []
    for _ in range(length):
        window = draw(windows((size, size), kernels, strides, paddings))
        layers.append(window[1:])
        size = _last_size(size, layers[-1:])
    return layers


def _last_size(size, layers):
    for kernel, stride, padding in layers:
        size = (size + 2 * padding - kernel) // stride + 1
    return size


# --- used in probes: what came back ----------------------------------------------------------------------------------


def whole(value):
    """A number without a fraction as an int, whatever its type (a bool is 0 or 1); others (2.5, None) as they are."""
    if isinstance(value, torch.Tensor) and value.dim() == 0:
        value = value.item()
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return int(value) if value == int(value) else float(value)
    return value


def sizes_of(result):
    """What `network_sizes` returns, its entries as whole numbers."""
    if isinstance(result, str | dict) or not hasattr(result, "__iter__"):
        raise TypeError(f"network_sizes must return a list, not a value of type {type(result).__name__}")
    return [whole(size) for size in result]


def last_size(result):
    """The last of the sizes that `network_sizes` returns, also if it returns nothing else."""
    return whole(sizes_of(result)[-1] if hasattr(result, "__iter__") else result)


def ratio(one, other):
    """The ratio of one to the other if both are numbers."""
    one, other = whole(one), whole(other)
    return one / other if type(one) in (int, float) and type(other) in (int, float) and other else [one, other]


def difference(one, other):
    """How much larger one is than the other if both are numbers."""
    one, other = whole(one), whole(other)
    return whole(one - other) if type(one) in (int, float) and type(other) in (int, float) else [one, other]


def accepts(call):
    """Whether a call raises no ValueError; what it returns is judged by other checks."""
    try:
        call()
    except ValueError:
        return False
    return True


def outlasts_another_call(call, other):
    """Whether what `call()` returns reads the same after `other()`."""
    earlier = call()
    before = repr(earlier)
    other()
    return {'answer to "is the result of an earlier call still the same?"': repr(earlier) == before}


def type_of(value):
    """The name of a value's type."""
    return type(value).__name__


def halves_of_pair(result):
    """The two entries of what `receptive_field` returns."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError(
            f"receptive_field must return a pair (size, centers), not a value of type {type(result).__name__}"
        )
    return result


def size_of(result):
    """The size of a receptive field as a float, also if it comes second or alone: the order has a check of its own."""
    if isinstance(result, numbers.Real):
        return real(result)
    one, other = halves_of_pair(result)
    return real(other if isinstance(one, list) else one)


def centers_of(result):
    """The centres of the receptive fields as floats, also if they come first."""
    one, other = halves_of_pair(result)
    centers = one if isinstance(one, list) else other
    return [real(center) for center in centers] if hasattr(centers, "__iter__") else centers


def real(value):
    """Any kind of number as a float; everything else as it is."""
    value = whole(value)
    return float(value) if type(value) is int else value


def kind_of_number(value):
    """Ints and floats (including NumPy's) are numbers here; a bool, a tensor and None are not."""
    return "number" if isinstance(value, numbers.Real) and not isinstance(value, bool) else type(value).__name__


def answer_to(answers, question, questions):
    """What `ANSWERS` says, or the keys that it has besides the questions if it does not have this one."""
    if question in answers:
        return whole(answers[question])
    return {"keys that are not questions": sorted(str(key) for key in answers if key not in questions)}


# --- used in probes: models to count ---------------------------------------------------------------------------------


def nested(a, b):
    """Layers in layers in layers; two layers have equal shapes and values, but still count as two."""
    c = a + b
    twins = [nn.Linear(b, b), nn.Linear(b, b)]
    twins[1].load_state_dict(twins[0].state_dict())
    block = nn.Sequential(nn.Conv2d(a, c, 3), nn.ReLU(), nn.ModuleDict({"inner": nn.Sequential(*twins)}))
    return nn.Sequential(nn.Linear(a, b), nn.ModuleList([block, nn.Linear(c, a, bias=False)]), nn.Flatten())


def with_shared_layer(a, b):
    """One layer appears in two places."""
    layer = nn.Linear(a, a)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(a, b))


def with_tied_weights(a, b):
    """Two layers use the same matrix, like the first and the last one of a language model."""
    model = nn.ModuleDict({"first": nn.Embedding(a, b), "last": nn.Linear(b, a)})
    model["last"].weight = model["first"].weight
    return model


def with_running_statistics(width):
    """Nothing but buffers."""
    return nn.BatchNorm2d(width, affine=False)


def with_a_buffer(a, b):
    """A layer with a buffer that has a name of its own."""
    layer = nn.Linear(a, b)
    layer.register_buffer("table", torch.zeros(a, b))
    return layer


def partly_frozen(a, b):
    """A layer with a frozen bias."""
    layer = nn.Linear(a, b)
    layer.bias.requires_grad_(False)
    return layer


def with_everything(a, b):
    """A frozen layer in two places, and a trained one at two depths; two layers that are alike; running statistics, and
    a frozen scale."""
    frozen, trained, normalised = nn.Linear(a, a).requires_grad_(False), nn.Linear(b, b), nn.BatchNorm1d(b)
    normalised.weight.requires_grad_(False)
    return nn.Sequential(frozen, trained, frozen, nn.Sequential(trained, normalised, nn.Linear(b, b)))


def without_parameters():
    return nn.Sequential(nn.ReLU(), nn.Sequential(nn.MaxPool2d(2), nn.Flatten()))


def with_its_own(a, b):
    """Parameters outside any layer: one of the model itself, one without dimensions, a list of them. Besides, a layer
    of a kind that few think of."""
    model = nn.Module()
    model.matrix = nn.Parameter(torch.zeros(a, b))
    model.scale = nn.Parameter(torch.tensor(1.0))
    model.rows = nn.ParameterList([nn.Parameter(torch.ones(b)), nn.Parameter(torch.ones(a, 1, b))])
    model.layer, model.activation = nn.Linear(a, b), nn.PReLU(b)
    return model
