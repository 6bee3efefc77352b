"""Results that the next call overwrites and layers that remember an earlier call are noticed; others are not."""

from __future__ import annotations

import pytest
import torch

from autograder.probes import after_another_call, used_again
from autograder.probes.reuse import AS_NEW, UNCHANGED

X, OTHER = torch.arange(6.0).reshape(2, 3), torch.arange(20.0, dtype=torch.float64).reshape(4, 5)


class Mean:
    def __call__(self, x):
        return x.sum() / x.numel()


class KeepsItsArea(Mean):
    area = None

    def __call__(self, x):
        self.area = self.area or x.numel()
        return x.sum() / self.area


class WritesIntoOneTensor(Mean):
    def __init__(self):
        self.room = torch.zeros(1)

    def __call__(self, x):
        return self.room.fill_(float(super().__call__(x)))


class ReturnsANumber(Mean):
    def __call__(self, x):
        return float(super().__call__(x))


@pytest.mark.parametrize(
    ("layer", "unchanged", "as_new"),
    [(Mean, True, True), (ReturnsANumber, True, True), (WritesIntoOneTensor, False, True), (KeepsItsArea, True, False)],
)
def test_a_used_layer(layer, unchanged, as_new):
    assert used_again(layer, X, OTHER) == {UNCHANGED: unchanged, AS_NEW: as_new}
    assert after_another_call(layer(), X, X + 1) == {UNCHANGED: unchanged}


def answers(*results):
    """Builds layers that give these results, whatever they are called with."""
    following = iter(results)
    return lambda: lambda _x: next(following)


def test_rounding_is_no_change_and_nan_equals_itself():
    result = torch.tensor([1.0, float("nan")])
    assert used_again(answers(X, X, result, result * (1 + 1e-7)), X, OTHER)[AS_NEW]


@pytest.mark.parametrize("changed", [OTHER.float(), OTHER[:, :1], OTHER + 1e-3])
def test_another_dtype_shape_or_value_is_a_change(changed):
    assert not used_again(answers(X, X, OTHER, changed), X, OTHER)[AS_NEW]
