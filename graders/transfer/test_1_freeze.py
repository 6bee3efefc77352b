"""`freeze(module)`: no parameter requires a gradient, and nothing else changes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    ALONE,
    NESTED,
    convolution_in_front,
    float64,
    freeze_some,
    hooks,
    identity,
    mix_modes,
    modes,
    photo,
    trainable,
    values,
)
from torch import nn

from autograder.grading import exercise, points
from autograder.grading.strategies import tensors
from autograder.probes import gradients

pytestmark = exercise("freeze")

nested = st.sampled_from(NESTED)
seeds = st.integers(0, 99)


@points(3)
@given(build=nested, seed=st.none() | seeds)
def test_every_parameter(same_outcome, build, seed):
    """No parameter requires a gradient after any call, however deep it is nested and whatever kind of layer has it."""

    def probe(m):
        model = build() if seed is None else freeze_some(build(), seed)
        m.freeze(model)
        found = trainable(model)
        model.requires_grad_(True)
        m.freeze(model)
        return {"requires_grad of": found, "requires_grad (thawed, and frozen again) of": trainable(model)}

    same_outcome(probe)


@points(1.5)
def test_layer_without_children(same_outcome):
    """A module may also be a single layer, have parameters besides those of its children, or have none."""

    def probe(m, build):
        model = build()
        m.freeze(model)
        return {"requires_grad of": trainable(model)}

    for build in ALONE:
        same_outcome(lambda m, build=build: probe(m, build))


@points(1.5)
@given(build=st.sampled_from(NESTED + ALONE))
def test_returns_the_module(same_outcome, build):
    """The function returns the module itself, not a copy and not None."""

    def probe(m):
        model = build()
        return {"result": identity(m.freeze(model), model)}

    same_outcome(probe)


@points(2)
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
            "gradients of the frozen parameters": [parameter.grad for parameter in model[1].parameters()],
        }

    for training in (False, True):
        same_outcome(lambda m, training=training: probe(m, training))


@points(1)
def test_part_of_a_model(same_outcome):
    """Freezing one part of a model leaves its other parts trainable."""

    def probe(m, part):
        model = photo()
        m.freeze(model.get_submodule(part))
        return {"requires_grad of": trainable(model)}

    for part in ("stem", "stages", "stages.1", "branches.wide", "head.hidden"):
        same_outcome(lambda m, part=part: probe(m, part))
