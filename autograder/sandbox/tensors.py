"""Tensors and arrays as nodes and bytes. Sizes are checked before anything is copied, and nothing is made dense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from autograder.sandbox import wire
from autograder.sandbox.values import ARRAY_DTYPES, DTYPES, MAX_DIMENSIONS, shape_text

TOO_LARGE = "is too large to be compared"
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
# As wide as they are, for dtypes that NumPy lacks.
_STAND_INS = {
    DTYPES[name]: stand_in
    for names, stand_in in (
        ("bfloat16", torch.int16),
        ("complex32", torch.int32),
        ("float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu", torch.uint8),
    )
    for name in names.split()
    if name in DTYPES
}
_PARTS_OF: Mapping[str, Callable[[torch.Tensor], tuple[torch.Tensor, ...]]] = {
    "sparse_coo": lambda tensor: (tensor._indices(), tensor._values()),
    "sparse_csr": lambda tensor: (tensor.crow_indices(), tensor.col_indices(), tensor.values()),
    "sparse_csc": lambda tensor: (tensor.ccol_indices(), tensor.row_indices(), tensor.values()),
    "sparse_bsr": lambda tensor: (tensor.crow_indices(), tensor.col_indices(), tensor.values()),
    "sparse_bsc": lambda tensor: (tensor.ccol_indices(), tensor.row_indices(), tensor.values()),
}


class Body:
    """The part of a frame's body that belongs to one answer; `room` is how many bytes are left for it."""

    def __init__(self, room: int) -> None:
        self.chunks: list[bytes] = []
        self.room = room

    def add(self, data: bytes) -> None:
        self.room -= len(data)
        self.chunks.append(data)


def tensor(body: Body, value: torch.Tensor) -> wire.Node:
    if value.layout is torch.strided and not (value.is_quantized or value.is_nested or value.is_meta):
        return _dense(body, value)
    if value.is_nested:
        return wire.Opaque("a nested tensor")
    if value.dim() > MAX_DIMENSIONS:
        return wire.Opaque(_text(value))
    dtype, shape, plain = str(value.dtype).removeprefix("torch."), tuple(value.shape), value.detach()
    if value.is_meta and value.layout is torch.strided:
        return wire.Meta(dtype, shape) if value.dtype in _NAMES else wire.Opaque(_text(value))
    if value.is_quantized:
        return _quantised(body, plain, dtype, shape)
    layout = str(value.layout).removeprefix("torch.")
    if value.is_meta or layout not in _PARTS_OF:
        return wire.Opaque(f"a tensor of layout {layout}")
    parts = _PARTS_OF[layout](plain)
    if sum(map(_size, parts)) > body.room:
        return wire.Opaque(_text(value), TOO_LARGE)
    if layout == "sparse_coo" and not plain.is_coalesced():
        parts = _PARTS_OF[layout](plain.coalesce())
    nodes = [node for part in parts if isinstance(node := _dense(body, part), wire.Tensor)]
    return wire.Sparse(layout, dtype, shape, nodes) if len(nodes) == len(parts) else wire.Opaque(_text(value))


def _dense(body: Body, value: torch.Tensor) -> wire.Tensor | wire.Opaque:
    name = _NAMES.get(value.dtype)
    if name is None or value.dim() > MAX_DIMENSIONS:
        return wire.Opaque(_text(value))
    if _size(value) > body.room:
        return wire.Opaque(_text(value), TOO_LARGE)
    body.add(raw_bytes(value.detach().cpu()))
    return wire.Tensor(name, tuple(value.shape), value.device.type, value.requires_grad)


def _quantised(body: Body, value: torch.Tensor, dtype: str, shape: tuple[int, ...]) -> wire.Node:
    if _size(value) > body.room:
        return wire.Opaque(_text(value), TOO_LARGE)
    scheme = str(value.qscheme()).removeprefix("torch.")
    codes = _dense(body, value.int_repr())
    scales: float | wire.Tensor | wire.Opaque
    zero_points: int | wire.Tensor | wire.Opaque
    if scheme.startswith("per_tensor"):
        axis, scales, zero_points = -1, value.q_scale(), value.q_zero_point()
    else:
        axis = value.q_per_channel_axis()
        scales = _dense(body, value.q_per_channel_scales())
        zero_points = _dense(body, value.q_per_channel_zero_points())
    if isinstance(codes, wire.Opaque) or isinstance(scales, wire.Opaque) or isinstance(zero_points, wire.Opaque):
        return wire.Opaque(_text(value))
    return wire.Quantised(scheme, dtype, shape, codes, scales, zero_points, axis)


def array(body: Body, value: Any) -> wire.Node:
    """Of a NumPy array or scalar."""
    is_scalar, name = type(value) is not np.ndarray, value.dtype.name
    shape = shape_text(value.shape) if value.ndim <= MAX_DIMENSIONS else f"with {value.ndim} dimensions"
    text = f"a NumPy {name}" if is_scalar else f"a NumPy array of shape {shape} ({name[:40]})"
    if name not in ARRAY_DTYPES or value.ndim > MAX_DIMENSIONS:
        return wire.Opaque(text)
    if value.nbytes > body.room:  # logical, as for tensors
        return wire.Opaque(text, TOO_LARGE)
    body.add(np.asarray(value, ARRAY_DTYPES[name]).tobytes())
    return wire.Array(name, tuple(value.shape), is_scalar)


def raw_bytes(tensor: torch.Tensor) -> bytes:
    """The entries of a dense tensor without a graph, on the CPU, in row-major order."""
    plain = tensor.resolve_conj().resolve_neg() if tensor.is_complex() else tensor
    if plain.is_neg():
        plain = plain.resolve_neg()
    stand_in = _STAND_INS.get(plain.dtype)
    if stand_in is not None:
        plain = plain.contiguous().view(stand_in)
    return plain.numpy().tobytes()


def _size(value: torch.Tensor) -> int:
    """In bytes; logical: an expanded tensor takes less memory."""
    return value.numel() * value.element_size()


def _text(value: torch.Tensor) -> str:
    shape = shape_text(value.shape) if value.dim() <= MAX_DIMENSIONS else f"with {value.dim()} dimensions"
    return f"a tensor of shape {shape} ({str(value.dtype).removeprefix('torch.')})"
