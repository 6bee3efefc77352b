"""`resnet18` to `resnet152` `(num_classes=1000)`. They are built from the submission's own ResNet and blocks."""

import pytest
import torch
from inputs import NETWORK, noise

from autograder.grading import exercise, points, time_limit
from autograder.grading.strategies import normal
from autograder.probes import filled, outline, parameter_count, state_shapes


def networks(*depths):
    names = [f"resnet{depth}" for depth in depths]
    return pytest.mark.parametrize("name", [pytest.param(name, marks=exercise(name), id=name) for name in names])


IMAGE = [1, 3, 32, 32]
every_network = networks(18, 34, 50, 101, 152)


@points(0.5)
@every_network
def test_parameters(same_outcome, name):
    """With 1000 classes, the default, it has the number of parameters in the contract, and each network has its own."""

    def probe(m):
        networks = [outline(getattr(m, name), IMAGE) for _ in range(2)]
        one, other = ({id(p): p.numel() for p in network.parameters()} for network in networks)
        return {
            "number of parameters": sum(one.values()),
            'answer to "do two networks share parameters?"': bool(one.keys() & other.keys()),
        }

    same_outcome(probe)


@points(0.5)
@every_network
def test_names(same_outcome, name):
    """The state_dict has torchvision's names and shapes, so that its weights can be loaded."""
    same_outcome(lambda m: {"state_dict": state_shapes(lambda: getattr(m, name)(1000), IMAGE)})


@points(0.5)
@networks(18, 50, 101, 152)  # test_values checks resnet34
def test_num_classes(same_outcome, name):
    """Each class has one weight per feature and one bias in the last layer; nothing else depends on num_classes."""

    def probe(m):
        many = parameter_count(lambda: getattr(m, name)(num_classes=1001), IMAGE)
        few = parameter_count(lambda: getattr(m, name)(num_classes=1), IMAGE)
        return {"number of parameters added by 1000 more classes": many - few}

    same_outcome(probe)


@points(0.5)
@time_limit(15)
@networks(18, 34, 50)
def test_values(same_outcome, name):
    """From the image to the classes, in both modes; the image need not be square."""
    x = noise(2, 3, 33, 47)

    def probe(m):
        net = filled(lambda: getattr(m, name)(num_classes=5), x)
        return {"result in evaluation mode": net.eval()(x), "result in training mode": net.train()(x)}

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
@networks(101, 152)
def test_stages(same_outcome, name):
    """Each stage has the number of blocks in the table."""

    def probe(m):
        names = state_shapes(getattr(m, name), IMAGE)
        blocks = [{key.split(".")[1] for key in names if key.startswith(f"layer{i}.")} for i in (1, 2, 3, 4)]
        return {f"number of blocks in layer{i}": len(found) for i, found in enumerate(blocks, 1)}

    same_outcome(probe)


@points(0.5)
@time_limit(15)
@networks(34)
def test_speed(forward_time, name):
    """A forward pass in evaluation mode is about as fast as the same layers elsewhere."""
    shape = (1, 3, 64, 64)
    forward_time(
        lambda m: filled(lambda: getattr(m, name)(num_classes=10), torch.zeros(shape)).eval(),
        normal(shape),
        cpu=(4, 16),
        cuda=(4, 16),
        tolerance=NETWORK,
    )
