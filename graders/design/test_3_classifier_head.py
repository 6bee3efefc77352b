"""`classifier_head(in_features, num_classes, hidden=256)`: dropout, linear, ReLU, dropout, linear."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    NETWORK,
    float64,
    has_digits_of,
    noise,
    only_biases,
    transparent,
    twentieths,
    without_biases,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import filled, gradients, parameter_count

pytestmark = exercise("classifier_head")

few = settings(max_examples=6)
sizes = st.tuples(st.integers(2, 6), st.integers(2, 6), st.integers(7, 9))  # features, classes, hidden
features = tensors(shapes((1, 4), (2, 5)), layouts=False)
positive = tensors(shapes((1, 4), (2, 5)), values="non-negative", layouts=False)


@points(0.75)
def test_sequential(same_outcome):
    """The head is an `nn.Sequential`."""
    same_outcome(lambda m: {'answer to "is it an nn.Sequential?"': isinstance(m.classifier_head(3, 2), nn.Sequential)})


@points(0.75)
@few
@given(size=sizes, batch=st.integers(1, 4))
def test_shape(same_outcome, size, batch):
    """The head turns (N, in_features) into (N, num_classes)."""

    def probe(m):
        return {"shape of the result": list(m.classifier_head(*size).eval()(torch.ones(batch, size[0])).shape)}

    same_outcome(probe)


@points(0.75)
@few
@given(size=sizes)
def test_hidden_features(same_outcome, size):
    """There are `hidden` features between the two linear layers, and nothing but the two layers has parameters."""

    def probe(m):
        fewer, more = (parameter_count(lambda n=n: m.classifier_head(*size[:2], n)) for n in (size[2], 2 * size[2]))
        return {f"number of parameters that {size[2]} hidden features more add": more - fewer}

    same_outcome(probe)


@points(0.5)
@few
@given(size=sizes)
def test_default(same_outcome, size):
    """There are 256 hidden features by default; all arguments can be given by name."""

    def probe(m):
        default = parameter_count(lambda: m.classifier_head(num_classes=size[1], in_features=size[0]))
        given = parameter_count(lambda: m.classifier_head(*size[:2], hidden=256))
        return {"number of parameters without `hidden` minus that with hidden=256": default - given}

    same_outcome(probe)


@points(1)
@given(x=positive, classes=st.integers(3, 5))
def test_linear_layers(same_outcome, x, classes):
    """In evaluation mode, with weights that are not negative and biases of 0, the head is two linear layers."""
    same_outcome(
        lambda m: without_biases(lambda: m.classifier_head(x.shape[1], classes), x).eval()(x), tolerance=NETWORK
    )


@points(0.75)
@given(x=features, classes=st.integers(3, 5))
def test_relu(same_outcome, x, classes):
    """Between the linear layers there is a ReLU, and at the end there is nothing."""

    def probe(m):
        return without_biases(lambda: m.classifier_head(x.shape[1], classes), x, negative=True).eval()(x)

    same_outcome(probe, tolerance=NETWORK)


@points(0.5)
@few
@given(x=positive)
def test_biases(same_outcome, x):
    """Both linear layers have a bias."""

    def probe(m):
        count = parameter_count(lambda: m.classifier_head(x.shape[1], 3))
        result = only_biases(lambda: m.classifier_head(x.shape[1], 3), x).eval()(x)
        return {"result where all weights are 0": result, "number of parameters": count}

    same_outcome(probe, tolerance=NETWORK)


@points(0.75)
def test_first_dropout(same_outcome):
    """In training mode, the first dropout removes 30 % of the features that go into the head."""

    def probe(m):
        y = transparent(lambda: m.classifier_head(1, 256))(torch.ones(10_000, 1))
        return {"share of inputs that were removed, in steps of 0.05": twentieths((y == 0).all(1).float().mean())}

    same_outcome(probe)


@points(0.75)
def test_second_dropout(same_outcome):
    """In training mode, the second dropout removes 20 % of the hidden features."""

    def probe(m):
        y = transparent(lambda: m.classifier_head(1, 256))(torch.ones(10_000, 1))
        kept = y[(y != 0).any(1)]
        return {"share of hidden features that were removed, in steps of 0.05": twentieths((kept == 0).float().mean())}

    same_outcome(probe)


@points(0.25)
@few
@given(x=tensors(shapes((1, 4), (2, 5)), dtype=float64, values="distinct"), training=st.booleans())
def test_gradient(same_outcome, x, training):
    """The gradient reaches the features that go into the head, unless dropout has removed them."""

    def probe(m):
        head = without_biases(lambda: m.classifier_head(x.shape[1], 3), x).train(training)
        (found,) = gradients(head, x.abs())
        return {'answer to "does any feature get a gradient?"': found is not None}

    same_outcome(probe)


@points(0.25)
@few
@given(x=tensors(shapes((2, 4), (2, 5)), layouts=False), training=st.booleans())
def test_features_are_not_modified(same_outcome, x, training):
    """The tensor that goes into the head is the same afterwards, in training and in evaluation mode."""

    def probe(m):
        with torch.no_grad():
            m.classifier_head(x.shape[1], 3).train(training)(x)
        return {"features after the call": x}

    same_outcome(probe)


@points(0.25)
@few
@given(dtype=st.sampled_from([torch.float32, float64]))
def test_dtype(same_outcome, dtype):
    """A head in float64 gives float64 with that precision, and one in float32 gives float32."""
    x = noise(3, 4, dtype=dtype)

    def probe(m):
        y = filled(lambda: m.classifier_head(4, 3), x).eval()(x)
        return {f'answer to "is the result in {dtype}, with its precision?"': has_digits_of(y, dtype)}

    same_outcome(probe)


@points(0.75)
@given(x=features, size=sizes)
def test_everything_together(same_outcome, x, size):
    """A head of any size in evaluation mode, with biases and weights of any sign."""
    same_outcome(
        lambda m: filled(lambda: m.classifier_head(x.shape[1], size[1], size[2]), x).eval()(x),
        tolerance=NETWORK,
        exact="shape",
    )
