"""Whether calls leave each other alone: results that outlast the next call, layers that remember nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

UNCHANGED = 'answer to "is the result of an earlier call still the same?"'
AS_NEW = 'answer to "does a used layer give the same result as a new one?"'


def after_another_call(call: Callable[[Any], Any], x: Any, other: Any) -> dict[str, bool]:
    """Whether the result of `call(x)` is the same after `call(other)`, for an input of the same shape."""
    earlier = call(x)
    before = earlier.detach().clone() if isinstance(earlier, torch.Tensor) else earlier
    call(other)
    return {UNCHANGED: _alike(earlier, before)}


def used_again(build: Callable[[], Callable[[Any], Any]], x: Any, other: Any) -> dict[str, bool]:
    """Whether the result for `x` outlasts the next call, and whether the layer then treats `other` as a new one does.

    The shape and dtype of `other` may differ from those of `x`.
    """
    layer = build()
    outlasts = after_another_call(layer, x, x + 1)
    return {**outlasts, AS_NEW: _alike(layer(other), build()(other))}


def _alike(one: Any, other: Any) -> bool:
    """Whether two results are the same apart from rounding; what is not a tensor is judged by other checks."""
    if not (isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)):
        return True
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    precision = 1e-10 if one.dtype == torch.float64 else 1e-5
    return torch.allclose(one, other, rtol=precision, atol=precision, equal_nan=True)
