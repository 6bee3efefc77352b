"""`BasicBlock` and `Bottleneck` `(inplanes, planes, stride=1, downsample=None)`: the blocks of torchvision."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    NETWORK,
    batches,
    dtypes,
    images,
    inputs_afterwards,
    keeps_its_state,
    reshaper,
    same_in_any_layout,
    serves_every_call,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import all_gradients, filled, state_shapes, statistics

EXPANSION = {"BasicBlock": 1, "Bottleneck": 4}

pytestmark = pytest.mark.parametrize("name", [pytest.param(name, marks=exercise(name), id=name) for name in EXPANSION])

planes = st.integers(1, 3)


def plain(module, name, width):
    """A block that adds its input as it is: as many channels go in as come out."""
    return getattr(module, name)(width * EXPANSION[name], width)


def reshaping(module, name, inplanes, width, stride):
    """A block whose shortcut is a module that is passed to it."""
    return getattr(module, name)(inplanes, width, stride, reshaper(inplanes, width * EXPANSION[name], stride))


SHORTCUTS = {
    "plain": plain,
    "downsample": lambda module, name, width: reshaping(module, name, width * EXPANSION[name], width, 1),
}
shortcuts = st.sampled_from(list(SHORTCUTS))


def wide(x, name):
    """x with `expansion` times the channels, all different."""
    return x.repeat(1, EXPANSION[name], 1, 1) + x.new_tensor(range(x.shape[1] * EXPANSION[name])).view(1, -1, 1, 1) / 8


@points(0.5)
def test_expansion(same_outcome, name):
    """The class attribute `expansion` is 1 or 4: the number of output channels divided by `planes`."""

    def probe(m):
        getattr(m, name)(8, 2, downsample=nn.Identity())
        return {"expansion": getattr(m, name).expansion}

    same_outcome(probe)


@points(2)
@given(inplanes=st.integers(1, 5), width=planes, stride=st.integers(1, 2))
def test_names(same_outcome, name, inplanes, width, stride):
    """The state_dict has torchvision's names and shapes: conv1, bn1, … and downsample; no convolution has a bias."""
    fitting = width * EXPANSION[name]
    same_outcome(
        lambda m: {
            "state_dict": state_shapes(lambda: reshaping(m, name, inplanes, width, stride), [2, inplanes, 4, 4]),
            "state_dict without downsample": state_shapes(lambda: plain(m, name, width), [2, fitting, 4, 4]),
        }
    )


@points(1)
@given(x=images(), width=planes, stride=st.integers(1, 3))
def test_shape(same_outcome, name, x, width, stride):
    """The result has planes · expansion channels and 1/stride of the size, rounded up, even if H ≠ W."""

    def probe(m):
        block = filled(lambda: reshaping(m, name, x.shape[1], width, stride), x).eval()
        return {"shape of the result": list(block(x).shape)}

    same_outcome(probe)


@points(2)
@given(x=images(channels=(1, 3)))
def test_identity(same_outcome, name, x):
    """Without downsample, x itself is added to the result of the convolutions, before the last ReLU."""
    width, x = x.shape[1], wide(x, name)
    same_outcome(lambda m: filled(lambda: plain(m, name, width), x).eval()(x), tolerance=NETWORK)


@points(2)
@given(x=images(channels=(1, 3)), width=planes)
def test_downsample(same_outcome, name, x, width):
    """With downsample, whatever module it is, downsample(x) is added, even if x would fit as it is."""

    def probe(m):
        channels = width * EXPANSION[name]
        many = x.repeat(1, channels, 1, 1)[:, :channels]
        fitting = filled(lambda: getattr(m, name)(channels, width, downsample=nn.Hardshrink(0.75)), many)
        changing = filled(lambda: reshaping(m, name, x.shape[1], width, 1), x)
        return {
            "result with other channels": changing.eval()(x),
            "result with Hardshrink as downsample": fitting.eval()(many),
        }

    same_outcome(probe, tolerance=NETWORK)


@points(1.5)
@given(x=batches(channels=(1, 4)), width=planes, stride=st.integers(2, 3))
def test_stride(same_outcome, name, x, width, stride):
    """A 3×3 convolution has the stride, the first one if there are two."""

    def probe(m):
        block = filled(lambda: reshaping(m, name, x.shape[1], width, stride), x)
        return {"result in evaluation mode": block.eval()(x), "result in training mode": block.train()(x)}

    same_outcome(probe, tolerance=EXACT)


@points(1.5)
@given(x=batches(channels=(1, 3)))
def test_training(same_outcome, name, x):
    """In training mode the batch norms use the statistics of the batch and update the running ones."""
    width, x = x.shape[1], wide(x, name)

    def probe(m):
        block = filled(lambda: plain(m, name, width), x).train()
        result = block(x)
        return {"result": result, "result of a second call": block(x), **statistics(block)}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@given(x=batches(channels=(1, 3)), shortcut=shortcuts, training=st.booleans())
def test_gradient(same_outcome, name, x, shortcut, training):
    """Gradients reach the input and all parameters, through the convolutions and through the shortcut."""
    width, x = x.shape[1], wide(x, name)

    def probe(m):
        return all_gradients(filled(lambda: SHORTCUTS[shortcut](m, name, width), x).train(training), x)

    same_outcome(probe, tolerance=EXACT)


@points(0.5)
@settings(max_examples=5)
@given(x=images(channels=(1, 3), batch=(2, 3), sides=(2, 5)), shortcut=shortcuts)
def test_argument_is_not_modified(same_outcome, name, x, shortcut):
    """The tensor that was passed in is unchanged afterwards, in both modes, with or without a graph."""
    width, x = x.shape[1], wide(x, name)
    same_outcome(lambda m: inputs_afterwards(filled(lambda: SHORTCUTS[shortcut](m, name, width), x), x))


@points(0.5)
@settings(max_examples=4)
@given(x=images(channels=(1, 3), sides=(2, 5)), shortcut=shortcuts)
def test_one_block_for_all(same_outcome, name, x, shortcut):
    """The same block takes maps of any size, one after another, and later calls do not change earlier results."""
    width, x = x.shape[1], wide(x, name)
    same_outcome(lambda m: serves_every_call(lambda: SHORTCUTS[shortcut](m, name, width), x))


@points(0.5)
@settings(max_examples=4)
@given(x=images(channels=(2, 3), sides=(2, 5)))
def test_state(same_outcome, name, x):
    """A state_dict carries everything from one block to another, and a deep copy is independent."""
    same_outcome(lambda m: keeps_its_state(lambda: reshaping(m, name, x.shape[1], 2, 1), x + 0.25))


@points(0.5)
@settings(max_examples=8)
@given(x=images(sides=(2, 6), layouts=True), width=planes, stride=st.integers(1, 2))
def test_any_memory_layout(same_outcome, name, x, width, stride):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    same_outcome(lambda m: same_in_any_layout(filled(lambda: reshaping(m, name, x.shape[1], width, stride), x), x))


@points(0.5)
@settings(max_examples=4)
@given(x=images(channels=(1, 3)))
def test_dtype(same_outcome, name, x):
    """A float32 block takes and returns float32, and a float64 block float64, with that precision."""
    width, x = x.shape[1], wide(x, name)
    same_outcome(
        lambda m: [dtypes(lambda build=build: build(m, name, width), x) for build in SHORTCUTS.values()], exact="dtype"
    )
