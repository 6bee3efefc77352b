"""Tensors as people read them: small matrices with aligned columns, in which entries may be marked with a star."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

MAX_ROWS, MAX_COLUMNS, MAX_SLICES = 8, 8, 3
_DIGITS = 4


def tensor_text(tensor: torch.Tensor, marks: torch.Tensor | None = None) -> str:
    """A dense tensor's numbers, of a bounded length. Entries where the boolean tensor `marks` is true get a star."""
    tensor = tensor.detach()
    if tensor.numel() == 0:
        return "(no entries)"
    if tensor.dim() < 2:
        return _matrix_text(tensor.reshape(1, -1), None if marks is None else marks.reshape(1, -1))
    if tensor.dim() == 2:
        return _matrix_text(tensor, marks)
    outer = tensor.shape[:-2]  # `tensor` itself is not reshaped: an expanded one might not fit in memory
    count = math.prod(outer)
    flat_marks = None if marks is None else marks.reshape(count, *tensor.shape[-2:])
    indices: Sequence[int] = range(count)
    if flat_marks is not None:  # the slices that differ come first
        indices = flat_marks.flatten(1).any(1).nonzero().flatten()[:MAX_SLICES].tolist() or indices
    blocks = []
    for index in indices[:MAX_SLICES]:
        # PyTorch's own function imports SymPy, which takes half a second.
        place = tuple(int(part) for part in np.unravel_index(index, outer))
        title = f"[{', '.join(map(str, place))}]"
        blocks.append(f"{title}\n{_matrix_text(tensor[place], None if flat_marks is None else flat_marks[index])}")
    if count > len(blocks):
        more = count - len(blocks)
        blocks.append(f"({more} more slice{'s' if more > 1 else ''})")
    return "\n".join(blocks)


def _matrix_text(matrix: torch.Tensor, marks: torch.Tensor | None) -> str:
    rows, columns = matrix.shape
    part = matrix[:MAX_ROWS, :MAX_COLUMNS]
    texts = [[_number_text(value) for value in row] for row in part.tolist()]
    if marks is not None and marks.any():
        for i, row in enumerate(texts):
            for j in range(len(row)):
                row[j] += "*" if marks[i, j] else " "
    width = max(len(text) for row in texts for text in row)
    lines = ["  ".join(text.rjust(width) for text in row) + ("  …" if columns > MAX_COLUMNS else "") for row in texts]
    if rows > MAX_ROWS:
        lines.append(f"… ({rows} rows)")
    return "\n".join(line.rstrip() for line in lines)


def _number_text(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.{_DIGITS}g}"
    return f"{value:.{_DIGITS}g}" if isinstance(value, complex) else str(value)
