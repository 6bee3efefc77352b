"""`BasicBlock` and `Bottleneck` `(inplanes, planes, stride=1, downsample=None)`: the blocks of torchvision."""

import pytest
from aspects import constant, dtypes, in_training, positive, slopes, without_constants
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    NETWORK,
    batches,
    images,
    inputs_afterwards,
    keeps_its_state,
    reshaper,
    same_in_any_layout,
    serves_every_call,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import filled, state_shapes, statistics

EXPANSION = {"BasicBlock": 1, "Bottleneck": 4}

pytestmark = pytest.mark.parametrize("name", [pytest.param(name, marks=exercise(name), id=name) for name in EXPANSION])

planes = st.integers(1, 3)
more_planes = st.integers(2, 3)  # enough for a block of half or a quarter of them to differ
maps = images(channels=(1, 3), values="non-negative")
negative = images(channels=(1, 3), values="negative").map(lambda x: x / 32)  # from -0.5 to -1/64
several = images(channels=(4, 5), values="non-negative")  # other numbers than there are planes


def plain(module, name, width):
    """A block that adds its input as it is: as many channels go in as come out."""
    return getattr(module, name)(width * EXPANSION[name], width)


def reshaping(module, name, inplanes, width, stride):
    """A block whose shortcut is a module that is passed to it."""
    return getattr(module, name)(inplanes, width, stride, reshaper(inplanes, width * EXPANSION[name], stride))


def wide(x, name):
    """x with `expansion` times the channels, all different."""
    return x.repeat(1, EXPANSION[name], 1, 1) + x.new_tensor(range(x.shape[1] * EXPANSION[name])).view(1, -1, 1, 1) / 8


def plain_and_wide(m, name, x):
    """A function that builds a block without downsample, and an input that fits."""
    return (lambda: plain(m, name, x.shape[1])), wide(x, name)


@points(0.5)
def test_expansion(same_outcome, name):
    """The class attribute `expansion` is 1 or 4: the number of output channels divided by `planes`."""

    def probe(m):
        getattr(m, name)(8, 2, downsample=nn.Identity())
        return {"expansion": getattr(m, name).expansion}

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(width=planes)
def test_names(same_outcome, name, width):
    """The state_dict has torchvision's names and shapes: conv1, bn1, …; no convolution has a bias."""
    shape = [2, width * EXPANSION[name], 4, 4]
    same_outcome(lambda m: {"state_dict without downsample": state_shapes(lambda: plain(m, name, width), shape)})


@points(0.5)
@settings(max_examples=6)
@given(inplanes=st.integers(1, 5), width=planes)
def test_name_of_downsample(same_outcome, name, inplanes, width):
    """The module that was passed in is in the state_dict as `downsample`."""

    def probe(m):
        names = state_shapes(lambda: reshaping(m, name, inplanes, width, 1), [2, inplanes, 4, 4])
        own = {f"{layer}{i}" for layer in ("conv", "bn") for i in (1, 2, 3)}
        return {"other names in the state_dict": sorted(key for key in names if key.split(".")[0] not in own)}

    same_outcome(probe)


@points(0.25)
@settings(max_examples=8)
@given(x=images(), width=planes, stride=st.integers(2, 3))
def test_shape(same_outcome, name, x, width, stride):
    """The result has planes · expansion channels and 1/stride of the size, rounded up, even if H ≠ W."""

    def probe(m):
        block = filled(lambda: reshaping(m, name, x.shape[1], width, stride), x).eval()
        return {"shape of the result": list(block(x).shape)}

    same_outcome(probe)


@points(1)
@settings(max_examples=8)
@given(x=maps)
def test_adds_x(same_outcome, name, x):
    """Without downsample, x itself is added: convolutions that give zeros leave x as it is."""

    def probe(m):
        build, fitting = plain_and_wide(m, name, x)
        return constant(build, fitting)(fitting)

    same_outcome(probe)


@points(1)
@settings(max_examples=8)
@given(x=maps)
def test_adds_downsample(same_outcome, name, x):
    """With downsample, whatever module it is, downsample(x) is added, even if x would fit as it is."""

    def probe(m):
        fitting = wide(x, name)
        build = lambda: getattr(m, name)(fitting.shape[1], x.shape[1], downsample=nn.Hardshrink(0.75))  # noqa: E731
        return {"result with Hardshrink as downsample where the convolutions give 0": constant(build, fitting)(fitting)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=6)
@given(x=negative)
def test_adds_negative_numbers(same_outcome, name, x):
    """The shortcut sees x with its negative numbers, with and without downsample."""

    def probe(m):
        found, fitting = {}, x.repeat(1, EXPANSION[name], 1, 1)
        for downsample in (None, nn.Identity()):
            build = lambda d=downsample: getattr(m, name)(fitting.shape[1], x.shape[1], downsample=d)  # noqa: E731
            block = constant(build, fitting, bias=1.0)
            what = f"with downsample={downsample}, result where 1 is added to negative numbers, minus that for zeros"
            found[what] = without_constants(block, fitting)
        return found

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(x=negative)
def test_relu_after_the_sum(same_outcome, name, x):
    """After the sum comes a ReLU: where the sum is negative, the result is 0."""

    def probe(m):
        fitting = x.repeat(1, EXPANSION[name], 1, 1)
        return constant(lambda: plain(m, name, x.shape[1]), fitting)(fitting)

    same_outcome(probe)


@points(0.75)
@settings(max_examples=6)
@given(x=maps)
def test_no_relu_before_the_sum(same_outcome, name, x):
    """What the convolutions return may be negative: there is no ReLU between the last batch norm and the sum."""

    def probe(m):
        build, fitting = plain_and_wide(m, name, x)
        return {"result where -0.5 is added": constant(build, fitting, bias=-0.5)(fitting + 1)}

    same_outcome(probe)


@points(1.25)
@settings(max_examples=8)
@given(x=several, width=more_planes)
def test_relu_between(same_outcome, name, x, width):
    """Between two convolutions come first batch norm, then ReLU."""
    inplanes, outplanes = x.shape[1], width * EXPANSION[name]

    def probe(m):
        first, second = {"BasicBlock": (9 * inplanes, None), "Bottleneck": (inplanes, 9 * width)}[name]
        block = positive(
            lambda: reshaping(m, name, inplanes, width, 1),
            x,
            signed=[(width, first), (width, second)],
            zero=[(outplanes, inplanes)],
        )
        return {"what the convolutions return, minus that for zeros": without_constants(block, x)}

    same_outcome(probe, tolerance=NETWORK)


@points(1)
@settings(max_examples=8)
@given(x=several, width=more_planes, stride=st.integers(2, 3))
def test_stride(same_outcome, name, x, width, stride):
    """A 3×3 convolution has the stride, the first one if there are two."""
    inplanes, outplanes = x.shape[1], width * EXPANSION[name]

    def probe(m):
        block = positive(lambda: reshaping(m, name, inplanes, width, stride), x, zero=[(outplanes, inplanes)])
        return {"what the convolutions return, minus that for zeros": without_constants(block, x)}

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
@settings(max_examples=6)
@given(x=batches(channels=(1, 3)))
def test_training(same_outcome, name, x):
    """Batch norms use the statistics of the batch in training mode, and the running ones in evaluation mode."""
    same_outcome(lambda m: in_training(*plain_and_wide(m, name, x)), tolerance=EXACT)


@points(0.5)
@settings(max_examples=6)
@given(x=batches(channels=(1, 3)))
def test_statistics(same_outcome, name, x):
    """Each batch norm updates its running statistics in training mode, and only then."""

    def probe(m):
        build, fitting = plain_and_wide(m, name, x)
        block = constant(build, fitting).train()
        block(fitting.clone())
        after_training = statistics(block)
        block.eval()(fitting + 1)
        return {"statistics after training": after_training, "statistics after evaluation": statistics(block)}

    same_outcome(probe, tolerance=EXACT)


@points(1)
@settings(max_examples=10)
@given(x=batches(channels=(1, 3)), training=st.booleans())
def test_gradient(same_outcome, name, x, training):
    """Gradients reach the input and all parameters, through the convolutions and through the shortcut."""

    def probe(m):
        build, fitting = plain_and_wide(m, name, x + 0.001)  # not 0, where a ReLU has a corner
        return slopes(filled(build, fitting).train(training), fitting)

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
@settings(max_examples=5)
@given(x=images(channels=(1, 3), batch=(2, 3), sides=(2, 5)))
def test_argument_is_not_modified(same_outcome, name, x):
    """The tensor that was passed in is unchanged afterwards, in both modes, with or without a graph."""

    def probe(m):
        build, fitting = plain_and_wide(m, name, x)
        return inputs_afterwards(filled(build, fitting), fitting)

    same_outcome(probe)


@points(0.25)
@settings(max_examples=4)
@given(x=images(channels=(1, 3), sides=(2, 5)))
def test_one_block_for_all(same_outcome, name, x):
    """The same block takes maps of any size, one after another, and later calls do not change earlier results."""
    same_outcome(lambda m: serves_every_call(*plain_and_wide(m, name, x)))


@points(0.25)
@settings(max_examples=4)
@given(x=images(channels=(2, 3), sides=(2, 5)))
def test_state(same_outcome, name, x):
    """A state_dict carries everything from one block to another, and a deep copy is independent."""
    same_outcome(lambda m: keeps_its_state(*plain_and_wide(m, name, x + 0.25)))


@points(0.25)
@settings(max_examples=8)
@given(x=images(channels=(4, 4), sides=(2, 6), layouts=True))
def test_any_memory_layout(same_outcome, name, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""
    width = 4 // EXPANSION[name]
    same_outcome(lambda m: same_in_any_layout(filled(lambda: plain(m, name, width), x), x))


@points(0.25)
@settings(max_examples=4)
@given(x=maps)
def test_dtype(same_outcome, name, x):
    """A float32 block takes and returns float32, and a float64 block float64, with that precision."""
    same_outcome(lambda m: dtypes(*plain_and_wide(m, name, x)), exact="dtype")


@points(1.75)
@settings(max_examples=8)
@given(x=batches(channels=(1, 5), layouts=True), width=planes, stride=st.integers(1, 2))
def test_everything_together(same_outcome, name, x, width, stride):
    """Any channels, stride, size and memory layout, in both modes, with and without downsample, in float64."""

    def probe(m):
        found = {}
        for what, build, x_of in (
            ("with downsample", lambda: reshaping(m, name, x.shape[1], width, stride), x),
            ("without downsample", *plain_and_wide(m, name, x)),
        ):
            block, row = filled(build, x_of), x_of[:1, :, :1].clone()
            found[f"result for one row in evaluation mode, {what}"] = block.eval()(row)
            found[f"result in training mode, {what}"] = block.train()(x_of.clone())
            found[f"running statistics, {what}"] = statistics(block)
        return found

    same_outcome(probe, tolerance=EXACT)
