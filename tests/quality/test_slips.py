"""One slip costs its part: a result of another dtype loses the checks that are about dtypes, and no others."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
import torch
from torch import nn

from autograder.grading import judge, profiles
from autograder.grading.children import isolated
from autograder.grading.collecting import collect
from autograder.grading.marks import mark, name_of
from autograder.grading.prepared import prepare
from autograder.grading.reference import load_reference
from autograder.grading.trusted import Variant
from autograder.jobs import WarmUp
from command_line import ROOT

RETURN_TENSORS = {
    "pooling": "naive_padding naive_pooling pool2d max_pool_2d avg_pool_2d GlobalAveragePooling DepthPool MixedPooling "
    "LPPooling StochasticPooling",
    "convolution": "corr2d Conv2D corr2d_multi_in corr2d_multi_in_out corr2d_multi_in_out_1x1 corr2d_strided "
    "learn_kernel corr2d_im2col",
    "batchnorm": "batch_norm BatchNorm",
    "residual": "ResidualBlock BasicBlock Bottleneck",
    "transfer": "extract_features",
    "design": "BlurPool",
    "architectures": "LeNet local_response_norm VGG16 NiN Inception GoogLeNet ResNeXtBlock AnyNet",
    "modern": "ConvBNReLU SqueezeExcitation MBConvBlock PreActBlock ModernBlock ModernCNN EfficientNetB0",
}
# What is about dtypes or precision, what is not timed because of one, and what asks for gradients, which float32 makes
# less precise.
ALLOWED = {"dtype", "double", "dtype_and_memory_layout", "precision_of_training", "speed", "gradient", "gradients"}


def cast(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, tuple):
        return tuple(cast(item, dtype) for item in value)
    return value.to(dtype) if isinstance(value, torch.Tensor) else value


def always(definition: Any, dtype: torch.dtype) -> Any:
    """The same function or module, whose results have this dtype."""
    if isinstance(definition, type) and issubclass(definition, nn.Module):
        forward = definition.forward
        return type(definition.__name__, (definition,), {"forward": lambda self, x: cast(forward(self, x), dtype)})
    return lambda *arguments, **named: cast(definition(*arguments, **named), dtype)


def lost(slug: str) -> bytes:
    """For each exercise and dtype: the checks that a solution loses whose results always have this dtype, their points,
    and those of the exercise."""
    order = WarmUp(str(ROOT), slug)
    prepared = prepare(order)
    found: dict[str, tuple[list[str], float, float]] = {}

    def use(checks: list[pytest.Item]) -> None:
        judge._learn(order, prepared, checks)
        points = {(mark(one, "exercise"), name_of(one)): mark(one, "points") for one in checks}
        for exercise in RETURN_TENSORS[slug].split():
            for dtype in (torch.float32, torch.float64):
                module = load_reference(prepared.assignment)
                setattr(module, exercise, always(getattr(module, exercise), dtype))
                its = profiles.of(order, prepared, checks, exercise, Variant(module))
                failed = [name for name, profile in its.items() if profile.failed]
                costs = sum(points[exercise, name] for name in failed)
                found[f"{exercise}, always {dtype}"] = failed, costs, prepared.assignment.exercises[exercise]

    collect(prepared.assignment, use)
    return json.dumps(found).encode()


@pytest.mark.slow
@pytest.mark.parametrize("slug", RETURN_TENSORS)
def test_a_wrong_dtype_costs_the_points_for_the_dtype(slug: str) -> None:
    found = json.loads(isolated(functools.partial(lost, slug)))  # graders cannot be collected twice in one process
    assert len(found) == 2 * len(RETURN_TENSORS[slug].split())
    for slip, (failed, costs, points) in found.items():
        assert failed, f"{slip}: not noticed"
        assert set(failed) <= ALLOWED, slip
        assert costs <= points / 4, slip
