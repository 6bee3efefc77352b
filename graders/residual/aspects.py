"""Models whose numbers make one aspect of a block visible and hide the others, so that a mistake costs its own check.

A convolution of zeros or weights that are not negative leaves nothing of a misplaced ReLU; a difference of two results
leaves nothing of a constant, such as a bias. What is compared with the reference is still a result.
"""

from __future__ import annotations

import torch
from inputs import noise

from autograder.probes import filled, roles, weights

# Scale 32 at variance 1024: the ε under the root is too small to show.
_SCALE, _VARIANCE = 32, 1024
_STEP = 1e-7


def by_role(model):
    """(role, shape), tensor: of all parameters and running statistics."""
    return [*roles.parameters(model), *roles.running_statistics(model)]


def constant(build, x, bias=0.0):
    """In evaluation mode every convolution returns 0, and every batch norm returns `bias`."""
    model = filled(build, x).eval()
    numbers = {roles.BIAS: bias, roles.MEAN: 1, roles.VARIANCE: 1}
    with torch.no_grad():
        for (role, _), tensor in by_role(model):
            tensor.fill_(numbers.get(role, 0))
    return model


def positive(build, x, signed=(), zero=()):
    """In evaluation mode every batch norm adds 0.5 to its input, and no weight is negative. Then for an input of at
    least 0 no layer returns a negative number, so that a ReLU changes nothing.

    Args:
        signed: shapes (outputs, numbers for each) of weights that may be negative.
        zero: shapes of weights that are 0.
    """
    model = filled(build, x).eval()
    numbers = {roles.BIAS: 0, roles.SCALE: _SCALE, roles.MEAN: -0.5, roles.VARIANCE: _VARIANCE}
    with torch.no_grad():
        for (role, shape), tensor in by_role(model):
            if role != roles.WEIGHT:
                tensor.fill_(numbers[role])
            elif shape in zero:
                tensor.zero_()
            elif shape not in signed:
                tensor.abs_()
    return model


def without_constants(model, x):
    """What the result for x differs by from the result for zeros."""
    return model(x.clone()) - model(torch.zeros_like(x))


def in_training(build, x):
    """That batch norms in training mode do not use the running statistics, and in evaluation mode nothing else."""
    model, other = filled(build, x), filled(build, x)
    with torch.no_grad():
        for _, tensor in roles.running_statistics(other):
            tensor.add_(1)
        first, second = model(x.clone()), model(x.clone())
        unlike = other(x.clone())
        model.eval()
        together = model(x.clone())
        return {
            "result in training mode minus that with other running statistics": first - unlike,
            "result of a second call minus that of the first": first - second,
            "result of one sample in evaluation mode minus its result in a batch": model(x[:1].clone()) - together[:1],
            'answer to "does the result depend on the mode?"': not torch.allclose(first, together, 1e-3, 1e-3),
        }


def slopes(model, x):
    """How far gradients along a direction are from the slopes that a small step in this direction measures."""
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.requires_grad_()
    leaf = x.detach().clone().requires_grad_()
    y = model(leaf * 1)
    if not y.requires_grad:
        return {"gradient": None}
    found = torch.autograd.grad((y * weights(y)).sum(), [leaf, *parameters], allow_unused=True)
    draws = [noise(*tensor.shape, seed=i, dtype=tensor.dtype) for i, tensor in enumerate([x, *parameters])]
    directions = [draw / draw.norm() for draw in draws]  # short, so that next to no ReLU passes its corner
    gradients = [0.0 if slope is None else float((slope * d).sum()) for slope, d in zip(found, directions, strict=True)]

    def total(change):
        y = model(x + change * directions[0]).detach()
        return float((y * weights(y)).sum())

    def moved(change):
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions[1:], strict=True):
                parameter.add_(change * direction)
        return total(0)

    of_input = (total(_STEP) - total(-_STEP)) / (2 * _STEP)
    of_parameters = (moved(_STEP) - moved(-2 * _STEP)) / (2 * _STEP)
    return {
        "gradient of the input in one direction, minus the slope there": gradients[0] - of_input,
        "gradient of the parameters in one direction, minus the slope there": sum(gradients[1:]) - of_parameters,
    }


def dtypes(build, x):
    """The dtype of the result for float32 and float64; for float64 also the result if no layer adds anything to x."""
    found = {}
    for dtype in (torch.float32, torch.float64):
        typed = x.detach().to(dtype) / 3
        found[f"dtype of the result for {dtype}"] = str(filled(build, typed).eval()(typed).dtype)
    return {**found, "result in float64 where the convolutions give zeros": constant(build, typed)(typed)}
