"""`layer_summary(net, input_shape)`: the output shape of every layer, without changing the network."""

from collections import OrderedDict

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import float64
from torch import nn

from autograder.grading import exercise, expect, points
from autograder.probes import fill, snapshot

pytestmark = exercise("layer_summary")

extents = st.integers(1, 4)


def convolutional(channels=2):
    """For maps that 2×2 pooling reduces to 6 pixels per channel."""
    layers = [nn.Conv2d(channels, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(3 * 6, 5), nn.Dropout(0.5), nn.Sigmoid())


def nested():
    inner = nn.Sequential(nn.Linear(3, 7), nn.ReLU(inplace=True), nn.Sequential(nn.Linear(7, 2)))
    return nn.Sequential(OrderedDict(first=nn.Linear(4, 3), body=inner, Tanh=nn.Identity(), last=nn.Linear(2, 6)))


def repeated():
    linear, activation, narrow = nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)
    inner = nn.Sequential(activation, linear)
    return nn.Sequential(linear, activation, linear, activation, inner, linear, narrow, activation)


def with_frozen_parts():
    """In training mode, except one layer and everything in another; some parameters are frozen; there are hooks."""
    inner = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    net = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), inner, nn.Dropout(0.5).eval(), nn.Linear(4, 2))
    for parameter in (*inner.parameters(), net[4].bias):
        parameter.requires_grad_(False)
    for layer in (net, net[0], inner[1]):
        layer.register_forward_hook(lambda *_: None)
    return fill(net)


def rows(m, net, shape):
    return [list(row) for row in m.layer_summary(net, shape)]


def last_row(m, net, shape):
    """Where only the input is in question: what the summary says about the last layer, without the batch."""
    name, shape = m.layer_summary(net, shape)[-1]
    return {"name of the last layer": name, "number of its outputs": shape[-1]}


def left_alone(same_outcome, *questions):
    """Checks parts of the network's state after the call, in training and in evaluation mode."""
    for training in (True, False):

        def probe(m, training=training):
            net = with_frozen_parts() if training else with_frozen_parts().eval()
            m.layer_summary(net, (3, 6))
            state = snapshot(net)
            return {question: state[question] for question in questions}

        same_outcome(probe)


@points(0.75)
@given(batch=extents, sides=st.sampled_from([(6, 4), (4, 6), (7, 5), (2, 12)]), channels=extents)
def test_names_and_shapes(same_outcome, batch, sides, channels):
    """The result lists the class name and the output shape of every layer."""
    same_outcome(lambda m: rows(m, convolutional(channels), (batch, channels, *sides)))


@points(0.75)
@given(leading=st.lists(extents, min_size=1, max_size=3).map(tuple))
def test_one_entry_per_layer_of_the_network(same_outcome, leading):
    """A Sequential inside the network is one entry, and a layer that appears in two places is two."""
    same_outcome(lambda m: rows(m, nested(), (*leading, 4)))
    same_outcome(lambda m: rows(m, repeated(), (*leading, 4)))


@points(0.5)
def test_plain_tuples(student):
    """The class names are strings, and the shapes are plain tuples of ints, not `torch.Size`."""

    def probe(m):
        kinds = []
        for name, shape in m.layer_summary(convolutional(), (2, 2, 6, 4)):
            kinds.append([type(name) is str, type(shape) is tuple and all(type(extent) is int for extent in shape)])
        return kinds

    kinds = student(probe)
    expect(isinstance(kinds, list) and kinds, "The list is empty.")
    expect(all(name for name, _ in kinds), "Some names are not strings.")
    message = "Some shapes are not plain tuples of ints."
    expect(all(shape for _, shape in kinds), message, hint="Print type(shape).")


@points(0.5)
def test_every_call_makes_its_own_list(same_outcome):
    """A second call does not change the list that the first one returned, and does not depend on the first one."""

    def probe(m):
        net = convolutional()
        first = m.layer_summary(net, (2, 2, 6, 4))
        before = list(first)
        second = rows(m, net, (3, 2, 4, 6))
        return {
            'answer to "does the list of the first call have as many entries as before?"': len(first) == len(before),
            'answer to "is the list of the first call still the same?"': list(first) == before,
            'answer to "does a new network have the same list?"': rows(m, convolutional(), (3, 2, 4, 6)) == second,
        }

    same_outcome(probe)


@points(0.5)
def test_modes_are_left_alone(same_outcome):
    """Afterwards every layer is in the mode it was in, training or evaluation."""
    left_alone(same_outcome, "modes (training or not)")


@points(0.5)
def test_parameters_and_buffers_are_left_alone(same_outcome):
    """Afterwards all parameters and buffers have the values they had: looking at a batch norm does not train it."""
    left_alone(same_outcome, "values")


@points(0.5)
def test_hooks_and_requires_grad_are_left_alone(same_outcome):
    """Existing hooks are still there, yours are not; the same parameters require gradients, and none has one."""
    left_alone(same_outcome, "numbers of hooks", "requires_grad", "gradients")


@points(0.5)
def test_no_gradient_is_recorded(student):
    """No gradient is recorded while the shapes are determined."""

    def probe(m):
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(1) or tensor, lambda tensor: tensor):
            named = len(m.layer_summary(convolutional(), (2, 2, 6, 4)))
        return {"named": named, "saved": len(saved)}

    answer = student(probe)
    message = f"Your code let autograd keep {answer['saved']} tensors for a backward pass that never comes."
    expect(answer["saved"] == 0, message, hint="Which context manager switches that off?")


@points(0.5)
def test_batch_of_one_sample(same_outcome):
    """A batch of one sample works, even if the network has a batch norm and is in training mode."""
    same_outcome(lambda m: last_row(m, with_frozen_parts(), (1, 6)))
    same_outcome(
        lambda m: last_row(m, nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()), (1, 2, 3, 3))
    )


@points(0.5)
def test_other_types(same_outcome):
    """The network's parameters may be float64 or another dtype, and its first layer need not have any."""
    for dtype in (float64, torch.bfloat16):
        same_outcome(lambda m, dtype=dtype: last_row(m, convolutional().to(dtype), (2, 2, 6, 4)))
    same_outcome(lambda m: last_row(m, nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).to(float64), (2, 2, 3)))


@points(0.5)
@given(shape=st.tuples(extents, extents, st.integers(2, 5), st.integers(2, 5)))
def test_without_parameters(same_outcome, shape):
    """A network may have no parameters at all, or just one."""
    same_outcome(lambda m: last_row(m, nn.Sequential(nn.Tanh(), nn.MaxPool2d(2), nn.Dropout(0.5), nn.Flatten()), shape))
    same_outcome(lambda m: last_row(m, nn.Sequential(nn.Conv2d(shape[1], 3, 2, bias=False), nn.ReLU()), shape))
