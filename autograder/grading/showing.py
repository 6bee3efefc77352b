"""Values and calls as a student reads them: small matrices with aligned columns, calls with parameter names."""

from __future__ import annotations

import contextlib
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from autograder.grading.comparison import Tolerance, kind_of, mismatches, shape_text
from autograder.results.model import Counterexample, Shown
from autograder.sandbox import shipping
from autograder.sandbox.torch_state import seed_torch
from autograder.sandbox.values import Opaque, Raised

MAX_ROWS, MAX_COLUMNS, MAX_SLICES = 8, 8, 3


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
    tensors = isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor)
    if tensors and expected.shape == got.shape and expected.dtype == got.dtype:
        marks = mismatches(expected, got, tolerance)
    return Counterexample(
        "\n".join(calls),
        tuple(show(value, name) for name, value in inputs),
        show(expected, "expected"),
        show(got, "got", marks),
    )


def call_text(probe: bytes, reference: types.ModuleType, seed: int) -> str:
    """The last call that a probe makes and the shapes of its inputs, on one line."""
    calls, inputs = _recorded(probe, reference, seed)
    shapes = ", ".join(f"{name} of shape {show(value).kind}" for name, value in inputs)
    return f"{calls[-1]}{f' with {shapes}' if shapes else ''}" if calls else ""


def show(value: Any, name: str = "", marks: torch.Tensor | None = None) -> Shown:
    """A value as text. Entries where the boolean tensor `marks` is true are marked with a star."""
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        memory = "" if value.is_contiguous() else f", strides {value.stride()}"
        kind = f"{shape_text(value.shape)} {dtype}{memory}" if value.dim() else dtype
        return Shown(name, kind, _tensor_text(value, marks))
    if isinstance(value, dict):
        parts = [f"{key}:\n{textwrap.indent(show(item).text, '  ')}" for key, item in value.items()]
        return Shown(name, "", "\n".join(parts))
    if isinstance(value, Raised):
        kind = value.type if name == "got" or not value.builtins else value.builtins[0]
        return Shown(name, "", f"an exception ({kind})")
    if isinstance(value, Opaque):
        return Shown(name, "", kind_of(value))
    if isinstance(value, torch.Size):
        value = tuple(value)
    return Shown(name, type(value).__name__, _clipped(repr(value), 400))


def _tensor_text(tensor: torch.Tensor, marks: torch.Tensor | None) -> str:
    tensor = tensor.detach()
    if tensor.numel() == 0:
        return "(no entries)"
    if tensor.dim() < 2:
        return _matrix_text(tensor.reshape(1, -1), None if marks is None else marks.reshape(1, -1))
    if tensor.dim() == 2:
        return _matrix_text(tensor, marks)
    flat = tensor.reshape(-1, *tensor.shape[-2:])
    flat_marks = None if marks is None else marks.reshape(flat.shape)
    indices: Sequence[int] = range(len(flat))
    if flat_marks is not None:  # the slices that differ come first
        indices = flat_marks.flatten(1).any(1).nonzero().flatten()[:MAX_SLICES].tolist() or indices
    blocks = []
    for index in indices[:MAX_SLICES]:
        place = np.unravel_index(index, tensor.shape[:-2])  # PyTorch's imports SymPy, which takes half a second
        title = f"[{', '.join(str(int(part)) for part in place)}]"
        blocks.append(f"{title}\n{_matrix_text(flat[index], None if flat_marks is None else flat_marks[index])}")
    if len(flat) > len(blocks):
        more = len(flat) - len(blocks)
        blocks.append(f"({more} more slice{'s' if more > 1 else ''})")
    return "\n".join(blocks)


def _matrix_text(matrix: torch.Tensor, marks: torch.Tensor | None) -> str:
    rows, columns = matrix.shape
    part = matrix[:MAX_ROWS, :MAX_COLUMNS]
    digits = 4
    texts = [[_number_text(value, digits) for value in row] for row in part.tolist()]
    if marks is not None and marks.any():
        for i, row in enumerate(texts):
            for j in range(len(row)):
                row[j] += "*" if marks[i, j] else " "
    width = max(len(text) for row in texts for text in row)
    lines = ["  ".join(text.rjust(width) for text in row) + ("  …" if columns > MAX_COLUMNS else "") for row in texts]
    if rows > MAX_ROWS:
        lines.append(f"… ({rows} rows)")
    return "\n".join(line.rstrip() for line in lines)


def _number_text(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.{digits}g}"
    return str(value)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


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
        text = _clipped(re.sub(r"\s+", " ", repr(value)), 120 if isinstance(value, torch.nn.Module) else 80)
        return f"{name}={text}" if keyword else text


def _recorded(probe: bytes, reference: types.ModuleType, seed: int) -> tuple[list[str], list[tuple[str, Any]]]:
    recording = _Recording(reference)
    seed_torch(seed)
    # An exception is not a problem here: the check may be about what the reference raises.
    with contextlib.suppress(Exception):
        shipping.loads(probe)(recording)
    calls = recording.calls
    more = [f"({len(calls) - 4} more call{'s' if len(calls) > 5 else ''})"] if len(calls) > 4 else []
    return calls[:4] + more, recording.inputs[:6]
