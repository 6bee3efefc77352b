"""Images for blocks and networks, and what probes do with a model. Every model is filled with known numbers first.

A probe passes a `build`: a function without arguments that makes the model. Models are built inside the probe, so that
each side builds its own.

One mistake should not cost every check. So most checks leave out what is another check's question: biases are 0
(`evaluated`, `trained`), whole parts of a block are silent (`silence`, `passed_on`), and what is asked about dtypes,
memory, gradients and state compares a model with itself (`apart`), not with the reference.
"""

from __future__ import annotations

import copy
import math

import torch
from hypothesis import settings
from hypothesis import strategies as st

from autograder.grading import Tolerance
from autograder.probes import (
    all_gradients,
    filled,
    gradients,
    outline,
    parameter_count,
    roles,
    statistics,
    weights,
    zeroed,
)

float32, float64 = torch.float32, torch.float64

some, few, three, two = (settings(max_examples=count) for count in (8, 5, 3, 2))

# Rounding grows from layer to layer: VALUES is for a block in float32, PRECISE for float64. Whole networks are compared
# in float64: in float32 the rounding errors of a hundred layers add up to a few percent. SLOPES is for quotients of
# differences, which are 1 or 0 where everything is right.
VALUES = Tolerance(1e-3, 1e-4)
PRECISE = Tolerance(1e-6, 1e-7)
SLOPES = Tolerance(0.0, 0.05)


@st.composite
def images(draw, channels, sides=(3, 7), batch=(2, 3), dtype=float32, square=True):
    """(N, channels, H, W) of numbers with two decimal places; channels differ in their means."""
    number, height, width = (draw(st.integers(*bounds)) for bounds in (batch, sides, sides))
    width = height if square else width
    return noise((number, channels, height, width), draw(st.integers(0, 2**16)), dtype)


def noise(shape, seed=0, dtype=float32):
    """Images like those that `images` draws, of a given shape."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(-200, 201, shape, generator=generator)
    means = torch.randint(-150, 151, (*shape[:2], 1, 1), generator=generator)
    return ((pixels + means).to(float64) / 100).to(dtype)


def laid_out(x):
    """x with other strides: transposed, sliced from a larger tensor, channels last."""
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1] + 1, dtype=x.dtype)[..., 1::2]
    return [
        x.transpose(-1, -2).contiguous().transpose(-1, -2),
        wide.copy_(x),
        x.contiguous(memory_format=torch.channels_last),
    ]


# --- parts of a model -------------------------------------------------------------------------------------------------


def unbiased(build, x):
    """`filled`, but every bias and every shift is 0: biases that should not be there, or that are missing, do not
    matter."""
    return silence(filled(build, x))


def silence(model, *shapes):
    """Sets biases and shifts to 0, and the weights of layers that have these (outputs, inputs of each)."""
    with torch.no_grad():
        for (role, shape), parameter in roles.parameters(model):
            if role == roles.BIAS or (role == roles.WEIGHT and shape in shapes):
                parameter.zero_()
    return model


def evaluated(build, x, *silent):
    """The result in evaluation mode without biases, and without the weights of layers with these shapes."""
    with torch.no_grad():
        return silence(filled(build, x), *silent).eval()(x.clone())


def trained(build, x, *silent):
    """The result in training mode without biases, and without the weights of layers with these shapes."""
    return silence(filled(build, x), *silent)(x.clone())


def passed_on(build, x, outputs):
    """What reaches the result in evaluation mode if all layers give 0, except those that map the channels of x to
    `outputs` channels pixel by pixel. Their weights are positive."""
    model = zeroed(build, x).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1 and (len(parameter), parameter.numel()) == (outputs, outputs * x.shape[1]):
                parameter.copy_(weights(parameter))
        return model(x)


def after_training(build, *batches):
    """The statistics after a forward pass of each batch in training mode, and after one more in evaluation mode."""
    model = unbiased(build, batches[0])
    with torch.no_grad():
        for x in batches:
            model(x)
        model.eval()(batches[0])
    return statistics(model)


def layers(build, shape, *wanted):
    """How many layers have weights with these (outputs, inputs of each)."""
    have = [tuple(p.flatten(1).shape) for p in outline(build, shape).parameters() if p.dim() > 1]
    return {
        f"number of layers with {out} outputs from {per} numbers each": have.count((out, per)) for out, per in wanted
    }


def vectors(build, shape, *lengths):
    """How many biases, scales and shifts have these lengths."""
    have = [p.numel() for p in outline(build, shape).parameters() if p.numel() == max(p.shape, default=1)]
    return {f"number of biases, scales and shifts of length {length}": have.count(length) for length in lengths}


def more_parameters(shape, one, other):
    """How many parameters the model that `one` makes has more than the one that `other` makes."""
    return parameter_count(one, shape) - parameter_count(other, shape)


# --- a model compared with itself -------------------------------------------------------------------------------------


def apart(one, other):
    """The largest difference between two results; infinite if their shapes differ."""
    return float((one - other).detach().abs().max()) if one.shape == other.shape else math.inf


def result_of(model, x):
    """A copy of the result for a copy of x. What is random is the same every time."""
    torch.manual_seed(0)
    return model(x.clone()).clone()


def in_other_layouts(build, x):
    """How far results are apart when only the strides of the input differ."""
    model, same = filled(build, x).eval(), laid_out(x)
    with torch.no_grad():
        result = result_of(model, x)
        return {
            f"largest difference between results, {words}": apart(model(y), result)
            for words, y in zip(("input transposed", "input sliced", "channels last"), same, strict=True)
        }


def dtypes(build, x):
    """The dtypes of the results, and whether a step that float32 cannot see changes the result in float64 as it should:
    in proportion to a larger step. Both are so small that next to no ReLU passes its corner, even in a deep network."""
    x = x.to(float64)
    model = filled(build, x).eval()
    result = result_of(model, x)  # with a graph: some models remember results where they need none
    large, small = ((result_of(model, x + step * weights(x)) - result).detach() / step for step in (1e-8, 1e-11))
    change = float(large.abs().max())
    error = apart(small, large) / change if change else math.inf
    return {
        "dtype of the result for float64": str(result.dtype),
        "dtype of the result for float32": str(result_of(model.float(), x.float()).dtype),
        "in float64, error of the effect that a change of 1e-11 in the input has": error,
    }


def slopes(build, x, of=("input", "parameters"), modes=("evaluation", "training"), step=1e-3):
    """How wrong the gradients of a number computed from the result are. The number for an input, or for parameters, a
    little further in a random direction says how steep it is; the difference from what the gradient says is divided by
    what is usual for such a gradient. None if there is no gradient. In a deep network only a tiny step passes next to
    no ReLU's corner; where the result is rounded to float32, a tiny step shows nothing."""
    model, x = filled(build, x), x.clone().requires_grad_()
    tensors = {"input": [x], "parameters": list(model.parameters())}
    found = {}
    for mode in modes:
        number = weighted_sum(model.train(mode == "training"), x)
        wanted = [tensor for name in of for tensor in tensors[name]]
        gradient = [None] * len(wanted)
        if number.requires_grad:
            gradient = torch.autograd.grad(number, wanted, allow_unused=True)
        for name in of:
            own, gradient = gradient[: len(tensors[name])], gradient[len(tensors[name]) :]
            found[f"error of the gradient of the {name} in {mode} mode"] = _error(
                model, x, number, tensors[name], own, step
            )
    return found


def weighted_sum(model, x):
    result = result_of(model, x)
    return (result * weights(result)).sum()


def _error(model, x, number, tensors, gradient, step):
    length = math.sqrt(sum(float((part * part).sum()) for part in gradient if part is not None))
    if length == 0:
        return None
    generator = torch.Generator().manual_seed(0)
    direction = [torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype) for tensor in tensors]
    size = math.sqrt(sum(float((part * part).sum()) for part in direction))
    predicted = sum(
        float((part * along).sum()) / size for part, along in zip(gradient, direction, strict=True) if part is not None
    )
    before = [tensor.detach().clone() for tensor in tensors]
    with torch.no_grad():
        for tensor, along in zip(tensors, direction, strict=True):
            tensor.add_(along, alpha=step / size)
    further = weighted_sum(model, x)  # with a graph, as before: some models do other things without one
    with torch.no_grad():
        for tensor, value in zip(tensors, before, strict=True):
            tensor.copy_(value)
    usual = length / math.sqrt(sum(tensor.numel() for tensor in tensors))
    return (float((further - number).detach()) / step - predicted) / usual


def left_alone(build, x):
    """The input after the call, and how far the result has moved after another call."""
    model = filled(build, x).eval()
    with torch.no_grad():
        first = model(x)
        kept = first.clone()
        for another in (torch.zeros_like(x), torch.ones_like(x)):
            model(another)
    return {"input after the call": x, "change of a result when the module is called again": apart(first, kept)}


def used_for_others(build, x):
    """How far the results of a used model are from those of a new one: for other images, and, after a pass in training
    mode, from those of models with the same state."""
    model, found = filled(build, x).eval(), {}
    others = {
        "after another image of the same size": x * 2 + 1,
        "after a smaller image": torch.cat([torch.cat([x, x + 1], 2), torch.cat([x - 1, x], 2)], 3),
    }
    with torch.no_grad():
        result_of(model, x)
        for words, other in others.items():
            found[f"difference from the result of a new module, {words}"] = apart(
                result_of(model, other), result_of(filled(build, x).eval(), other)
            )
        result_of(model.train(), x)
        result = result_of(model.eval(), x)
        used = filled(build, x, seed=1).eval()
        result_of(used, x)
        used.load_state_dict(model.state_dict())
        for words, copied in (("a deep copy", copy.deepcopy(model)), ("a used one that loads its state", used)):
            found[f"difference from the result of {words}, after training"] = apart(result_of(copied, x), result)
    return found


def repeated(build, x, modes=("evaluation", "training")):
    """How far two results of one model are apart, in each mode."""
    model, results = filled(build, x), {}
    with torch.no_grad():
        for mode in modes:
            model.train(mode == "training")
            one, other = (model(x.clone()).clone() for _ in range(2))
            results[f"difference between two passes in {mode} mode"] = apart(one, other)
    return results


def reused(build, x, other):
    """What one network does with several batches, and whether a new one gives the same for the last of them."""
    model, new = filled(build, x).eval(), filled(build, x).eval()
    with torch.no_grad():
        first = model(x)
        before = first.clone()
        model(x + 1)
        second, alone = model(other), new(other)
    same = second.shape == alone.shape and torch.allclose(second, alone, rtol=1e-3, equal_nan=True)
    return {
        "extents of the results": [first.dim(), len(first), second.dim(), len(second)],
        'answer to "does a new network give the same for the last batch?"': same,
        'answer to "is the first result still the same?"': torch.equal(first.nan_to_num(), before.nan_to_num()),
    }


# --- everything together ----------------------------------------------------------------------------------------------


def complete(build, x):
    """The result in evaluation mode, with everything that a model has."""
    with torch.no_grad():
        return filled(build, x).eval()(x)


def learned(build, x):
    """The result in training mode, the statistics afterwards, and the gradients in both modes."""
    model = filled(build, x)
    with torch.no_grad():
        found = {"result in training mode": model(x), **statistics(model)}
    return {
        **found,
        "gradients in evaluation mode": all_gradients(model.eval(), x),
        "gradients in training mode": all_gradients(model.train(), x),
    }


def trained_and_learned(build, x):
    """The result, the statistics and the gradient of the input from one pass in training mode."""
    model, seen = filled(build, x), []
    model.register_forward_hook(lambda *call: seen.append((call[-1], statistics(model))))
    gradient = gradients(model, x)[0]
    result, found = seen[0]  # from the pass itself: checkpointing repeats parts of it for the gradient
    return {"result": result, "gradient": gradient, **found}
