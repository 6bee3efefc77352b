"""Are two outcomes the same, and if not, what should a student be told?

Values are the same if their types, dtypes and shapes are and every entry is within the dtype's tolerance. On purpose,
NaN equals NaN (a reference that returns it means it), −0 equals 0 (no exercise distinguishes them), an infinity equals
only itself, `True` is not 1, 2.0 is not 2, and a list equals a tuple with the same entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from autograder.sandbox.values import Opaque, Outcome, Raised, Returned


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
}
_EXACT = Tolerance(0.0, 0.0)


@dataclass(frozen=True)
class Difference:
    """Why two outcomes are not the same: a sentence, and the two values it is about."""

    message: str
    expected: Any
    got: Any
    where: str = ""


def compare(expected: Outcome, got: Outcome, tolerance: Tolerance | None = None) -> Difference | None:
    """The first difference between two outcomes, or None if they are the same."""
    if got is expected:
        return None
    if isinstance(expected, Returned):
        if isinstance(got, Returned):
            return _compare(expected.value, got.value, "", tolerance)
        return Difference(raised_text(got), expected.value, got)
    wanted = expected.builtins[0] if expected.builtins else expected.type
    if isinstance(got, Returned):
        return Difference(
            f"This input is not allowed: your code should raise {wanted}, but it returned normally.",
            expected,
            got.value,
        )
    if wanted not in got.builtins:
        return Difference(f"This input should raise {wanted}. {raised_text(got)}", expected, got)
    if wanted == "ValueError" and not got.message.strip():
        return Difference("The ValueError has no message: say what is wrong with the input.", expected, got)
    return None


def is_stub(outcome: Outcome) -> bool:
    """Whether this is what the skeleton raises where students are to write their code."""
    return isinstance(outcome, Raised) and outcome.type == "NotImplementedError" and not outcome.message


def raised_text(raised: Raised) -> str:
    """What a student reads about an exception in their own code: of the traceback, only their own lines."""
    if is_stub(raised):
        return "This is not implemented yet."
    text = (
        f"Your code raised {raised.type}: {raised.message[:300]}"
        if raised.message
        else f"Your code raised {raised.type}"
    )
    for frame in reversed(raised.frames):
        return f"{text.rstrip('.')}\n  in {frame.file}, line {frame.line}: {frame.text.strip()}"
    return text


def _compare(expected: Any, got: Any, where: str, tolerance: Tolerance | None) -> Difference | None:
    if isinstance(expected, torch.Tensor):
        return _compare_tensors(expected, got, where, tolerance)
    if isinstance(expected, list | tuple):
        return _compare_sequences(expected, got, where, tolerance)
    if isinstance(expected, dict):
        return _compare_mappings(expected, got, where, tolerance)
    if type(expected) is not type(got):
        return Difference(
            f"{_subject(where)} should be {kind_of(expected)}, but is {kind_of(got)}.", expected, got, where
        )
    if isinstance(expected, float):
        bound = tolerance or TOLERANCES[torch.float64]
        limit = bound.relative * abs(expected) + bound.absolute * max(1.0, abs(expected))
        near = math.isfinite(expected) and math.isfinite(got) and abs(expected - got) <= limit
        same = near or expected == got or (math.isnan(expected) and math.isnan(got))
    else:
        same = expected == got
    if same:
        return None
    return Difference(f"{_subject(where)} should be {expected!r}, but is {got!r}.", expected, got, where)


def _compare_tensors(expected: torch.Tensor, got: Any, where: str, tolerance: Tolerance | None) -> Difference | None:
    subject = _subject(where)
    if not isinstance(got, torch.Tensor):
        if got is None and "gradient" in where:
            return Difference(f"No gradient flows back: {subject.lower()} is None.", expected, got, where)
        return Difference(f"{subject} should be {kind_of(expected)}, but is {kind_of(got)}.", expected, got, where)
    if expected.shape != got.shape:
        shapes = f"{shape_text(expected.shape)}, but has shape {shape_text(got.shape)}"
        return Difference(f"{subject} should have shape {shapes}.", expected, got, where)
    if expected.dtype != got.dtype:
        return Difference(f"{subject} should have dtype {expected.dtype}, but has {got.dtype}.", expected, got, where)
    wrong = mismatches(expected, got, tolerance)
    count = int(wrong.sum())
    if count == 0:
        return None
    total, first = wrong.numel(), tuple(int(index) for index in wrong.nonzero()[0])
    entries = f"{count} of {total} entries differ (marked *)" if total > 1 else "The value differs"
    should, is_ = _distinct(expected[first].item(), got[first].item())
    place = f"at {index_text(first)} it should be" if first else "it should be"
    message = f"{entries}: {place} {should}, but is {is_}."
    if where:
        message = f"{subject}: {message[0].lower()}{message[1:]}"
    return Difference(message, expected, got, where)


def mismatches(expected: torch.Tensor, got: torch.Tensor, tolerance: Tolerance | None = None) -> torch.Tensor:
    """Boolean tensor, true where entries of two tensors of equal shape and dtype are not the same."""
    expected, got = expected.detach(), got.detach()
    bound = tolerance or TOLERANCES.get(expected.dtype, _EXACT)
    if bound is _EXACT or not (expected.is_floating_point() or expected.is_complex()):
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


def _compare_sequences(
    expected: list[Any] | tuple[Any, ...], got: Any, where: str, tolerance: Tolerance | None
) -> Difference | None:
    if not isinstance(got, list | tuple):
        return Difference(
            f"{_subject(where)} should be {kind_of(expected)}, but is {kind_of(got)}.", expected, got, where
        )
    if len(expected) != len(got):
        lengths = f"{len(expected)} entries, but has {len(got)}"
        return Difference(f"{_subject(where)} should have {lengths}.", expected, got, where)
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        if difference := _compare(one, other, f"{where} [{index}]".strip(), tolerance):
            return difference
    return None


def _compare_mappings(expected: dict[Any, Any], got: Any, where: str, tolerance: Tolerance | None) -> Difference | None:
    if not isinstance(got, dict):
        return Difference(
            f"{_subject(where)} should be {kind_of(expected)}, but is {kind_of(got)}.", expected, got, where
        )
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing or extra:
        lacks = f" lacks {', '.join(map(repr, missing[:5]))}" if missing else ""
        holds = f" should not contain {', '.join(map(repr, extra[:5]))}" if extra else ""
        text = f"{_subject(where)}{lacks}{' and' if lacks and holds else ''}{holds}."
        return Difference(text, expected, got, where)
    for key, value in expected.items():
        if difference := _compare(value, got[key], f"{where} {key}".strip(), tolerance):
            return difference
    return None


def kind_of(value: Any) -> str:
    """A value's kind in words: "a tensor of shape 2×3 (float32)", "an int", "None"."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {shape_text(value.shape)} ({str(value.dtype).removeprefix('torch.')})"
    if isinstance(value, Opaque):
        return value.what if value.what.startswith(("a ", "an ")) else f"a {value.what} (not a plain value)"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def shape_text(shape: torch.Size | tuple[int, ...]) -> str:
    """ "2×3"; with fewer than two extents, as Python writes it."""
    return "×".join(map(str, shape)) if len(shape) > 1 else str(tuple(shape))


def index_text(index: tuple[int, ...]) -> str:
    """ "row 0, column 1" for two dimensions, "[2, 0, 1]" otherwise; counted from 0 as Python does."""
    return f"row {index[0]}, column {index[1]}" if len(index) == 2 else f"index {list(index)}"


def _distinct(expected: Any, got: Any) -> tuple[str, str]:
    """Two numbers with just enough digits to show that they differ."""
    if not isinstance(expected, float) or not isinstance(got, float):
        return str(expected), str(got)
    for digits in (4, 7, 10, 17):
        one, other = (f"{number + 0.0:.{digits}g}" for number in (expected, got))  # no −0
        if one != other:
            break
    return one, other


def _subject(where: str) -> str:
    if where == "gradient":
        return "The gradient (of a weighted sum of the results)"
    return f"The {where}" if where and where[0].isalpha() else f"Entry {where}" if where else "The result"
