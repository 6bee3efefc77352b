"""`replace_head(model, num_classes)`: a fresh linear layer in place of the last one."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    FLAT_HEADS,
    HEADLESS,
    LAST_HEADS,
    NESTED_HEADS,
    WITHOUT_BIAS,
    float64,
    freeze_some,
    half_double,
    head_in_the_middle,
    identity,
    linears,
    mix_modes,
    named,
    new_layer,
    single,
    states,
    values,
    without,
)

from autograder.grading import exercise, points
from autograder.grading.strategies import tensors
from autograder.probes import fill, gradients

pytestmark = exercise("replace_head")

last = st.sampled_from(list(LAST_HEADS.items()))
flat = st.sampled_from(list(FLAT_HEADS.items()))
classes = st.sampled_from([2, 3, 7])
seeds = st.integers(0, 99)


def replaced(m, build, num_classes):
    """The model after the call, and the new layer in it."""
    model = build()
    before = list(model.modules())
    m.replace_head(model, num_classes)
    return model, new_layer(model, before)


@points(1.5)
@settings(max_examples=12)
@given(case=last, num_classes=st.sampled_from([1, 2, 3, 7]))
def test_number_of_outputs(same_outcome, case, num_classes):
    """The new layer has `num_classes` outputs, even if that is only one."""
    build, _ = case
    same_outcome(lambda m: {"number of outputs of the new layer": replaced(m, build, num_classes)[1].out_features})


@points(0.5)
@settings(max_examples=3)
@given(num_classes=classes)
def test_a_single_linear_layer(same_outcome, num_classes):
    """The last nn.Linear may be the only one."""
    same_outcome(lambda m: {"list of linear layers": linears(replaced(m, single, num_classes)[0])})


@points(1.5)
@given(case=flat, num_classes=classes)
def test_the_last_one_is_replaced(same_outcome, case, num_classes):
    """The last nn.Linear in registration order is replaced, whatever its name; the others stay as they are."""
    build, _ = case

    def probe(m):
        model = build()
        m.replace_head(model, num_classes)
        return {"list of linear layers": linears(model)}

    same_outcome(probe)


@points(2)
@settings(max_examples=3)
@given(num_classes=classes)
def test_however_nested(same_outcome, num_classes):
    """The last nn.Linear is found and replaced however deep it is nested, in containers and modules of any kind."""

    def probe(m, build):
        model = build()
        m.replace_head(model, num_classes)
        return {"list of linear layers": linears(model)}

    for build in NESTED_HEADS:
        same_outcome(lambda m, build=build: probe(m, build))


@points(1)
@given(case=st.sampled_from(list(WITHOUT_BIAS.items())), num_classes=classes)
def test_bias(same_outcome, case, num_classes):
    """The new layer has a bias if and only if the old one had one."""
    build, where = case

    def probe(m):
        model = build()
        m.replace_head(model, num_classes)
        return {'answer to "does the new layer have a bias?"': model.get_submodule(where).bias is not None}

    same_outcome(probe)


@points(1)
@settings(max_examples=12)
@given(case=last, num_classes=classes)
def test_dtype(same_outcome, case, num_classes):
    """The new layer has the dtype of the old one, even if that is float64 or not the dtype of the other layers."""
    build, _ = case

    def probe(m):
        _, new = replaced(m, lambda: build().double(), num_classes)
        half = half_double()
        m.replace_head(half, num_classes)
        parameters = [*new.parameters(), *half.top.parameters()]
        return {"dtype of the new layer": sorted({str(parameter.dtype) for parameter in parameters})}

    same_outcome(probe)


@points(1)
@settings(max_examples=10)
@given(case=last, num_classes=classes)
def test_device(same_outcome, case, num_classes):
    """The new layer is on the device of the old one. (Here: "meta", whose tensors have no numbers.)"""
    build, _ = case

    def probe(m):
        _, new = replaced(m, lambda: build().to("meta"), num_classes)
        return {"device of the new layer": sorted({str(parameter.device) for parameter in new.parameters()})}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=15)
@given(case=last, num_classes=st.sampled_from([2, 3, 4, 7]), seed=seeds)
def test_fresh(same_outcome, case, num_classes, seed):
    """The new layer does not reuse the old numbers: its own come from torch's generator and from nothing else."""
    build, _ = case

    def probe(m):
        old, new, layers = [], [], []
        for start in (seed, seed + 1, seed):
            model = build()
            before = list(model.modules())
            old = [module.weight.detach().clone() for module in before if hasattr(module, "weight")]
            torch.manual_seed(start)
            m.replace_head(model, num_classes)
            layers.append(new_layer(model, before))
            new.append(layers[-1].weight.detach().clone())
        rows = [min(len(weight), num_classes) for weight in old]
        constant = bool((new[0] == new[0].flatten()[0]).all())
        return {
            'answer to "does the new weight contain the old rows?"': any(
                torch.equal(weight[:count], new[0][:count]) for weight, count in zip(old, rows, strict=True)
            ),
            'answer to "does the same torch.manual_seed give the same weight?"': torch.equal(new[0], new[2]),
            'answer to "does another seed give the same random weight?"': torch.equal(new[0], new[1]) and not constant,
            'answer to "do two models share one new layer?"': layers[0] is layers[1],
        }

    same_outcome(probe)


@points(1.5)
@settings(max_examples=12)
@given(case=last, num_classes=classes)
def test_trainable(same_outcome, case, num_classes):
    """The new layer is trainable, even when the whole model was frozen before."""
    build, _ = case

    def probe(m):
        _, new = replaced(m, lambda: build().requires_grad_(False), num_classes)
        return {"requires_grad of the new weight": new.weight.requires_grad}

    same_outcome(probe)


@points(1.5)
@given(case=last, num_classes=classes)
def test_other_values(same_outcome, case, num_classes):
    """All other layers are the same objects as before, with the same parameters and buffers."""
    build, where = case

    def probe(m):
        model = build()
        before = without(named(model), where)
        m.replace_head(model, num_classes)
        after = named(model)
        same = {name: after.get(name) is module for name, module in before.items()}
        return {'answer to "is it the same object as before?" for': same, "value of": without(values(model), where)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=12)
@given(case=last, num_classes=classes)
def test_arguments_by_name(same_outcome, case, num_classes):
    """The arguments are called `model` and `num_classes`."""
    build, _ = case

    def probe(m):
        model = build()
        before = list(model.modules())
        m.replace_head(num_classes=num_classes, model=model)
        return {"number of outputs of the new layer": new_layer(model, before).out_features}

    same_outcome(probe)


@points(1)
@given(case=last, seed=seeds)
def test_other_states(same_outcome, case, seed):
    """All other layers keep their modes, stay frozen or trainable as they were, and get no hooks."""
    build, where = case

    def probe(m):
        model = freeze_some(mix_modes(build(), seed), seed)
        m.replace_head(model, 3)
        return {what: without(state, where) for what, state in states(model).items()}

    same_outcome(probe)


@points(1)
@settings(max_examples=12)
@given(
    case=st.sampled_from([*LAST_HEADS.items(), (head_in_the_middle, "2")]),
    num_classes=classes,
    x=tensors((3, 3), dtype=float64, layouts=False),
)
def test_the_model_computes_with_it(same_outcome, case, num_classes, x):
    """The new layer is used where the old one was: after the layers before it, and before those after it."""
    build, where = case

    def probe(m):
        model = build().double().eval()
        m.replace_head(model, num_classes)
        head = fill(model.get_submodule(where), seed=1)
        if head.bias is not None:
            torch.nn.init.zeros_(head.bias)
        model.eval()
        return {"output": model(x), "gradient": gradients(model, x)[0]}

    same_outcome(probe)


@points(1)
@settings(max_examples=12)
@given(case=last, num_classes=classes)
def test_returns_the_model(same_outcome, case, num_classes):
    """The function returns the model itself, not a copy, not the new layer and not None."""
    build, _ = case

    def probe(m):
        model = build()
        return {"result": identity(m.replace_head(model, num_classes), model)}

    same_outcome(probe)


@points(1.5)
@given(build=st.sampled_from(HEADLESS), num_classes=classes)
def test_model_without_a_linear_layer(same_outcome, build, num_classes):
    """A model without any nn.Linear raises a ValueError."""
    same_outcome(lambda m: m.replace_head(build(), num_classes), raises=ValueError)


@points(2)
@settings(max_examples=6)
@given(num_classes=st.sampled_from([1, 3, 4]), seed=seeds)
def test_everything_at_once(same_outcome, num_classes, seed):
    """Nested heads with and without bias, in float64, mixed modes, partly frozen: nothing else changes."""

    def probe(m, build):
        model = freeze_some(mix_modes(build().double(), seed), seed)
        _, new = replaced(m, lambda: model, num_classes)
        where = next(name for name, module in model.named_modules() if module is new)
        kept = {what: without(state, where) for what, state in states(model).items()}
        described = {"dtype of the new weight": str(new.weight.dtype), "requires_grad of it": new.weight.requires_grad}
        return {"list of linear layers": linears(model), **described, **kept, "value of": without(values(model), where)}

    for build in NESTED_HEADS:
        same_outcome(lambda m, build=build: probe(m, build))
