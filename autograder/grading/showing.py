"""Values and calls as a student reads them: small matrices with aligned columns, calls with parameter names."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from autograder.grading.tolerance import Standard, Tolerance, as_tensor, mismatches, same_dtype, same_shape
from autograder.grading.wording import kind_of, name_of, short, tensor_kind
from autograder.results.matrices import tensor_text
from autograder.results.model import Counterexample, Shown
from autograder.sandbox import shipping
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.torch_state import seeded_generators
from autograder.sandbox.values import (
    ARRAY_DTYPES,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    PARTS,
    Member,
    MetaTensor,
    Opaque,
    QuantisedTensor,
    Raised,
    Record,
    Returned,
    SparseTensor,
    shape_text,
)

MAX_LINES, MAX_CHARACTERS = 60, 400  # of a value with several parts, of a value on one line


def counterexample(
    probe: bytes,
    reference: types.ModuleType,
    seed: int,
    expected: Any,
    got: Any,
    tolerance: Tolerance | None = None,
) -> Counterexample:
    """What was asked, as calls to the student's own functions, and the two values that differ."""
    calls, inputs = _recorded(probe, reference, seed)
    marks = None
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor):
        marks = _marks(expected, got, tolerance)
    elif isinstance(expected, np.ndarray) and isinstance(got, np.ndarray):
        marks = _marks(as_tensor(expected), as_tensor(got), tolerance)
    return Counterexample(
        "\n".join(calls),
        tuple(show(value, name) for name, value in inputs),
        show(expected, "expected"),
        show(got, "got", marks),
    )


def _marks(expected: torch.Tensor, got: torch.Tensor, tolerance: Tolerance | None) -> torch.Tensor | None:
    alike = Standard(dtype=False, shape=False)
    if same_shape(expected, got, alike) and same_dtype(expected, got, alike):
        return mismatches(expected, got, tolerance).reshape(got.shape)
    return None


def call_text(probe: bytes, reference: types.ModuleType, seed: int) -> str:
    """The last call that a probe makes and the shapes of its inputs, on one line."""
    calls, inputs = _recorded(probe, reference, seed)
    shapes = ", ".join(f"{name} of shape {show(value).kind}" for name, value in inputs)
    return f"{calls[-1]}{f' with {shapes}' if shapes else ''}" if calls else ""


def show(value: Any, name: str = "", marks: torch.Tensor | None = None) -> Shown:
    """A value as text, of a bounded length. Entries where the boolean tensor `marks` is true are marked with a star."""
    if isinstance(value, Raised):
        kind = value.type if name == "got" or not value.builtins else value.builtins[0]
        return Shown(name, "", f"an exception ({kind})")
    if isinstance(value, Opaque):
        return Shown(name, "", kind_of(value))
    kind, lines = _kind(value), list(itertools.islice(_lines(value, marks, 0), MAX_LINES + 1))
    if len(lines) > MAX_LINES:
        lines[-1] = "…"
    return Shown(name, kind, "\n".join(lines))


def _kind(value: Any) -> str:
    """A value's kind in a few words; of a tensor and the like: shape, dtype, and what is special about it."""
    if isinstance(value, torch.Tensor):
        other = tensor_kind(value)
        is_usual = bool(other) or value.is_meta or value.is_contiguous()
        memory = "" if is_usual else f", strides {value.stride()}"
        shape = f"{shape_text(value.shape)} " if value.dim() and not value.is_nested else ""
        return f"{shape}{name_of(value.dtype)}{memory}{f' {other}tensor' if other else ''}"
    if isinstance(value, np.ndarray):
        return f"{shape_text(value.shape)} {value.dtype.name[:40]} NumPy array"
    if isinstance(value, np.generic):
        return f"NumPy {value.dtype.name[:40]}"
    if isinstance(value, MetaTensor | SparseTensor | QuantisedTensor):
        return kind_of(value).removeprefix("a ")
    if isinstance(value, Record):
        return value.name
    if isinstance(value, Member):
        return value.enum
    return "" if isinstance(value, dict) else type(value).__name__


def _lines(value: Any, marks: torch.Tensor | None, depth: int) -> Iterator[str]:
    """A value's lines, made one after the other: nobody may want more than the first few."""
    if isinstance(value, np.ndarray) and value.dtype.name in ARRAY_DTYPES and value.ndim <= MAX_DIMENSIONS:
        yield from tensor_text(as_tensor(value), marks).splitlines()
    elif isinstance(value, MetaTensor) or (isinstance(value, torch.Tensor) and value.is_meta):
        yield "(no numbers: it is on the meta device)"
    elif isinstance(value, torch.Tensor) and tensor_kind(value):
        yield from _lines(_plain(value), None, depth)
    elif isinstance(value, torch.Tensor):
        yield from tensor_text(value, marks).splitlines()
    elif depth < MAX_DEPTH and (entries := _entries(value)) is not None:
        for key, item in entries:
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(item, None, depth + 1))
    elif isinstance(value, Opaque):
        yield kind_of(value)
    else:
        yield short(value, MAX_CHARACTERS)


def _entries(value: Any) -> Iterator[tuple[str, Any]] | None:
    """What to show one below the other, with names; None for a value that fits on a line."""
    if isinstance(value, dict) and value:
        return ((key[:60] if type(key) is str else short(key, 60), item) for key, item in value.items())
    if isinstance(value, SparseTensor):
        return zip(PARTS[value.layout], value.parts, strict=False)
    if isinstance(value, QuantisedTensor):
        scales = (("scale", value.scales), ("zero point", value.zero_points))
        return iter((("integers", value.codes), *scales))
    if isinstance(value, Record) and any(map(_is_long, value.values[:MAX_LINES])):
        return zip(value.fields, value.values, strict=True)
    if isinstance(value, list | tuple) and any(map(_is_long, value[:MAX_LINES])):
        return ((f"[{index}]", item) for index, item in enumerate(value))
    return None


def _is_long(value: Any) -> bool:
    """Whether a value needs lines of its own."""
    return isinstance(value, torch.Tensor | np.ndarray | SparseTensor | QuantisedTensor)


def _plain(value: torch.Tensor) -> Any:
    """A tensor that is not dense as its parts."""
    outcome = as_sent(Returned(value)).outcome
    assert isinstance(outcome, Returned)
    return outcome.value


# --- recording what a probe calls ------------------------------------------------------------------------------------


class _Recording:
    """Stands in for the reference module while a probe runs, and notes the calls made on it."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self.calls: list[str] = []
        self.inputs: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        return self._recorded(name, value) if callable(value) else value

    def _recorded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            text = f"{name}({self._arguments(function, args, kwargs)})"
            self.calls.append(text)
            result = function(*args, **kwargs)
            passed_through = any(value is result for value in (*args, *kwargs.values()))
            if isinstance(result, torch.nn.Module) and not passed_through:
                self.calls.remove(text)
                result.register_forward_pre_hook(lambda layer, inputs: self._forward(text, layer, inputs))
            return result

        return call

    def _forward(self, text: str, layer: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        mode = "" if layer.training else "   (in evaluation mode)"
        self.calls.append(f"{text}({self._arguments(layer.forward, inputs, {})}){mode}")

    def _arguments(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        try:
            names = list(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            names = []
        texts = []
        for position, value in enumerate(args):
            name = names[position] if position < len(names) else f"argument {position + 1}"
            texts.append(self._value(name, value, keyword=position > 0))
        texts += [self._value(name, value, keyword=True) for name, value in kwargs.items()]
        return ", ".join(texts)

    def _value(self, name: str, value: Any, *, keyword: bool) -> str:
        if isinstance(value, torch.Tensor):
            if all(name != known for known, _ in self.inputs):
                self.inputs.append((name, value.detach()))
            return name
        text = short(value, 120 if isinstance(value, torch.nn.Module) else 80)
        return f"{name}={text}" if keyword else text


def _recorded(probe: bytes, reference: types.ModuleType, seed: int) -> tuple[list[str], list[tuple[str, Any]]]:
    recording = _Recording(reference)
    # An exception is not a problem here: the check may be about what the reference raises.
    with seeded_generators(seed), contextlib.suppress(Exception):
        shipping.loads(probe)(recording)
    calls = recording.calls
    more = [f"({len(calls) - 4} more call{'s' if len(calls) > 5 else ''})"] if len(calls) > 4 else []
    return calls[:4] + more, recording.inputs[:6]
