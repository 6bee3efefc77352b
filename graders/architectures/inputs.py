"""Images, ways to look at a network, and the tolerances for its results.

Every network is graded with the same questions: how many parameters it has, what values it returns in training and in
evaluation mode, what its gradients and statistics are, and whether using it leaves it unchanged. Its parameters are
filled by shape and kind (see `autograder.probes.fill`), so the names and the order of its layers do not matter.

A mistake should cost the points of the checks that are about it, and no others. So most checks compare the network with
itself, or use inputs for which only one mistake matters; one check of every exercise has everything at once.
"""

from __future__ import annotations

import copy

import torch
from hypothesis import strategies as st

from autograder.grading import Tolerance
from autograder.probes import all_gradients, built, filled, outline, statistics, weights

float32, float64 = torch.float32, torch.float64

# A deep network in single precision; gradients and statistics are compared in double precision, where a rounding error
# is too small to carry an activation across the kink of a ReLU.
VALUES = Tolerance(1e-3, 1e-4)
EXACT = Tolerance(1e-6, 1e-7)
TOGETHER = Tolerance(1e-5, 1e-6)  # also met if only the result is rounded to single precision: that has its own check
SLOPES = Tolerance(1e-3, 1e-3)  # of measured slopes

seeds = st.integers(0, 2**16)
modes = st.booleans()


def images(*shape, seed=0, dtype=float32):
    """A batch of normally distributed numbers, row by row in memory."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=float64).to(dtype)


def layouts_of(x):
    """The same images (N, C, H, W) in other memory layouts: transposed, sliced from larger ones, channels last."""
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1] + 1, dtype=x.dtype)
    wide[..., 1::2] = x
    return {
        "a transposed input": x.transpose(-1, -2).contiguous().transpose(-1, -2),
        "an input sliced from a larger tensor": wide[..., 1::2],
        "an input with its channels last": x.contiguous(memory_format=torch.channels_last),
    }


def stages_of(net):
    """The parts of a container, even if it names them or is a custom module."""
    if hasattr(net, "values"):
        return list(net.values())
    return list(net if hasattr(net, "__iter__") else net.children())


def trainable(build, *input_shapes):
    """The number of parameters that the network learns."""
    return sum(value.numel() for value in outline(build, *input_shapes).parameters() if value.requires_grad)


def result(build, x, training=False):
    """What the filled network returns."""
    return filled(build, x).train(training)(x)


def transposed(x):
    """The same images (N, C, H, W) with their columns, not their rows, one after another in memory."""
    return x.transpose(-1, -2).contiguous().transpose(-1, -2)


def together(build, x):
    """Everything that a network does: gradients and statistics in training mode, then the result in evaluation mode."""
    model = filled(build, x)
    found = {**all_gradients(model, x), **statistics(model)}
    return {**found, "result in evaluation mode": model.eval()(x)}


def together_in_evaluation(build, x):
    """The same for networks that are random in training."""
    model = filled(build, x).eval()
    return {**all_gradients(model, x), "result": model(x)}


# What follows is about one part of a network: the numbers are chosen such that the other parts do not matter.


def without_negative_numbers(build, x):
    """The filled network in evaluation mode, without negative parameters: for positive x, no ReLU changes anything."""
    model = filled(build, x).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    return model


def silent_if_rectified(build, x):
    """What the network returns for zeros if every convolution turns zeros into -1.

    If a ReLU follows each of them, everything is 0. Without one of the ReLUs, the next convolution receives -1, and
    half of its results are positive. Kernels, strides, paddings and the kind of pooling do not matter.
    """
    model = built(build, x).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if sum(extent > 1 for extent in parameter.shape) < 2:
                parameter.fill_(-1)
            else:
                signs = torch.ones_like(parameter)
                signs[::2] = -1
                parameter.copy_(3 * len(parameter) / parameter.numel() * signs)
        y = model(torch.zeros_like(x))
    return {"smallest result": y.min(), "largest result": y.max()}


# What follows compares a network with itself, so that wrong values do not also cost these points.


def shape_of(build, x):
    return {"shape of the result": list(built(build, x).eval()(x).shape)}


def counts(y):
    """Something of the shape that neither windows nor strides change."""
    return {"numbers of images and channels (or scores) in the result": list(y.shape[:2])}


def counts_of(build, x):
    return counts(built(build, x).eval()(x))


def agree(one, other):
    """Whether two results are the same up to rounding in single precision."""
    scale = max(1.0, float(one.detach().abs().nan_to_num().max()))
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), 1e-3, 1e-4 * scale, equal_nan=True)


def any_layout(build, x):
    model = filled(build, x).eval()
    y = model(x)
    same = {f'answer to "is it the same for {name}?"': agree(y, model(z)) for name, z in layouts_of(x).items()}
    return {**counts(y), **same}


def slopes(build, x, modes=("evaluation", "training")):
    """Whether the gradients are those of the network itself, right or wrong.

    For the input and for all parameters: the change of the result that the gradients predict for a tiny step, divided
    by the change that is measured. This is 1 unless a part of the gradient is missing or wrong.
    """
    model, x = filled(build, x.to(float64)), x.to(float64).clone().requires_grad_()
    parameters, found = list(model.parameters()), {}
    for mode in modes:
        model.train(mode == "training")
        y = model(x)
        total = (y * weights(y)).sum()
        wanted = [x, *parameters]
        gradients = (
            torch.autograd.grad(total, wanted, allow_unused=True) if total.requires_grad else [None] * len(wanted)
        )
        for what, some in (("input", slice(1)), ("parameters", slice(1, None))):
            said = sum(
                float((g * step(t)).sum()) for g, t in zip(gradients[some], wanted[some], strict=True) if g is not None
            )
            does = measured_slope(model, x, wanted[some])
            found[f"slope that the gradients of the {what} predict in {mode} mode, in measured ones"] = said / (
                does or 1.0
            )
    return found


def step(tensor):
    """Up for some entries and down for others, so that a batch norm does not take it back."""
    return weights(tensor) - 1


def measured_slope(model, x, tensors, size=1e-7):
    """How fast the weighted sum of the results changes along the step; a tiny part of the step remains."""

    def moved(way):
        with torch.no_grad():
            for tensor in tensors:
                tensor += way * size * step(tensor)
            y = model(x)
            return float((y * weights(y)).sum())

    return (moved(1) - moved(-2)) / (2 * size)


def is_exact(model, x):
    """Whether the network computes in double precision throughout: a step that single precision cannot see changes the
    result in proportion to a larger step. Both are so small that next to no ReLU passes its corner."""
    x = x.to(float64) / 3
    with torch.no_grad():
        before = model(x).to(float64).clone()
        large, small = ((model(x + step).to(float64) - before) / step for step in (1e-8, 1e-10))
    change = float(large.abs().max())
    return change > 0 and float((small - large).abs().max()) < 0.05 * change


def in_double(build, x):
    model = filled(build, x.to(float64)).eval()
    y, single = model(x.to(float64)), result(build, x.to(float32))
    return {
        "dtype of the result": str(y.dtype),
        "dtype of the result of a network in float32": str(single.dtype),
        **counts(y),
        'answer to "are the numbers the same as in float32?"': agree(y, single),
        'answer to "does no step of the computation round to float32?"': is_exact(model, x),
    }


def of_other_sizes(x):
    """Images (N, C, H, W) that are taller, wider and more than those of x."""
    return [torch.cat([x, x + 1], 2), torch.cat([x - 1, x], 3), torch.cat([x, x + 2], 0)]


def used_again(build, x, *others):
    """What one network does with several images, one after another; `others` may have other shapes than x."""
    model, other, before = filled(build, x).eval(), filled(build, x, seed=1).eval(), x.clone()
    other.load_state_dict(model.state_dict())
    shared = {id(value) for value in model.parameters()} & {id(value) for value in other.parameters()}
    with torch.no_grad():  # what a module remembers from a pass with a graph cannot be copied
        new = copy.deepcopy(model)
        result = model(x)
        y = result.clone()
        return {
            **counts(y),
            'answer to "does a second pass give the same result?"': agree(y, model(x)),
            'answer to "does a deep copy give the same result?"': agree(y, copy.deepcopy(model)(x)),
            'answer to "is the result the same after load_state_dict?"': agree(y, other(x)),
            'answer to "is the input unchanged?"': torch.equal(x, before),
            'list of answers to "is it what a new network gives?" for other images': [
                agree(model(z), copy.deepcopy(new)(z)) for z in (x + 1, *others)
            ],
            'answer to "is the result of the first pass still the same?"': agree(result, y),
            'answer to "do two networks share parameters?"': bool(shared),
        }
