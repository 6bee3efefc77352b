"""`init_cnn(module)`, for `net.apply`: Xavier-uniform weights for convolutions and linear layers, nothing else.

How the numbers are drawn is free. So the checks ask for their bounds and their spread, six standard deviations wide.
"""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import values
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import fill

pytestmark = exercise("init_cnn")

seeds = st.integers(0, 999)


class OwnConv(nn.Conv2d):
    """A convolution under another name."""


class OwnLinear(nn.Linear):
    """A linear layer under another name."""


def spread(weight):
    """Whether a weight of thousands of numbers is Xavier-uniform."""
    weight = weight.detach().double()
    field = weight[0, 0].numel()
    bound = math.sqrt(6 / ((weight.shape[0] + weight.shape[1]) * field))
    n = weight.numel()
    return {
        'answer to "are all weights within ±√(6 / (fan_in + fan_out))?"': bool(weight.abs().max() <= bound * 1.0001),
        'answer to "do they come close to that bound?"': bool(weight.abs().max() >= 0.98 * bound),
        'answer to "are they spread evenly?"': bool(
            abs(weight.std() / bound * math.sqrt(3) - 1) < 6 / math.sqrt(5 * n)
            and abs(weight.mean()) < 6 * bound / math.sqrt(3 * n)
        ),
    }


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_convolution(same_outcome, seed):
    """The weight of an nn.Conv2d is drawn anew, uniform in ±√(6 / (fan_in + fan_out)), also for non-square kernels."""

    def probe(m):
        torch.manual_seed(seed)
        layer = fill(nn.Conv2d(8, 40, (3, 5)))
        layer.apply(m.init_cnn)
        return spread(layer.weight)

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_linear_layer(same_outcome, seed):
    """So is the weight of an nn.Linear."""

    def probe(m):
        torch.manual_seed(seed)
        layer = fill(nn.Linear(100, 30))
        layer.apply(m.init_cnn)
        return spread(layer.weight)

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_subclasses(same_outcome, seed):
    """Subclasses of nn.Conv2d and nn.Linear count as well."""

    def probe(m):
        torch.manual_seed(seed)
        net = fill(nn.Sequential(OwnConv(8, 40, 3), OwnLinear(60, 50)))
        before = values(net)
        net.apply(m.init_cnn)
        same = {name: torch.equal(value, before[name]) for name, value in values(net).items() if "weight" in name}
        return {'answer to "is the weight still the old one?" for': same}

    same_outcome(probe)


@points(0.75)
def test_biases(same_outcome):
    """Biases stay as they are."""

    def probe(m):
        net = fill(nn.Sequential(nn.Conv2d(2, 3, 1), nn.Linear(3, 2), nn.Conv2d(2, 3, 1, bias=False)))
        net.apply(m.init_cnn)
        return {"value of": {name: value for name, value in values(net).items() if "bias" in name}}

    same_outcome(probe)


@points(0.75)
def test_other_layers(same_outcome):
    """Other layers stay as they are, with or without a weight."""

    def probe(m):
        layers = [nn.BatchNorm2d(3), nn.ReLU(), nn.ConvTranspose2d(2, 3, 2), nn.Embedding(3, 2), nn.Conv1d(2, 2, 2)]
        net = fill(nn.Sequential(*layers, nn.Flatten(), nn.PReLU()))
        net.apply(m.init_cnn)
        return {"value of": values(net)}

    same_outcome(probe)


@points(0.25)
def test_returns_none(same_outcome):
    """The function returns None."""
    same_outcome(lambda m: {"result": m.init_cnn(nn.Linear(2, 3)) is None})


@points(0.25)
@settings(max_examples=3)
@given(seed=seeds)
def test_random(same_outcome, seed):
    """The numbers come from torch's generator: the same seed gives the same ones, another seed others."""

    def probe(m):
        drawn = []
        for start in (seed, seed + 1, seed):
            net = fill(nn.Conv2d(3, 4, 3))
            torch.manual_seed(start)
            net.apply(m.init_cnn)
            drawn.append(net.weight.detach().clone())
        return {
            'answer to "does the same torch.manual_seed give the same weight?"': torch.equal(drawn[0], drawn[2]),
            'answer to "does another seed give the same weight?"': torch.equal(drawn[0], drawn[1]),
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_everything_at_once(same_outcome, seed):
    """A whole network in float64, nested and partly frozen: its weights are drawn anew, nothing else changes."""

    def probe(m):
        torch.manual_seed(seed)
        head = nn.ModuleDict({"out": nn.Linear(40, 60)})
        net = fill(nn.Sequential(nn.Sequential(nn.Conv2d(3, 40, 5), nn.BatchNorm2d(40), nn.ReLU()), head)).double()
        net[0][0].weight.requires_grad_(False)
        net.apply(m.init_cnn)
        drawn = ("0.0.weight", "1.out.weight")
        return {
            "value of": {name: value for name, value in values(net).items() if name not in drawn},
            "dtype of": {name: str(values(net)[name].dtype) for name in drawn},
            "requires_grad of": {name: parameter.requires_grad for name, parameter in net.named_parameters()},
        }

    same_outcome(probe)
