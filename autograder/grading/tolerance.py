"""When two numbers, or two tensors of numbers, are the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder.sandbox.values import DTYPES


@dataclass(frozen=True)
class Tolerance:
    """|got − expected| ≤ relative · |expected| + absolute · max(1, largest |expected|)."""

    relative: float
    absolute: float


# A reasonable algorithm in this precision meets these; one in the next lower precision does not.
TOLERANCES = {
    torch.float16: Tolerance(1e-2, 1e-3),
    torch.bfloat16: Tolerance(5e-2, 1e-2),
    torch.float32: Tolerance(1e-4, 1e-5),
    torch.float64: Tolerance(1e-9, 1e-10),
    torch.complex64: Tolerance(1e-4, 1e-5),
    torch.complex128: Tolerance(1e-9, 1e-10),
    torch.complex32: Tolerance(1e-2, 1e-3),
    **{DTYPES[name]: Tolerance(0.13, 0.02) for name in ("float8_e4m3fn", "float8_e4m3fnuz") if name in DTYPES},
    **{DTYPES[name]: Tolerance(0.26, 0.04) for name in ("float8_e5m2", "float8_e5m2fnuz") if name in DTYPES},
}
_EXACT = Tolerance(0.0, 0.0)
_WIDER = {
    DTYPES[name]: wider
    for names, wider in (
        ("float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu", torch.float32),
        ("complex32", torch.complex64),
        ("uint16 uint32", torch.int64),
    )
    for name in names.split()
    if name in DTYPES
}


def is_same(expected: Any, got: Any, tolerance: Tolerance | None) -> bool:
    """Whether two values of the same type that have no entries, such as two numbers, are the same."""
    if not isinstance(expected, float | complex):
        return bool(expected == got)
    if isinstance(expected, float) and (expected == got or (expected != expected and got != got)):
        return True
    bound = tolerance or TOLERANCES[torch.float64]
    size, distance = _size(expected), _size(expected - got)
    if math.isfinite(size) and math.isfinite(distance):
        return bool(distance <= bound.relative * size + bound.absolute * max(1.0, size))
    if isinstance(expected, complex):
        return is_same(expected.real, got.real, tolerance) and is_same(expected.imag, got.imag, tolerance)
    return False


def _size(number: float | complex) -> float:
    return math.hypot(number.real, number.imag)  # `abs` of a large complex number raises an exception


def mismatches(expected: torch.Tensor, got: torch.Tensor, tolerance: Tolerance | None = None) -> torch.Tensor:
    """Boolean tensor, true where entries of two tensors of equal shape and dtype are not the same."""
    dtype = expected.dtype
    expected, got = (_computable(tensor.detach()) for tensor in (expected, got))
    bound = tolerance or TOLERANCES.get(dtype, _EXACT)
    if not (dtype.is_floating_point or dtype.is_complex):
        return expected != got
    size, distance = expected.abs(), (got - expected).abs()
    largest, furthest = (float(value.max()) if value.numel() else 0.0 for value in (size, distance))
    if math.isfinite(largest) and math.isfinite(furthest):  # nearly always the case, and several times as fast
        return distance > bound.relative * size + bound.absolute * max(1.0, largest)
    finite = size[size.isfinite()]
    scale = max(1.0, float(finite.max()) if finite.numel() else 1.0)
    near = distance <= bound.relative * size + bound.absolute * scale
    same = torch.where(size.isfinite() & got.isfinite(), near, expected == got)
    return ~(same | (expected.isnan() & got.isnan()))


def _computable(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers in a dtype with which PyTorch can calculate."""
    wider = _WIDER.get(tensor.dtype)
    if wider is not None:
        return tensor.to(wider)
    return tensor.view(torch.int64) if tensor.dtype is DTYPES.get("uint64") else tensor


def as_tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    """The numbers of an array. Older versions of PyTorch lack some of NumPy's dtypes."""
    return torch.from_numpy(array if array.dtype.name in DTYPES else array.astype(np.int64))
