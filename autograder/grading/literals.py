"""Values as Python source that needs nothing but torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from autograder.sandbox.values import DTYPES

MOST_ENTRIES = 300  # of a tensor that is written out
TOO_LARGE = "its values are too large to be written down"
NOT_TORCH = "its inputs are not plain tensors, numbers and layers"

_NUMPY = {torch.float16: np.float16, torch.float32: np.float32, torch.bfloat16: np.float32}
_USUAL = (torch.float32, torch.int64, torch.bool)  # what `torch.tensor` makes of floats, ints and bools


class NotPlain(Exception):
    """What a check does cannot be written as plain Python; the text says why, as a clause about the check."""


def literal(value: Any) -> str:
    """A number, text, dtype, or a list, tuple, set, dict or slice of those.

    Raises:
        NotPlain: it is something else.
    """
    if value is None or isinstance(value, bool | int | str | bytes):
        return ascii(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, complex):
        return f"complex({number_text(value.real)}, {number_text(value.imag)})"
    if isinstance(value, torch.dtype | torch.layout | torch.memory_format):
        return str(value)
    if isinstance(value, torch.device):
        return f"torch.device({str(value)!r})"
    if isinstance(value, torch.Tensor):
        return tensor_text(value)(False)
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, range):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if type(value) in (tuple, torch.Size):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, set | frozenset) and value:
        return "{" + ", ".join(sorted(map(literal, value))) + "}"
    raise NotPlain(NOT_TORCH)


def number_text(number: float, dtype: torch.dtype = torch.float64) -> str:
    """The shortest text that is this number in that precision."""
    if not math.isfinite(number):
        return "torch.nan" if number != number else "torch.inf" if number > 0 else "-torch.inf"
    kind = _NUMPY.get(dtype)
    return repr(float(str(kind(number)))) if kind else repr(number)


def tensor_text(tensor: torch.Tensor) -> Callable[[bool], str]:
    """A function that writes the tensor as it is now: with its numbers, or (if it is called with True and the tensor
    has more than a few) as random numbers of the same kind.

    Raises:
        NotPlain: it is not a plain tensor of the CPU.
    """
    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout is torch.strided
    if not plain or tensor.device.type != "cpu" or tensor.is_quantized or tensor.dtype not in DTYPES.values():
        raise NotPlain(NOT_TORCH)
    still, strides, leaf = tensor.detach().clone(), tensor.stride(), tensor.requires_grad and tensor.is_leaf
    row_by_row = tensor.is_contiguous() or 0 in strides

    def write(recipe: bool) -> str:
        large = recipe and still.numel() > _FEW
        if still.numel() > MOST_ENTRIES and not recipe and 0 not in strides and not _is_constant(still):
            raise NotPlain(TOO_LARGE)
        text = _recipe(still) if large else _numbers(still, strides)
        if 0 in strides and not large:
            text = f"{text}.expand{_shape(still.shape)}"
        elif not row_by_row:
            parts = f"{tuple(still.shape)}, {strides}{_dtype(still, torch.float32)}"
            text = f"torch.empty_strided({parts}).copy_({text})"
        return f"{text}.requires_grad_()" if leaf else text

    return write


_FEW = 16


def _numbers(tensor: torch.Tensor, strides: Sequence[int]) -> str:
    if 0 in strides:
        tensor = tensor[tuple(slice(0, 1) if step == 0 else slice(None) for step in strides)]
    if not tensor.numel():
        return f"torch.zeros({tuple(tensor.shape)}{_dtype(tensor, torch.float32)})"
    if _is_constant(tensor):
        return f"torch.full({tuple(tensor.shape)}, {_entries(tensor.flatten()[0])}{_dtype(tensor, *_USUAL)})"
    return f"torch.tensor({_entries(tensor)}{_dtype(tensor, *_USUAL)})"


def _is_constant(tensor: torch.Tensor) -> bool:
    return tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all())


def _entries(tensor: torch.Tensor) -> str:
    if tensor.dim():
        return f"[{', '.join(map(_entries, tensor))}]"
    if tensor.dtype.is_floating_point:
        return number_text(float(tensor), tensor.dtype)
    return literal(tensor.item())


def _recipe(tensor: torch.Tensor) -> str:
    """Random numbers of the same shape, dtype and signs."""
    shape, dtype = tuple(tensor.shape), _dtype(tensor, torch.float32)
    if tensor.dtype is torch.bool:
        return f"(torch.rand({shape}) < 0.5)"
    if not tensor.dtype.is_floating_point and not tensor.dtype.is_complex:
        return f"torch.randint({int(tensor.min())}, {int(tensor.max()) + 1}, {shape}{_dtype(tensor, torch.int64)})"
    positive = tensor.dtype.is_floating_point and bool((tensor >= 0).all())
    return f"torch.{'rand' if positive else 'randn'}({shape}{dtype})"


def _dtype(tensor: torch.Tensor, *usual: torch.dtype) -> str:
    return "" if tensor.dtype in usual else f", dtype={tensor.dtype}"


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"


def module_text(module: torch.nn.Module) -> Callable[[bool], str]:
    """A function that writes a layer of PyTorch, or a sequence of layers, as it is constructed.

    Raises:
        NotPlain: it is another module.
    """
    text, modes = _constructed(module), {each.training for each in module.modules()}
    if len(modes) > 1:
        raise NotPlain(NOT_TORCH)
    return lambda _: text if module.training else f"{text}.eval()"


def _constructed(module: torch.nn.Module) -> str:
    name = type(module).__name__
    if getattr(torch.nn, name, None) is not type(module):
        raise NotPlain(NOT_TORCH)
    children = dict(module.named_children())
    if type(module) is torch.nn.Sequential and list(children) == [str(number) for number in range(len(children))]:
        text = f"torch.nn.Sequential({', '.join(map(_constructed, children.values()))})"
    elif children:
        raise NotPlain(NOT_TORCH)
    else:
        text = f"torch.nn.{name}({module.extra_repr()})"
        try:
            alike = repr(eval(text, {"torch": torch})) == repr(module)
        except Exception:
            alike = False
        if not alike:
            raise NotPlain(NOT_TORCH)
    return text
