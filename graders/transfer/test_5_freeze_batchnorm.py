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
    flat,
    flat_without_dropout,
    float64,
    freeze_some,
    identity,
    misleading_class,
    mix_modes,
    modes,
    moved,
    nested_layers,
    only,
    other_dimensions,
    other_kinds,
    other_normalisations,
    reached,
    trainable,
    unusual_names,
    values,
    without_affine,
    without_batch_normalisation,
)

from autograder.grading import Tolerance, exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients

pytestmark = exercise("freeze_batchnorm")

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
@settings(max_examples=4)
@given(training=st.booleans())
def test_evaluation_mode_at_once(same_outcome, training):
    """Every batch normalisation is in evaluation mode right after the call."""

    def probe(m):
        model = flat().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        return {"mode (True for training) of": only(modes(model), layers)}

    same_outcome(probe)


@points(2)
@settings(max_examples=4)
@given(training=st.booleans())
def test_stays_in_evaluation_mode(same_outcome, training):
    """All of them are still in evaluation mode after any later model.train()."""

    def probe(m, then):
        model = flat().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        then(model)
        return {"mode after model.train() (True for training) of": only(modes(model), layers)}

    for then in LATER:
        same_outcome(lambda m, then=then: probe(m, then))


@points(1.5)
@settings(max_examples=4)
@given(train=st.booleans())
def test_affine_parameters(same_outcome, train):
    """Scale and shift of the batch normalisations do not require gradients after any call, even after model.train()."""

    def probe(m):
        model = flat()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        if train:
            model.train()
        found = affine(model, layers)
        model.requires_grad_(True)
        m.freeze_batchnorm(model)
        return {"requires_grad of": found, "requires_grad (thawed, and frozen again) of": affine(model, layers)}

    same_outcome(probe)


def found(m, build, others=False):
    """Which layers the call treats as batch normalisations; other checks are about what it does with them.

    Only some are about whether it also treats `others` so.
    """
    model = build()
    layers = batch_norms(model)
    m.freeze_batchnorm(model)
    answers = reached(model) if others else only(reached(model), layers)
    return {'answer to "is it in evaluation mode, or are its own parameters frozen?" for': answers}


@points(1)
def test_nested_layers(same_outcome):
    """Batch normalisations are found however deep they are nested."""
    same_outcome(lambda m: found(m, nested_layers))


@points(1)
def test_names_of_layers(same_outcome):
    """Only batch normalisations are found, whatever the names of layers and classes."""
    same_outcome(lambda m: found(m, unusual_names, others=True))
    same_outcome(lambda m: found(m, misleading_class, others=True))


@points(1)
def test_other_dimensions(same_outcome):
    """BatchNorm1d and BatchNorm3d are treated like BatchNorm2d."""
    same_outcome(lambda m: found(m, other_dimensions))


@points(1)
def test_other_kinds(same_outcome):
    """SyncBatchNorm, and a class derived from BatchNorm2d, are treated like BatchNorm2d."""
    same_outcome(lambda m: found(m, other_kinds))


@points(1)
def test_other_normalisations(same_outcome):
    """LayerNorm, GroupNorm and InstanceNorm are not batch normalisations."""
    same_outcome(lambda m: found(m, other_normalisations, others=True))


@points(1.5)
@settings(max_examples=15)
@given(training=st.booleans(), then=later, end=st.booleans())
def test_modes_of_other_layers(same_outcome, training, then, end):
    """model.train() and model.eval() put all other layers into training and evaluation mode as usual."""

    def probe(m):
        model = flat().train(training)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        then(model)
        if end:
            model.eval()
        return {"mode (True for training) of": all_but(modes(model), layers)}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=15)
@given(seed=st.none() | seeds)
def test_parameters_of_other_layers(same_outcome, seed):
    """Other layers stay trainable or frozen as they were."""

    def probe(m):
        model = flat() if seed is None else freeze_some(flat(), seed)
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        model.train()
        return {"requires_grad of": all_but(trainable(model), layers)}

    same_outcome(probe)


@points(1)
@settings(max_examples=10)
@given(seed=seeds)
def test_nothing_else_changes(same_outcome, seed):
    """The call itself changes no values, not the mode of any other layer, and no other model."""

    def probe(m):
        model, other = mix_modes(flat(), seed), flat()
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        found = {"value of": values(model), "mode (True for training) of": all_but(modes(model), layers)}
        return {**found, "mode after other_model.train() of": modes(other.train())}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=4)
@given(training=st.booleans())
def test_without_batch_normalisation(same_outcome, training):
    """A model without batch normalisation stays as it is."""

    def probe(m):
        model = without_batch_normalisation().train(training)
        m.freeze_batchnorm(model)
        return {"mode (True for training) of": modes(model), "requires_grad of": trainable(model)}

    same_outcome(probe)


@points(1)
@settings(max_examples=12)
@given(x=images)
def test_statistics_stand_still(same_outcome, x):
    """In a forward pass after model.train(), batch normalisations use their running statistics and do not move them."""

    def probe(m):
        model = flat_without_dropout().double()
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
@settings(max_examples=12)
@given(x=images)
def test_other_layers_train(same_outcome, x):
    """After model.train(), dropout is active, and the weights of other layers learn."""

    def probe(m):
        model, dropped = flat().double(), []
        layers = batch_norms(model)
        m.freeze_batchnorm(model)
        model.train()
        before = values(model)
        model.dropout.register_forward_hook(lambda _, args, output: dropped.append(not torch.equal(args[0], output)))
        model(x.repeat(10, 1, 1, 1))
        model.dropout.p = 0.0
        descend(model, x)
        learned = all_but(moved(model, before), layers)
        return {'answer to "is dropout active?"': dropped[0], 'answer to "did a step change the value?" for': learned}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=4)
@given(training=st.booleans())
def test_without_affine(same_outcome, training):
    """Batch normalisations without scale and shift (affine=False) or without running statistics are frozen, too."""

    def probe(m):
        model = without_affine().train(training)
        m.freeze_batchnorm(model)
        return {"mode (True for training) of": modes(model), "requires_grad of": trainable(model)}

    same_outcome(probe)


@points(1)
def test_returns_the_model(same_outcome):
    """The function returns the model itself, not a copy and not None."""

    def probe(m):
        model = flat()
        return {"result": identity(m.freeze_batchnorm(model), model)}

    same_outcome(probe)


@points(2)
@settings(max_examples=8)
@given(build=st.sampled_from([*NORMALISED, nested_layers, other_dimensions, other_kinds]), then=later, seed=seeds)
def test_everything_at_once(same_outcome, build, then, seed):
    """Whole networks with nested layers of all kinds and names, in mixed modes and partly frozen."""

    def probe(m):
        model = freeze_some(mix_modes(build(), seed), seed)
        m.freeze_batchnorm(model)
        at_once = modes(model)
        then(model)
        return {
            "mode (True for training) of": at_once,
            "mode after model.train() (True for training) of": modes(model),
            "requires_grad of": trainable(model),
            "value of": values(model),
        }

    same_outcome(probe)
