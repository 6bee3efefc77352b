"""Images for blocks and networks, and what probes do with a model. Every model is filled with known numbers first.

A probe passes a `build`: a function without arguments that makes the model. Models are built inside the probe, so that
each side builds its own.
"""

from __future__ import annotations

import copy

import torch
from hypothesis import settings
from hypothesis import strategies as st

from autograder.grading import Tolerance
from autograder.probes import all_gradients, filled, gradients, statistics

float32, float64 = torch.float32, torch.float64

some, few, two = (settings(max_examples=count) for count in (8, 5, 2))

# Rounding grows from layer to layer: VALUES is for a block in float32, PRECISE for float64. Whole networks are compared
# in float64: in float32 the rounding errors of a hundred layers add up to a few percent.
VALUES = Tolerance(1e-3, 1e-4)
PRECISE = Tolerance(1e-6, 1e-7)


@st.composite
def images(draw, channels, sides=((3, 7), (3, 7)), batch=(2, 3), dtype=float32):
    """(N, channels, H, W) of numbers with two decimal places; channels differ in their means."""
    extents = [draw(st.integers(*bounds)) for bounds in (batch, *sides)]
    return noise((extents[0], channels, *extents[1:]), draw(st.integers(0, 2**16)), dtype)


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


def evaluated(build, x):
    """The result in evaluation mode."""
    with torch.no_grad():
        return filled(build, x).eval()(x)


def single(build, x):
    """The dtype of the result in float32; in a deep network the numbers depend on how it is written."""
    return {"dtype of the result for float32": str(evaluated(build, x.float()).dtype)}


def trained(build, x):
    """The result in training mode."""
    return filled(build, x)(x)


def after_training(build, *batches):
    """The statistics after a forward pass of each batch in training mode, and after one more in evaluation mode."""
    model = filled(build, batches[0])
    with torch.no_grad():
        for x in batches:
            model(x)
        model.eval()(batches[0])
    return statistics(model)


def learned(build, x):
    """The gradients of a number computed from the result, for the input and for all parameters, in both modes."""
    model = filled(build, x)
    return {
        "in evaluation mode": all_gradients(model.eval(), x),
        "in training mode": all_gradients(model.train(), x),
    }


def trained_and_learned(build, x):
    """The result, the statistics and the gradient of the input from one pass in training mode."""
    model, seen = filled(build, x), []
    model.register_forward_hook(lambda *call: seen.append((call[-1], statistics(model))))
    gradient = gradients(model, x)[0]
    result, learned = seen[0]  # from the pass itself: checkpointing repeats parts of it for the gradient
    return {"result": result, "gradient": gradient, **learned}


def untouched(build, x):
    """What one model does with several images, one after another. What is returned shows what has become of it."""
    model = filled(build, x).eval()
    with torch.no_grad():
        first = model(x)
        others = [model(y) for y in (x * 2 + 1, torch.cat([x, x + 1], 2), torch.cat([x - 1, x], 3), x[:1])]
        model.train()(x)
        after_training = model.eval()(x)
    return {
        "input after the calls": x,
        "first result": first,
        "results for other images": others,
        "result after a pass in training mode": after_training,
    }


def in_turn(build, x, other):
    """The results of one network for two batches. Between them it gets a third one, of the shape of the first."""
    model = filled(build, x).eval()
    with torch.no_grad():
        first = model(x)
        model(x + 1)
        return {"result for the first batch, afterwards": first, "result for the last batch": model(other)}


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
        "shapes of the results": [list(first.shape), list(second.shape)],
        'answer to "does a new network give the same for the last batch?"': same,
        'answer to "is the first result still the same?"': torch.equal(first.nan_to_num(), before.nan_to_num()),
    }


def copied(build, x):
    """The results of a copy, and of a new model that loads the state of the old one."""
    model = filled(build, x).eval()
    restored = filled(build, x, seed=1).eval()
    twin = copy.deepcopy(model)
    restored.load_state_dict(model.state_dict())
    return {"result of a deep copy": twin(x), "result after load_state_dict": restored(x)}
