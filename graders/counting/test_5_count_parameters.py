"""`count_parameters(model, trainable_only=False)`: each parameter once, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    nested,
    partly_frozen,
    type_of,
    whole,
    widths,
    with_a_buffer,
    with_everything,
    with_its_own,
    with_running_statistics,
    with_shared_layer,
    with_tied_weights,
    without_parameters,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.probes import snapshot

pytestmark = exercise("count_parameters")

few = settings(max_examples=8)


@points(1.5)
@few
@given(widths=widths)
def test_nested_layers(same_outcome, widths):
    """Layers inside layers count, so does a layer by itself, and two layers that look the same count as two."""
    same_outcome(lambda m: whole(m.count_parameters(nn.Linear(*widths))))
    same_outcome(lambda m: whole(m.count_parameters(nested(*widths))))


@points(1)
@few
@given(widths=widths)
def test_shared_layer(same_outcome, widths):
    """A layer that appears in several places in a model counts once."""
    same_outcome(lambda m: whole(m.count_parameters(with_shared_layer(*widths))))


@points(1)
@few
@given(widths=widths)
def test_tied_weights(same_outcome, widths):
    """A parameter that two layers use counts once."""
    same_outcome(lambda m: whole(m.count_parameters(with_tied_weights(*widths))))
    same_outcome(lambda m: whole(m.count_parameters(with_tied_weights(*widths), True)))


@points(1.5)
@few
@given(widths=widths)
def test_buffers(same_outcome, widths):
    """Running statistics and other buffers do not count."""
    same_outcome(lambda m: whole(m.count_parameters(with_running_statistics(widths[0]))))
    same_outcome(lambda m: whole(m.count_parameters(with_a_buffer(*widths))))


@points(1.5)
@few
@given(widths=widths)
def test_frozen_parameters(same_outcome, widths):
    """Frozen parameters count, unless trainable_only=True."""
    same_outcome(lambda m: whole(m.count_parameters(partly_frozen(*widths))))
    same_outcome(lambda m: whole(m.count_parameters(partly_frozen(*widths), trainable_only=True)))


@points(1)
@few
@given(widths=widths)
def test_everything_together(same_outcome, widths):
    """Shared layers, layers that look the same, frozen ones and buffers in one model, at several depths."""
    same_outcome(lambda m: whole(m.count_parameters(with_everything(*widths), True)))
    same_outcome(lambda m: whole(m.count_parameters(model=with_everything(*widths), trainable_only=False)))


@points(0.5)
@few
@given(widths=widths)
def test_parameters_of_the_model_itself(same_outcome, widths):
    """Parameters outside any layer count, in an nn.ParameterList too, and so do those of less common layers."""
    same_outcome(lambda m: whole(m.count_parameters(with_its_own(*widths))))


@points(0.5)
def test_nothing_to_count(same_outcome):
    """A model that learns nothing has 0 parameters, and so does a frozen one with trainable_only=True."""

    def probe(m):
        frozen = nn.Linear(2, 3).requires_grad_(False)
        return {
            "number of parameters of a pooling layer": whole(m.count_parameters(nn.MaxPool2d(2))),
            "number of parameters of layers without parameters": whole(m.count_parameters(without_parameters())),
            "number of trainable parameters of a frozen layer": whole(m.count_parameters(frozen, trainable_only=True)),
            "number of parameters of a frozen layer": whole(m.count_parameters(frozen)),
        }

    same_outcome(probe)


@points(1)
@few
@given(widths=widths, trainable_only=st.booleans())
def test_model_is_not_modified(same_outcome, widths, trainable_only):
    """The model is the same afterwards (its values, its mode, what requires a gradient), and so is its count."""

    def probe(m, training):
        model = partly_frozen(*widths).train(training)
        for parameter in model.parameters():
            parameter.data.fill_(0.5)
        count = whole(m.count_parameters(model, trainable_only=trainable_only))
        again = whole(m.count_parameters(model, trainable_only=trainable_only))
        return {**snapshot(model), 'answer to "is the count the same the second time?"': count == again}

    same_outcome(lambda m: probe(m, training=True))
    same_outcome(lambda m: probe(m, training=False))


@points(0.5)
@few
@given(widths=widths, trainable_only=st.booleans())
def test_plain_int(same_outcome, widths, trainable_only):
    """The result is a plain int: 12, not 12.0 and not a tensor."""
    same_outcome(lambda m: {"type of the result": type_of(m.count_parameters(partly_frozen(*widths), trainable_only))})
