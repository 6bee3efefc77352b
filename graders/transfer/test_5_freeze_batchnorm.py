"""`freeze_batchnorm(model)`: batch normalisations stay in evaluation mode, everything else trains."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    NORMALISED,
    affine,
    all_but,
    batch_norms,
    descend,
    float64,
    freeze_some,
    identity,
    mix_modes,
    modes,
    moved,
    normalised,
    only,
    other_dimensions,
    other_kinds,
    perceptron,
    photo,
    trainable,
    values,
    without_affine,
    without_batch_normalisation,
)

from autograder.grading import Tolerance, exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients

pytestmark = exercise("freeze_batchnorm")

models = st.sampled_from(NORMALISED)
any_models = st.sampled_from([*NORMALISED, perceptron, without_batch_normalisation])
seeds = st.integers(0, 99)
CLOSE = Tolerance(1e-6, 1e-7)
images = tensors(shapes((2, 3), (3, 3), (2, 4), (2, 4)), dtype=float64, layouts=False)

# What may happen to a model after the call. The last step puts it into training mode.
LATER = [
    lambda model: model.train(),
    lambda model: model.train(True),
    lambda model: (model.eval(), model.train()),
    lambda model: (model.train(), model.train(), model.train()),
    lambda model: (model.train(False), model.train()),
]
later = st.sampled_from(LATER)


@points(1.5)
@given(build=models, training=st.booleans())
def test_evaluation_mode_at_once(same_outcome, build, training):
    """Every batch normalisation, however nested, is in evaluation mode right after the call."""

    def probe(m):
        model = build().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        return {"mode (True for training) of": only(modes(model), layers)}

    same_outcome(probe)


@points(3)
@settings(max_examples=6)
@given(build=models, training=st.booleans())
def test_stays_in_evaluation_mode(same_outcome, build, training):
    """All of them are still in evaluation mode after any later model.train()."""

    def probe(m, then):
        model = build().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        then(model)
        return {"mode after model.train() (True for training) of": only(modes(model), layers)}

    for then in LATER:
        same_outcome(lambda m, then=then: probe(m, then))


@points(1.5)
@given(build=models, train=st.booleans())
def test_affine_parameters(same_outcome, build, train):
    """Scale and shift of the batch normalisations do not require gradients after any call, even after model.train()."""

    def probe(m):
        model = build()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        if train:
            model.train()
        found = affine(model, layers)
        model.requires_grad_(True)
        m.freeze_batchnorm(model)
        return {"requires_grad of": found, "requires_grad (thawed, and frozen again) of": affine(model, layers)}

    same_outcome(probe)


@points(2)
@settings(max_examples=10)
@given(training=st.booleans(), then=later)
def test_other_dimensions(same_outcome, training, then):
    """BatchNorm1d and BatchNorm3d are treated like BatchNorm2d: mode and parameters."""
    same_outcome(lambda m: frozen(m, other_dimensions().train(training), then))


@points(2)
@settings(max_examples=10)
@given(training=st.booleans(), then=later)
def test_other_kinds(same_outcome, training, then):
    """SyncBatchNorm, and a class derived from BatchNorm2d, are treated like BatchNorm2d: mode and parameters."""
    same_outcome(lambda m: frozen(m, other_kinds().train(training), then))


def frozen(m, model, then):
    layers = batch_norms(model)
    m.freeze_batchnorm(model)
    at_once = only(modes(model), layers)
    then(model)
    return {
        "mode (True for training) of": at_once,
        "mode after model.train() (True for training) of": only(modes(model), layers),
        "requires_grad of": affine(model, layers),
    }


@points(2.5)
@given(build=any_models, training=st.booleans(), then=later, end=st.booleans())
def test_modes_of_other_layers(same_outcome, build, training, then, end):
    """model.train() and model.eval() put all other layers into training and evaluation mode as usual."""

    def probe(m):
        model = build().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        then(model)
        if end:
            model.eval()
        return {"mode (True for training) of": all_but(modes(model), layers)}

    same_outcome(probe)


@points(2)
@given(build=any_models, seed=st.none() | seeds)
def test_parameters_of_other_layers(same_outcome, build, seed):
    """Other layers, including LayerNorm, GroupNorm and InstanceNorm, stay trainable or frozen as they were."""

    def probe(m):
        model = build() if seed is None else freeze_some(build(), seed)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        model.train()
        return {"requires_grad of": all_but(trainable(model), layers)}

    same_outcome(probe)


@points(1)
@given(build=any_models, seed=seeds)
def test_nothing_else_changes(same_outcome, build, seed):
    """The call itself changes no values, not the mode of any other layer, and no other model."""

    def probe(m):
        model, other = mix_modes(build(), seed), build()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        found = {"value of": values(model), "mode (True for training) of": all_but(modes(model), layers)}
        return {**found, "mode after other_model.train() of": modes(other.train())}

    same_outcome(probe)


@points(2)
@given(x=images)
def test_statistics_stand_still(same_outcome, x):
    """In a forward pass after model.train(), batch normalisations use their running statistics and do not move them."""

    def probe(m):
        model = normalised().double()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        model.train()
        return {
            "output": model(x),
            "gradient of the input": gradients(model, x)[0],
            "value of": only(values(model), layers),
        }

    same_outcome(probe, tolerance=CLOSE)


@points(1)
@given(x=images)
def test_other_layers_train(same_outcome, x):
    """After model.train(), dropout is active, instance normalisation updates its statistics, and weights learn."""

    def probe(m):
        model, other = normalised().double(), photo().double()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        m.freeze_batchnorm(other)
        model.train()
        other.train()
        before, dropped = values(model), []
        other.dropout.register_forward_hook(lambda _, args, output: dropped.append(not torch.equal(args[0], output)))
        other(x.repeat(10, 1, 1, 1))
        descend(model, x)
        found = all_but(moved(model, before), layers)
        return {'answer to "is dropout active?"': dropped, 'answer to "did a step change the value?" for': found}

    same_outcome(probe)


@points(0.5)
@given(training=st.booleans())
def test_without_affine(same_outcome, training):
    """Batch normalisations without scale and shift (affine=False) or without running statistics are frozen, too."""

    def probe(m):
        model = without_affine().train(training)
        m.freeze_batchnorm(model)
        return {"mode (True for training) of": modes(model), "requires_grad of": trainable(model)}

    same_outcome(probe)


@points(1)
@given(build=any_models)
def test_returns_the_model(same_outcome, build):
    """The function returns the model itself, not a copy and not None."""

    def probe(m):
        model = build()
        return {"result": identity(m.freeze_batchnorm(model), model)}

    same_outcome(probe)
