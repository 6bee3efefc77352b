"""`kaiming_init(model)`: a whole model made ready for training with ReLU.

How the numbers are drawn is free. So the checks ask for their spread, six standard deviations wide.
"""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import modes, values
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import fill

pytestmark = exercise("kaiming_init")

seeds = st.integers(0, 999)


class OwnConv(nn.Conv2d):
    """A convolution under another name."""


def spread(weight):
    """Whether a weight of thousands of numbers is Kaiming-normal, with fan-out and the gain of ReLU."""
    weight = weight.detach().double()
    deviation = math.sqrt(2 / (weight.shape[0] * weight[0, 0].numel()))
    n = weight.numel()
    normed = weight / deviation
    return {
        'answer to "is the standard deviation of the weights √(2 / fan_out)?"': bool(
            abs(normed.std() - 1) < 6 / math.sqrt(2 * n) and abs(normed.mean()) < 6 / math.sqrt(n)
        ),
        'answer to "are they normally distributed?"': bool(
            abs((normed.abs() < 1).double().mean() - 0.6827) < 6 * math.sqrt(0.2166 / n) and normed.abs().max() > 2.5
        ),
    }


@points(1.25)
@settings(max_examples=3)
@given(seed=seeds)
def test_convolution(same_outcome, seed):
    """The weight of an nn.Conv2d is drawn anew: normal, with mean 0 and standard deviation √(2 / fan_out)."""

    def probe(m):
        torch.manual_seed(seed)
        model = fill(nn.Sequential(nn.Conv2d(10, 50, (3, 5)), nn.ReLU()))
        m.kaiming_init(model)
        return spread(model[0].weight)

    same_outcome(probe)


@points(1)
def test_batch_normalisation(same_outcome):
    """Batch normalisation layers of every kind get weight 1 and bias 0."""

    def probe(m):
        model = fill(nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm1d(2), nn.BatchNorm3d(2)))
        m.kaiming_init(model)
        return {"value of": {name: value.detach() for name, value in model.named_parameters()}}

    same_outcome(probe)


@points(0.5)
def test_batch_normalisation_without_affine(same_outcome):
    """A batch normalisation layer with affine=False has neither weight nor bias, and is left alone."""

    def probe(m):
        model = fill(nn.Sequential(nn.BatchNorm2d(3, affine=False), nn.BatchNorm2d(2)))
        m.kaiming_init(model)
        return {"value of": values(model)}

    same_outcome(probe)


@points(0.75)
def test_other_layers(same_outcome):
    """Linear layers, normalisations of other kinds and all other layers stay as they are."""

    def probe(m):
        others = [
            nn.GroupNorm(1, 2),
            nn.InstanceNorm2d(2, affine=True),
            nn.ConvTranspose2d(2, 2, 1),
            nn.Conv1d(2, 2, 1),
        ]
        model = fill(nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.ReLU(), *others))
        m.kaiming_init(model)
        return {"value of": values(model)}

    same_outcome(probe)


@points(0.5)
def test_biases_and_statistics(same_outcome):
    """The biases of convolutions and the running statistics of batch normalisation stay as they are."""

    def probe(m):
        model = fill(nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)))
        m.kaiming_init(model)
        return {"value of": {name: value for name, value in values(model).items() if "weight" not in name}}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_nested_layers(same_outcome, seed):
    """Layers are found however deep they are nested, and subclasses of nn.Conv2d count as well."""

    def probe(m):
        torch.manual_seed(seed)
        inner = nn.ModuleDict({"conv": OwnConv(10, 40, 3), "norm": nn.BatchNorm2d(40)})
        model = fill(nn.Sequential(nn.ModuleList([nn.Sequential(inner)])))
        m.kaiming_init(model)
        return {
            **spread(inner["conv"].weight),
            "scale of the nested batch normalisation": inner["norm"].weight.detach(),
        }

    same_outcome(probe)


@points(0.5)
def test_returns_the_model(same_outcome):
    """The function returns the model itself, not a copy and not None."""

    def probe(m):
        model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
        return {'answer to "is the result the model that was passed in?"': m.kaiming_init(model) is model}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_random(same_outcome, seed):
    """The numbers come from torch's generator: the same seed gives the same ones, another seed others."""

    def probe(m):
        drawn = []
        for start in (seed, seed + 1, seed):
            model = fill(nn.Sequential(nn.Conv2d(3, 4, 3)))
            torch.manual_seed(start)
            m.kaiming_init(model)
            drawn.append(model[0].weight.detach().clone())
        return {
            'answer to "does the same torch.manual_seed give the same weight?"': torch.equal(drawn[0], drawn[2]),
            'answer to "does another seed give the same weight?"': torch.equal(drawn[0], drawn[1]),
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=3)
@given(seed=seeds)
def test_everything_at_once(same_outcome, seed):
    """A whole network in float64, partly frozen and in evaluation mode: modes, dtypes and all else stay."""

    def probe(m):
        torch.manual_seed(seed)
        stem = nn.Sequential(nn.Conv2d(3, 60, 5), nn.BatchNorm2d(60), nn.ReLU())
        model = fill(nn.Sequential(stem, nn.ModuleDict({"out": nn.Linear(60, 3)}))).double().eval()
        stem[1].requires_grad_(False)
        m.kaiming_init(model)
        return {
            **spread(stem[0].weight),
            "dtype of the weight": str(stem[0].weight.dtype),
            "value of": {name: value for name, value in values(model).items() if name != "0.0.weight"},
            "mode (True for training) of": modes(model),
            "requires_grad of": {name: parameter.requires_grad for name, parameter in model.named_parameters()},
        }

    same_outcome(probe)
