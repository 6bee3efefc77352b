"""`freeze(module)`: no parameter requires a gradient, and nothing else changes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    ALONE,
    NESTED,
    convolution_in_front,
    convolutions_only,
    deeply_nested,
    float64,
    freeze_some,
    hooks,
    identity,
    mix_modes,
    modes,
    other_layers,
    photo,
    trainable,
    values,
    weights_only,
    well_known_names,
    with_biases,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.grading.strategies import tensors
from autograder.probes import gradients

pytestmark = exercise("freeze")

nested = st.sampled_from(NESTED)
seeds = st.integers(0, 99)


@points(1.5)
@given(build=st.sampled_from([weights_only, convolutions_only]))
@settings(max_examples=4)
def test_weights(same_outcome, build):
    """The weights of linear layers and convolutions do not require gradients."""
    same_outcome(lambda m: frozen(m, build()))


@points(1)
def test_biases(same_outcome):
    """Neither do biases."""
    same_outcome(lambda m: frozen(m, with_biases()))


@points(0.5)
def test_other_layers(same_outcome):
    """Neither do the parameters of other layers, whatever they are called."""
    same_outcome(lambda m: frozen(m, other_layers()))


@points(0.5)
def test_nested_layers(same_outcome):
    """Neither do those of layers inside other modules, however deep."""
    same_outcome(lambda m: frozen(m, deeply_nested()))


@points(0.5)
def test_names_of_layers(same_outcome):
    """The names of layers do not matter."""
    same_outcome(lambda m: frozen(m, well_known_names()))


@points(0.5)
def test_layer_without_children(same_outcome):
    """A module may also be a single layer, have parameters besides those of its children, or have none."""
    for build in ALONE:
        same_outcome(lambda m, build=build: frozen(m, build()))


@points(0.5)
@settings(max_examples=6)
@given(seed=seeds)
def test_frozen_before(same_outcome, seed):
    """What was frozen before stays frozen, and what was thawed since an earlier call is frozen again."""

    def probe(m):
        model = freeze_some(weights_only(), seed)
        found = frozen(m, model)
        model.requires_grad_(True)
        return {**found, "requires_grad (thawed, and frozen again) of": frozen(m, model)["requires_grad of"]}

    same_outcome(probe)


def frozen(m, model):
    m.freeze(model)
    return {"requires_grad of": trainable(model)}


@points(1.5)
@given(build=st.sampled_from(NESTED + ALONE))
def test_returns_the_module(same_outcome, build):
    """The function returns the module itself, not a copy and not None."""

    def probe(m):
        model = build()
        return {"result": identity(m.freeze(model), model)}

    same_outcome(probe)


@points(1.5)
@given(build=st.sampled_from([*NESTED, *ALONE]), seed=seeds)
def test_modes(same_outcome, build, seed):
    """Every submodule is in the mode it was in before, training or evaluation."""

    def probe(m):
        model = mix_modes(build(), seed)
        m.freeze(model)
        return {"mode (True for training) of": modes(model)}

    same_outcome(probe)


@points(1.5)
@given(build=nested, double=st.booleans())
def test_values(same_outcome, build, double):
    """Parameters and buffers keep their values and their dtype; no hook is added."""

    def probe(m):
        model = build().double() if double else build()
        m.freeze(model)
        names = sorted(name for name, _ in model.named_parameters())
        return {"value of": values(model), "list of parameters": names, "number of hooks of": hooks(model)}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=5)
@given(x=tensors((2, 3, 4, 5), dtype=float64, layouts=False, values="distinct"))
def test_gradients_pass_through(same_outcome, x):
    """A frozen module computes what it did, in both modes, and gradients flow through it to the layers before it."""

    def probe(m, training):
        model = nn.Sequential(convolution_in_front(), photo()).double().train(training)
        model[1].dropout.eval()  # nothing is random
        m.freeze(model[1])
        model(x).square().sum().backward()
        return {
            "output": model(x),
            "gradient of the input": gradients(model, x)[0],
            "gradient of the layer before it": model[0].weight.grad,
        }

    for training in (False, True):
        same_outcome(lambda m, training=training: probe(m, training))


@points(1)
@settings(max_examples=15)
@given(build=nested, seed=st.none() | seeds)
def test_everything_at_once(same_outcome, build, seed):
    """Whole networks of all kinds of layers, and parts of one: all that is passed in is frozen, and nothing else."""

    def probe(m):
        model = build() if seed is None else freeze_some(build(), seed)
        whole = photo()
        for part in ("stem", "stages.1", "branches.wide", "head.hidden"):
            m.freeze(whole.get_submodule(part))
        return {**frozen(m, model), "requires_grad (only parts of the model were frozen) of": trainable(whole)}

    same_outcome(probe)
