"""Values in words: what kind of thing they are, and on one line. The work is bounded by the length of the text."""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np
import torch

from autograder.sandbox.values import (
    MAX_DEPTH,
    MAX_DIMENSIONS,
    Member,
    MetaTensor,
    Opaque,
    QuantisedTensor,
    Record,
    SparseTensor,
    shape_text,
)

MOST_CHARACTERS = 200
_INLINE_ENTRIES = 8
_MAX_BITS = 4000  # of an integer: Python refuses to write longer ones


def kind_of(value: Any) -> str:
    """A value's kind in words: "a tensor of shape 2×3 (float32)", "an int", "None"."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor) and value.is_nested:  # it has no shape
        return f"a nested tensor ({name_of(value.dtype)})"
    if isinstance(value, torch.Tensor):
        return f"a {tensor_kind(value)}tensor of shape {shape_text(value.shape)} ({name_of(value.dtype)})"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {shape_text(value.shape)} ({value.dtype.name[:40]})"
    if isinstance(value, np.generic):
        return f"a NumPy {value.dtype.name[:40]}"
    if isinstance(value, MetaTensor):
        return f"a tensor of shape {shape_text(value.shape)} ({name_of(value.dtype)}) on the meta device"
    if isinstance(value, SparseTensor):
        kind = value.layout.removeprefix("sparse_").upper()
        return f"a sparse tensor of shape {shape_text(value.shape)} ({name_of(value.dtype)}, {kind})"
    if isinstance(value, QuantisedTensor):
        return f"a quantised tensor of shape {shape_text(value.shape)} ({value.dtype})"
    if isinstance(value, Record):
        return f"a {value.kind} {value.name}"
    if isinstance(value, Member):
        return f"a member of the enum {value.enum}"
    if isinstance(value, Opaque):
        return f"{value.what}, which {value.why}"
    if isinstance(value, np.dtype):
        return "a NumPy dtype"
    return with_article(type(value).__name__)


def with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}"


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def tensor_kind(tensor: torch.Tensor) -> str:
    """What is special about a tensor, before the word; usually nothing."""
    if tensor.is_nested:
        return "nested "
    return "sparse " if tensor.layout is not torch.strided else "quantised " if tensor.is_quantized else ""


def index_text(index: tuple[int, ...]) -> str:
    """ "row 0, column 1" for two dimensions, "[2, 0, 1]" otherwise; counted from 0 as Python does."""
    return f"row {index[0]}, column {index[1]}" if len(index) == 2 else f"index {list(index)}"


def short(value: Any, most: int = MOST_CHARACTERS) -> str:
    """A value on one line, as Python writes it, at most so many characters. Whatever follows is not even looked at."""
    parts, size = [], 0
    for part in _parts(value, most, 0):
        parts.append(part)
        size += len(part)
        if size > most:
            return "".join(parts)[: most - 1] + "…"
    return "".join(parts)


def _parts(value: Any, most: int, depth: int) -> Iterator[str]:
    if isinstance(value, (str, bytes, bytearray)):
        yield repr(value[: most + 1])
    elif isinstance(value, enum.Enum):
        yield f"{type(value).__name__}.{value.name}"
    elif isinstance(value, int) and abs(value).bit_length() > _MAX_BITS:
        yield f"an integer of {value.bit_length()} bits"
    elif isinstance(value, Member):
        yield f"{value.enum}.{value.name}"
    elif isinstance(value, (np.dtype, np.generic)):
        yield f"np.{value!r}".replace("np.np.", "np.")
    elif isinstance(value, (torch.Tensor, np.ndarray)) and _is_small(value):
        name = "tensor" if isinstance(value, torch.Tensor) else "array"
        yield f"{name}({short(value.tolist(), most)})"
    elif isinstance(value, (torch.Tensor, np.ndarray, MetaTensor, SparseTensor, QuantisedTensor, Opaque)):
        yield f"<{kind_of(value)}>"
    elif depth > MAX_DEPTH:
        yield "…"
    elif isinstance(value, Record):
        fields = zip(value.fields, value.values, strict=True)
        yield from _joined(f"{value.name}(", (((f"{name}=", item)) for name, item in fields), ")", most, depth)
    elif type(value) is range:
        yield f"range({short(value.start)}, {short(value.stop)}, {short(value.step)})"
    elif type(value) is slice:
        yield from _joined("slice(", (("", part) for part in (value.start, value.stop, value.step)), ")", most, depth)
    elif isinstance(value, list) or type(value) in (tuple, torch.Size):
        start, end = ("[", "]") if isinstance(value, list) else ("(", ",)" if len(value) == 1 else ")")
        yield from _joined(start, (("", item) for item in value), end, most, depth)
    elif isinstance(value, Set) and not value:
        yield "set()"
    elif isinstance(value, Set):
        yield from _joined("{", (("", item) for item in value), "}", most, depth)
    elif isinstance(value, Mapping):
        items = ((f"{short(key, most)}: ", item) for key, item in value.items())
        yield from _joined("{", items, "}", most, depth)
    else:
        yield _one_line(value)


def _joined(start: str, items: Iterable[tuple[str, Any]], end: str, most: int, depth: int) -> Iterator[str]:
    yield start
    for position, (before, item) in enumerate(items):
        yield f"{', ' if position else ''}{before}"
        yield from _parts(item, most, depth + 1)
    yield end


def _is_small(value: torch.Tensor | np.ndarray[Any, Any]) -> bool:
    if isinstance(value, np.ndarray):
        plain = value.ndim <= MAX_DIMENSIONS and value.dtype.kind in "biufc"
    else:
        plain = not tensor_kind(value) and not value.is_meta
    # As lists: an empty one can have a billion rows.
    return plain and math.prod(max(extent, 1) for extent in value.shape) <= _INLINE_ENTRIES


def _one_line(value: object) -> str:
    try:
        return " ".join(itertools.islice(repr(value).split(), 1000))
    except Exception:
        return f"<{with_article(type(value).__name__)}>"
