"""`resnet18` to `resnet152` `(num_classes=1000)`. They are built from the submission's own ResNet and blocks."""

import re

import pytest
import torch
from inputs import NETWORK, noise

from autograder.grading import exercise, points, time_limit
from autograder.grading.strategies import normal
from autograder.probes import filled, outline, parameter_count, state_shapes


def networks(**worth):
    """The check is made for each of these networks, and is worth this many points."""
    marks = {name: [exercise(name), points(value)] for name, value in worth.items()}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=marks[name], id=name) for name in worth])


IMAGE = [1, 3, 32, 32]


@time_limit(15)
@networks(resnet18=0.25, resnet34=0.25, resnet50=0.25)
def test_values(same_outcome, name):
    """From the image to the classes, in both modes; the image need not be square."""
    x = noise(2, 3, 33, 47)

    def probe(m):
        net = filled(lambda: getattr(m, name)(num_classes=1000), x)
        return {"result in evaluation mode": net.eval()(x), "result in training mode": net.train()(x)}

    same_outcome(probe, tolerance=NETWORK)


@time_limit(15)
@networks(resnet34=0.25)
def test_speed(forward_time, name):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    shape = (1, 3, 64, 64)
    forward_time(
        lambda m: filled(lambda: getattr(m, name)(num_classes=1000), torch.zeros(shape)).eval(),
        normal(shape),
        cpu=(6, 24),
        cuda=(6, 24),
        tolerance=NETWORK,
    )


@networks(resnet18=0.25, resnet34=0.25, resnet50=0.25, resnet101=0.25, resnet152=0.25)
def test_parameters(same_outcome, name):
    """With 1000 classes, it has the number of parameters in the contract."""
    same_outcome(lambda m: {"number of parameters": parameter_count(lambda: getattr(m, name)(1000), IMAGE)})


@networks(resnet18=0.25, resnet34=0.5, resnet50=0.25, resnet101=0.5, resnet152=0.5)
def test_a_new_network(same_outcome, name):
    """Each call makes a new network, with its own parameters."""

    def probe(m):
        networks = [outline(getattr(m, name), IMAGE) for _ in range(2)]
        one, other = ({id(parameter) for parameter in network.parameters()} for network in networks)
        return {'answer to "do two networks share parameters?"': bool(one & other)}

    same_outcome(probe)


@networks(resnet18=0.5, resnet34=0.25, resnet50=0.5, resnet101=0.25, resnet152=0.25)
def test_block(same_outcome, name):
    """It is built from the right block: the names and shapes of the first block of each stage are torchvision's."""

    def probe(m):
        shapes = state_shapes(lambda: getattr(m, name)(1000), IMAGE)
        first = {key: shape for key, shape in shapes.items() if re.match(r"layer\d\.0\.", key)}
        return {"first blocks in the state_dict": first}

    same_outcome(probe)


@networks(resnet18=0.5, resnet34=0.25, resnet50=0.5, resnet101=0.5, resnet152=0.5)
def test_stages(same_outcome, name):
    """Each stage has the number of blocks in the table."""

    def probe(m):
        names = state_shapes(lambda: getattr(m, name)(1000), IMAGE)
        blocks = [{key.split(".")[1] for key in names if key.startswith(f"layer{i}.")} for i in (1, 2, 3, 4)]
        return {f"number of blocks in layer{i}": len(found) for i, found in enumerate(blocks, 1)}

    same_outcome(probe)


@networks(resnet18=0.25, resnet34=0.25, resnet50=0.25, resnet101=0.5, resnet152=0.5)
def test_num_classes(same_outcome, name):
    """The number of classes is num_classes, 1000 by default; nothing but the last layer depends on it."""

    def probe(m):
        builds = [getattr(m, name), *(lambda n=n: getattr(m, name)(num_classes=n) for n in (1, 2))]
        default, one, two = (parameter_count(build, IMAGE) for build in builds)
        of_a_class = two - one
        by_default = 1 + (default - one) / of_a_class if of_a_class else "num_classes makes no difference"
        return {"number of classes by default, from the number of parameters": by_default}

    same_outcome(probe)
