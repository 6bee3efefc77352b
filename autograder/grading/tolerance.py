"""When two numbers, or two tensors of numbers, are the same."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
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


@dataclass(frozen=True)
class Standard:
    """How exactly two values must be the same: numbers up to the `tolerance`, by default that of their dtype. float32
    and float64 are the same unless the `dtype` counts, and so are shapes that differ by extents of 1 unless the `shape`
    counts."""

    tolerance: Tolerance | None = None
    dtype: bool = True
    shape: bool = True


EXACTLY = Standard()

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
_FLOATS = {torch.float32, torch.float64}
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


@dataclass(frozen=True)
class Error:
    """The largest error of a comparison: the `share` that it takes of what the tolerance `bound` allows; 1 is the
    limit."""

    share: float
    bound: Tolerance


_errors: list[Error] | None = None


@contextlib.contextmanager
def watched() -> Iterator[list[Error]]:
    """A list to which every comparison meanwhile adds its largest error. Comparisons that allow none add nothing."""
    global _errors
    before, _errors = _errors, []
    try:
        yield _errors
    finally:
        _errors = before


def is_same(expected: Any, got: Any, tolerance: Tolerance | None) -> bool:
    """Whether two values of the same type that have no entries, such as two numbers, are the same."""
    if not isinstance(expected, float | complex):
        return bool(expected == got)
    bound = tolerance or TOLERANCES[torch.float64]
    if isinstance(expected, float) and (expected == got or (expected != expected and got != got)):
        _note(0.0, 1.0, bound)
        return True
    size, distance = _size(expected), _size(expected - got)
    if math.isfinite(size) and math.isfinite(distance):
        allowed = bound.relative * size + bound.absolute * max(1.0, size)
        _note(distance, allowed, bound)
        return bool(distance <= allowed)
    if isinstance(expected, complex):
        return is_same(expected.real, got.real, tolerance) and is_same(expected.imag, got.imag, tolerance)
    return False


def _size(number: float | complex) -> float:
    return math.hypot(number.real, number.imag)  # `abs` of a large complex number raises an exception


def same_dtype(one: torch.Tensor, other: torch.Tensor, standard: Standard) -> bool:
    return one.dtype == other.dtype or (not standard.dtype and {one.dtype, other.dtype} == _FLOATS)


def same_shape(one: torch.Tensor, other: torch.Tensor, standard: Standard) -> bool:
    if standard.shape:
        return one.shape == other.shape
    long, also_long = ([extent for extent in tensor.shape if extent != 1] for tensor in (one, other))
    return long == also_long


def mismatches(expected: torch.Tensor, got: torch.Tensor, tolerance: Tolerance | None = None) -> torch.Tensor:
    """Boolean tensor with the shape of `expected`, true where entries of two tensors are not the same. Their shapes may
    differ by extents of 1. Numbers of different dtypes have the precision of float32."""
    dtype, got = expected.dtype, got.reshape(expected.shape)
    if got.dtype != dtype:
        single = TOLERANCES[torch.float32]
        bounds = [(one.relative, one.absolute) for one in (single, tolerance or single)]
        dtype, tolerance = torch.float64, Tolerance(*map(max, *bounds))
        expected, got = expected.to(dtype), got.to(dtype)
    expected, got = (_computable(tensor.detach()) for tensor in (expected, got))
    bound = tolerance or TOLERANCES.get(dtype, _EXACT)
    if not (dtype.is_floating_point or dtype.is_complex):
        return expected != got
    size, distance = expected.abs(), (got - expected).abs()
    largest, furthest = (float(value.max()) if value.numel() else 0.0 for value in (size, distance))
    if math.isfinite(largest) and math.isfinite(furthest):  # nearly always the case, and several times as fast
        allowed = bound.relative * size + bound.absolute * max(1.0, largest)
        _note(distance, allowed, bound)
        return distance > allowed
    finite = size[size.isfinite()]
    scale = max(1.0, float(finite.max()) if finite.numel() else 1.0)
    allowed = bound.relative * size + bound.absolute * scale
    both = size.isfinite() & got.isfinite()
    _note(distance[both], allowed[both], bound)
    same = torch.where(both, distance <= allowed, expected == got)
    return ~(same | (expected.isnan() & got.isnan()))


def _note(distance: torch.Tensor | float, allowed: torch.Tensor | float, bound: Tolerance) -> None:
    if _errors is None:
        return
    shares = torch.as_tensor(distance) / torch.as_tensor(allowed)
    if shares.numel() and bool((torch.as_tensor(allowed) > 0).all()):
        _errors.append(Error(float(shares.max()), bound))


def _computable(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers in a dtype with which PyTorch can calculate."""
    wider = _WIDER.get(tensor.dtype)
    if wider is not None:
        return tensor.to(wider)
    return tensor.view(torch.int64) if tensor.dtype is DTYPES.get("uint64") else tensor


def as_tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    """The numbers of an array. Older versions of PyTorch lack some of NumPy's dtypes."""
    return torch.from_numpy(array if array.dtype.name in DTYPES else array.astype(np.int64))
