"""`ResNet(block, layers, num_classes=1000)` and its method `_make_layer(block, planes, blocks, stride=1)`.

All checks use blocks of our own, which record how they were built and what they saw. So nothing here depends on the
submission's BasicBlock and Bottleneck. Where a check is not about stages, the blocks take whatever they are given and
return maps of 7×7, so that no mistake in a stage, and no window of a fixed size, costs this check as well.
"""

import torch
import torch.nn.functional as F
from aspects import slopes
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    EXACT,
    NETWORK,
    blocks_of,
    close,
    float64,
    noise,
    reshapes,
    same_in_any_layout,
    stages,
    tolerant_block,
    toy_block,
)

from autograder.grading import exercise, points
from autograder.probes import filled, outline, parameter_count, state_shapes, statistics

pytestmark = exercise("ResNet")

expansions = st.sampled_from([1, 2, 4])
depths = st.lists(st.integers(1, 3), min_size=4, max_size=4)
longer = st.lists(st.integers(2, 3), min_size=4, max_size=4)  # so that every stage has a second block
IMAGE = [2, 3, 32, 32]
FEW = [1, 2, 1, 3]
ONE_EACH = [1, 1, 1, 1]


def first_and_others(stage, what):
    """What `what` says of the first block of a stage, and what different things it says of the others."""
    told = [what(block) for block in stage]
    return [told[0], sorted({tuple(value) if isinstance(value, list) else value for value in told[1:]})]


def after_the_blocks(net, toy):
    """What `fc` makes of the means of the map that the last block returned."""
    return F.linear(blocks_of(net.layer4, toy)[-1].given.mean((2, 3)), net.fc.weight, net.fc.bias)


def by_stage(what, found, layers, expansion):
    """One property of each stage, as {description: value}."""
    net = f"(layers={layers}, block with expansion {expansion})"
    return {f"{what} in layer{i} {net}": value for i, value in enumerate(found, 1)}


@points(2)
@settings(max_examples=6)
@given(layers=longer, expansion=expansions)
def test_names(same_outcome, layers, expansion):
    """The state_dict has torchvision's names: conv1, bn1, layer1.0. … layer4.1., fc; no convolution has a bias."""

    def probe(m):
        names = state_shapes(lambda: m.ResNet(toy_block(expansion), list(layers)), IMAGE)
        counted = [name for name in names if ".downsample." not in name and name.split(".")[1] not in ("2", "3")]
        return {"list of names in the state_dict, of each stage the first two blocks": sorted(counted)}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=6)
@given(layers=depths, expansion=expansions)
def test_number_of_blocks(same_outcome, layers, expansion):
    """Stage i has layers[i] blocks, and each of them is a separate block."""

    def probe(m):
        toy = toy_block(expansion)
        found = stages(outline(lambda: m.ResNet(toy, list(layers)), IMAGE), toy)
        return by_stage("number of different blocks", [len(set(stage)) for stage in found], layers, expansion)

    same_outcome(probe)


@points(2)
@settings(max_examples=6)
@given(layers=longer, expansion=expansions)
def test_strides(same_outcome, layers, expansion):
    """The first block of layer2, layer3 and layer4 has stride 2, all others have stride 1."""

    def probe(m):
        toy = toy_block(expansion)
        found = stages(outline(lambda: m.ResNet(toy, list(layers)), IMAGE), toy)
        strides = [first_and_others(stage, lambda block: block.stride) for stage in found]
        return by_stage("stride of the first block, and of the others", strides, layers, expansion)

    same_outcome(probe)


@points(2)
@settings(max_examples=6)
@given(layers=longer, expansion=expansions)
def test_channels(same_outcome, layers, expansion):
    """A block is built for the channels that the previous block returns, and for 64, 128, 256 or 512 planes."""

    def probe(m):
        toy = toy_block(expansion)
        found = stages(outline(lambda: m.ResNet(toy, list(layers)), IMAGE), toy)
        channels = [first_and_others(stage, lambda block: list(block.channels)) for stage in found]
        return by_stage("[inplanes, planes] of the first block, and of the others", channels, layers, expansion)

    same_outcome(probe)


@points(2)
@settings(max_examples=6)
@given(layers=longer, expansion=expansions)
def test_who_gets_a_downsample(same_outcome, layers, expansion):
    """A block is given a downsample only if its stride is not 1 or its channels change."""

    def probe(m):
        toy = toy_block(expansion)
        found = stages(outline(lambda: m.ResNet(toy, list(layers)), IMAGE), toy)
        given = [first_and_others(stage, reshapes) for stage in found]
        what = 'answers to "does the block have a downsample?" for the first block, and for the others'
        return by_stage(what, given, layers, expansion)

    same_outcome(probe)


@points(2)
@settings(max_examples=10)
@given(inplanes=st.integers(1, 6), planes=st.integers(1, 4), stride=st.integers(2, 3), expansion=expansions)
def test_downsample(same_outcome, inplanes, planes, stride, expansion):
    """A downsample is an nn.Sequential of a 1×1 convolution with the stride, without bias, and a batch norm."""
    inplanes += inplanes == planes * expansion  # one is needed for both reasons
    x = noise(2, inplanes, 5, 4)

    def probe(m):
        toy = toy_block(expansion)

        def build():
            net = m.ResNet(toy, [1, 1, 1, 1], 1)
            net.inplanes = inplanes
            return blocks_of(net._make_layer(toy, planes, 1, stride), toy)[0].downsample

        layers = filled(build, x)
        return {
            "downsample(x) in evaluation mode": layers.eval()(x),
            "downsample(x) in training mode": layers.train()(x),
            "state_dict of the downsample": {k: list(v.shape) for k, v in layers.state_dict().items()},
        }

    same_outcome(probe, tolerance=NETWORK)


@points(2)
@settings(max_examples=10)
@given(inplanes=st.integers(1, 12), planes=st.integers(1, 6), stride=st.integers(1, 3), expansion=expansions)
def test_make_layer(same_outcome, inplanes, planes, stride, expansion):
    """`_make_layer` begins any stage for whatever `self.inplanes` is at the time; its stride is 1 by default."""

    def probe(m):
        toy = toy_block(expansion)

        def build():
            net = m.ResNet(toy, [1, 1, 1, 1], 1)
            wishes = [
                (inplanes, {"planes": planes, "blocks": 1, "stride": stride}),
                (inplanes, {"planes": planes, "blocks": 1}),
                (planes * expansion, {"planes": planes, "blocks": 1, "stride": 1}),
                (planes * expansion, {"planes": planes, "blocks": 1, "stride": 2}),
            ]
            net.found = {}
            for before, wish in wishes:
                net.inplanes = before
                block = blocks_of(net._make_layer(toy, **wish), toy)[0]
                found = [*block.channels, block.stride, reshapes(block)]
                call = ", ".join(f"{key}={value}" for key, value in wish.items())
                where = f"_make_layer(block, {call}) with inplanes {before}, expansion {expansion}"
                net.found[f"[inplanes, planes, stride, has a downsample] of the first block from {where}"] = found
            return net

        return outline(build, IMAGE).found

    same_outcome(probe)


@points(1)
@settings(max_examples=6)
@given(inplanes=st.integers(1, 6), planes=st.integers(1, 6), blocks=st.integers(1, 3), expansion=expansions)
def test_inplanes(same_outcome, inplanes, planes, blocks, expansion):
    """Afterwards `self.inplanes` is the number of channels that the last stage returns."""

    def probe(m):
        toy = toy_block(expansion)
        net = outline(lambda: m.ResNet(toy, [1, 1, 1, 1]), IMAGE)
        after_construction, net.inplanes = net.inplanes, inplanes
        net._make_layer(toy, planes, blocks)
        return {"inplanes of a new network": after_construction, "inplanes after _make_layer": net.inplanes}

    same_outcome(probe)


@points(2)
@settings(max_examples=4)
@given(size=st.tuples(st.integers(32, 45), st.integers(32, 45)), training=st.booleans())
def test_stem(same_outcome, size, training):
    """Before the first block: a 7×7 convolution with stride 2, batch norm, ReLU, max pooling 3×3 with stride 2."""
    x = noise(2, 3, *size)

    def probe(m):
        toy = tolerant_block(1, 7)
        net = filled(lambda: m.ResNet(toy, ONE_EACH), x).train(training)
        net(x)
        return {"input of the first block": blocks_of(net.layer1, toy)[0].seen}

    same_outcome(probe, tolerance=NETWORK)


@points(1.5)
@settings(max_examples=3)
@given(seed=st.integers(0, 99), expansion=st.integers(1, 2))
def test_head(same_outcome, seed, expansion):
    """The result is `fc` applied to the mean of each channel of the last block over all its pixels."""
    x = noise(*IMAGE, seed=seed)

    def probe(m):
        toy = tolerant_block(expansion, 7)
        net = filled(lambda: m.ResNet(toy, ONE_EACH), x).eval()
        return {"result minus fc(mean)": net(x) - after_the_blocks(net, toy)}

    same_outcome(probe, tolerance=NETWORK)


@points(1)
def test_num_classes(same_outcome):
    """The result has num_classes entries per image, 1000 by default."""

    def probe(m):
        toy, x = tolerant_block(1, 7), torch.ones(3, 3, 32, 32)
        builds = {
            "with 7 classes": lambda: m.ResNet(toy, [1, 1, 1, 1], 7),
            "with 1 class": lambda: m.ResNet(block=toy, layers=[1, 1, 1, 1], num_classes=1),
            "by default": lambda: m.ResNet(toy, [1, 1, 1, 1]),
        }
        return {f"shape of the result {what}": list(filled(build, x)(x).shape) for what, build in builds.items()}

    same_outcome(probe)


@points(1)
def test_any_size(same_outcome):
    """One network takes images of any size from 32×32 up, also images that are not square, and batches of one."""

    def probe(m):
        def build():
            return m.ResNet(tolerant_block(1), [1, 1, 1, 1])

        found, used = {}, filled(build, torch.ones(IMAGE)).eval()
        for size in ((32, 32), (32, 71), (129, 33), (64, 64)):
            x = noise(1, 3, *size)
            result, new = used(x), filled(build, x).eval()(x)
            found[f"number of results for {size}"] = len(result)
            found[f'answer to "does a new network give the same for {size}?"'] = close(result, new)
        return found

    same_outcome(probe)


@points(0.5)
def test_arguments_and_results_stay(same_outcome):
    """The list of numbers of blocks is the same afterwards, and a second call does not change the first result."""

    def probe(m):
        layers = [1, 2, 1, 1]
        net = filled(lambda: m.ResNet(tolerant_block(1, 7), layers), torch.ones(IMAGE)).eval()
        with torch.no_grad():
            first = net(noise(*IMAGE))
            before = first.clone()
            net(noise(*IMAGE, seed=1))
        return {
            "list `layers` after the call": layers,
            'answer to "is the first result still the same?"': torch.equal(first, before),
        }

    same_outcome(probe)


@points(1)
@settings(max_examples=1)
@given(seed=st.integers(0, 99))
def test_gradient(same_outcome, seed):
    """Gradients reach the image and the parameters of stem and head, in both modes."""
    x = noise(*IMAGE, seed=seed, dtype=float64)

    def probe(m):
        net = filled(lambda: m.ResNet(tolerant_block(1, 7), ONE_EACH), x)
        return {f"{mode} mode": slopes(net.train(mode == "training"), x) for mode in ("evaluation", "training")}

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
def test_parameters(same_outcome):
    """Every block and every downsample has its own parameters: none is used twice, and none is missing."""

    def probe(m):
        narrow = parameter_count(lambda: m.ResNet(toy_block(1), [2, 1, 3, 2]), IMAGE)
        wide = parameter_count(lambda: m.ResNet(toy_block(4), [2, 1, 3, 2]), IMAGE)
        return {"number of parameters": narrow, "number of parameters with expansion 4": wide}

    same_outcome(probe)


@points(0.5)
def test_images(same_outcome):
    """Images may be float64, which gives that precision, and have any memory layout, and they are not modified."""

    def probe(m):
        x, toy = noise(*IMAGE, dtype=float64).transpose(2, 3), tolerant_block(1, 7)
        before, net = x.clone(), filled(lambda: m.ResNet(toy, ONE_EACH), x).eval()
        result = net(x)
        return {
            "dtype of the result": str(result.dtype),
            "result minus fc(mean) in float64": result - after_the_blocks(net, toy),
            'answer to "are images unchanged?"': close(x, before),
            **same_in_any_layout(net, x),
        }

    same_outcome(probe)


@points(2.5)
@settings(max_examples=2)
@given(expansion=st.integers(1, 2), seed=st.integers(0, 99))
def test_everything_together(same_outcome, expansion, seed):
    """From the image to the classes, in both modes, with all blocks; in training mode the statistics are updated."""
    x = noise(2, 3, 33, 40, seed=seed, dtype=float64)

    def probe(m):
        net = filled(lambda: m.ResNet(toy_block(expansion), FEW), x)
        found = {"result in evaluation mode": net.eval()(x), "result in training mode": net.train()(x)}
        return {**found, "result of a second call": net(x), **statistics(net)}

    same_outcome(probe, tolerance=EXACT)
