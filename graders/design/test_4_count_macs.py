"""`count_macs(model, input_shape)`: multiply-accumulates of convolutions and linear layers, and a model left alone."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    contents,
    conv,
    costless,
    derived,
    difference,
    fragile,
    gated_network,
    goes_by_the_shape,
    hooks,
    linear,
    lived_in,
    modes,
    nested,
    partly_used,
    ratio,
    used_twice,
    whole,
)
from torch import nn

from autograder.grading import exercise, points

pytestmark = exercise("count_macs")

few = settings(max_examples=6)
channels = st.tuples(st.integers(2, 5), st.integers(2, 5))  # in and out
maps = st.tuples(st.integers(5, 9), st.integers(5, 9))  # height and width
widths = st.integers(2, 4)
seeds = st.integers(0, 99)


def macs(m, model, *shape):
    return whole(m.count_macs(model, shape))


@points(1.75)
@given(channels=channels, size=maps, kernel=st.integers(1, 4))
def test_convolution(same_outcome, channels, size, kernel):
    """A convolution uses each of its weights once for every pixel of its output."""
    same_outcome(lambda m: macs(m, conv(*channels, kernel), 1, channels[0], *size))


@points(1.5)
@given(features=channels)
def test_linear_layer(same_outcome, features):
    """A linear layer uses each of its weights once for a vector."""
    same_outcome(lambda m: macs(m, linear(*features), 1, features[0]))


@points(1)
@few
@given(channels=channels, size=maps, stride=st.integers(2, 3), padding=st.integers(1, 2))
def test_stride_and_padding(same_outcome, channels, size, stride, padding):
    """A stride makes the output of a convolution smaller, and padding makes it larger."""

    def probe(m):
        plain, *others = (
            macs(m, conv(*channels, **options), 1, channels[0], *size)
            for options in ({}, {"stride": stride}, {"padding": padding})
        )
        kinds = (f"stride {stride}", f"padding {padding}")
        return {
            f"ratio of the work with {kind} to that without": ratio(n, plain)
            for kind, n in zip(kinds, others, strict=True)
        }

    same_outcome(probe)


@points(0.5)
@few
@given(channels=channels, size=maps, kernel=st.sampled_from([(1, 3), (3, 1), (2, 4)]))
def test_kernel_that_is_not_square(same_outcome, channels, size, kernel):
    """A kernel may be higher than wide, or wider than high."""
    same_outcome(lambda m: macs(m, conv(*channels, kernel), 1, channels[0], *size))


@points(1.25)
@given(groups=st.integers(2, 4), each=st.tuples(st.integers(1, 3), st.integers(1, 3)), size=maps)
def test_groups(same_outcome, groups, each, size):
    """With groups, a number of the output needs the input channels of its own group only."""
    inputs, outputs = (groups * count for count in each)

    def probe(m):
        grouped, plain = (macs(m, conv(inputs, outputs, groups=n), 1, inputs, *size) for n in (groups, 1))
        return {f"ratio of the work with {groups} groups to that without": ratio(grouped, plain)}

    same_outcome(probe)


@points(0.5)
@few
@given(channels=channels, size=maps)
def test_dilation(same_outcome, channels, size):
    """Dilation spreads the weights; it does not add any."""

    def probe(m):
        dilated, plain = (macs(m, conv(*channels, dilation=n, padding=n), 1, channels[0], *size) for n in (2, 1))
        return {"ratio of the work with dilation 2 and padding 2 to that without dilation": ratio(dilated, plain)}

    same_outcome(probe)


@points(1.25)
@given(channels=channels, size=maps, batch=st.integers(2, 4))
def test_batch(same_outcome, channels, size, batch):
    """Two images are twice the work, in convolutions and in linear layers."""

    def probe(m):
        found = {}
        for kind, model, shape in (
            ("a convolution", conv(*channels), (channels[0], *size)),
            ("a linear layer", linear(*channels), channels[:1]),
        ):
            several, one = macs(m, model, batch, *shape), macs(m, model, 1, *shape)
            found[f"ratio of the work of {kind} for {batch} samples to that for 1"] = ratio(several, one)
        return found

    same_outcome(probe)


@points(0.75)
@few
@given(features=channels, length=st.integers(2, 5))
def test_linear_layer_at_every_position(same_outcome, features, length):
    """A linear layer may be applied to a sequence of vectors: it then does its work at every position."""

    def probe(m):
        several, one = (macs(m, linear(*features), 1, n, features[0]) for n in (length, 1))
        return {f"ratio of the work for {length} positions to that for 1": ratio(several, one)}

    same_outcome(probe)


@points(1)
@few
@given(channels=channels, size=maps)
def test_bias(same_outcome, channels, size):
    """A bias is not counted, neither in convolutions nor in linear layers."""

    def probe(m):
        convolution = macs(m, nn.Conv2d(*channels, 3), 1, channels[0], *size)
        layer = macs(m, nn.Linear(*channels), 1, channels[0])
        return {
            "MACs that a bias adds to a convolution": difference(
                convolution, macs(m, conv(*channels), 1, channels[0], *size)
            ),
            "MACs that a bias adds to a linear layer": difference(layer, macs(m, linear(*channels), 1, channels[0])),
        }

    same_outcome(probe)


@points(1)
@few
@given(width=widths)
def test_other_layers(same_outcome, width):
    """All other layers cost nothing: normalisation, pooling, activations, and convolutions of other kinds."""
    same_outcome(lambda m: {"MACs of layers of other kinds": macs(m, costless(width), 1, width, 6, 8)})


@points(1.25)
@few
@given(width=widths, size=maps)
def test_used_twice(same_outcome, width, size):
    """A layer that is called twice counts twice, and one that is registered in two places but called once, once."""
    same_outcome(lambda m: macs(m, used_twice(width), 1, width, *size))


@points(0.75)
@few
@given(width=widths, size=maps)
def test_layers_that_are_not_called(same_outcome, width, size):
    """A layer that the forward pass does not use costs nothing."""
    same_outcome(lambda m: macs(m, partly_used(width), 1, width, *size))


@points(0.75)
@few
@given(width=widths, size=maps)
def test_nested_layers(same_outcome, width, size):
    """Layers count at any depth, in containers of any kind."""
    same_outcome(lambda m: macs(m, nested(width), 1, width, *size))


@points(0.75)
@few
@given(width=widths)
def test_forward_that_goes_by_the_shape(same_outcome, width):
    """What counts is what the model does with an input of this shape: for another one it may do something else."""

    def probe(m):
        model = goes_by_the_shape(width)
        return {f"MACs for a width of {size}": macs(m, model, 1, width, 5, size) for size in (4, 8)}

    same_outcome(probe)


@points(0.5)
@few
@given(width=widths)
def test_derived_classes(same_outcome, width):
    """Classes that inherit from nn.Conv2d and nn.Linear count, too."""
    same_outcome(lambda m: macs(m, derived(width), 1, width, 4, 4))


@points(0.5)
@few
@given(width=widths)
def test_plain_int(same_outcome, width):
    """The result is a plain int: 108, not 108.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type(m.count_macs(conv(width, 2), (1, width, 4, 4))).__name__})


@points(0.25)
@few
@given(width=widths)
def test_arguments(same_outcome, width):
    """The arguments can be given by name, the shape as a list or a torch.Size, and a second call counts anew."""

    def probe(m):
        model = conv(width, 2)
        shapes = [[1, width, 4, 4], torch.Size([1, width, 4, 4])]
        return {"MACs of two calls": [whole(m.count_macs(input_shape=shape, model=model)) for shape in shapes]}

    same_outcome(probe)


@points(1)
@few
@given(width=widths, seed=seeds)
def test_modes(same_outcome, width, seed):
    """Afterwards every submodule is in the mode it was in before, even if they were not all in the same one."""

    def probe(m):
        models = {
            "the model was in training mode": lived_in(nested(width)),
            "the model was in evaluation mode": lived_in(nested(width)).eval(),
            "the modes were mixed": lived_in(nested(width), seed=seed),
        }
        for model in models.values():
            m.count_macs(model, (2, width, 5, 5))
        return {f"mode (True for training; {before}) of": modes(model) for before, model in models.items()}

    same_outcome(probe)


@points(1)
@few
@given(width=widths)
def test_hooks(same_outcome, width):
    """Afterwards the model has the hooks it had before: ours are gone, those of others are still there."""

    def probe(m):
        model = lived_in(nested(width)).eval()
        m.count_macs(model, (2, width, 5, 5))
        return {"number of hooks of": hooks(model)}

    same_outcome(probe)


@points(0.75)
@few
@given(width=widths)
def test_values(same_outcome, width):
    """Parameters, running statistics, gradients and what requires them are the same afterwards; so is the grad mode."""

    def probe(m):
        model = lived_in(nn.Sequential(conv(width, 3, 1), nn.BatchNorm2d(3), nn.ReLU(), conv(3, 2, 1)))
        m.count_macs(model, (2, width, 4, 4))
        return contents(model)

    same_outcome(probe)


@points(0.5)
@few
@given(width=widths)
def test_exception(same_outcome, width):
    """An exception of the model's forward pass reaches the caller."""
    same_outcome(lambda m: m.count_macs(fragile(width).eval(), (2, width, 4, 4)), raises=OverflowError)


def after_an_exception(m, model, width):
    """The same model after a call whose forward pass raises; another check asks whether the caller hears of it."""
    try:
        m.count_macs(model, (2, width, 4, 4))
    except OverflowError:
        return model
    return model


@points(0.75)
@few
@given(width=widths, seed=seeds)
def test_modes_after_an_exception(same_outcome, width, seed):
    """When the forward pass raises an exception, every submodule is still in the mode it was in before."""

    def probe(m):
        return {"mode (True for training) of": modes(after_an_exception(m, lived_in(fragile(width), seed=seed), width))}

    same_outcome(probe)


@points(0.75)
@few
@given(width=widths)
def test_hooks_after_an_exception(same_outcome, width):
    """When the forward pass raises an exception, still no hook of ours is left."""
    same_outcome(lambda m: {"number of hooks of": hooks(after_an_exception(m, lived_in(fragile(width)).eval(), width))})


@points(2)
@few
@given(width=widths, batch=st.integers(2, 3), size=st.sampled_from([(16, 20), (20, 16)]), seed=seeds)
def test_everything_together(same_outcome, width, batch, size, seed):
    """A residual network with groups, gates, biases and a batch, in mixed modes; afterwards it is as it was."""

    def probe(m):
        model = lived_in(gated_network(width), seed=seed)
        count = macs(m, model, batch, 3, *size)
        return {"MACs": count, "mode (True for training) of": modes(model), "number of hooks of": hooks(model)}

    same_outcome(probe)
