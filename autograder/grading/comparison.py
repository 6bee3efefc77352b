"""Are two outcomes the same, and if not, what should a student be told?

Values are the same if their types, dtypes and shapes are, as exactly as the check wants (see `Standard`), and if every
entry is within the dtype's tolerance. On purpose, NaN equals NaN (a reference that returns it means it), −0 equals
0 (no exercise distinguishes them), an infinity equals only itself, `True` is not 1, 2.0 is not 2, and a list equals a
tuple with the same entries.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder.grading.failures import GraderFault
from autograder.grading.tolerance import EXACTLY, Standard, as_tensor, is_same, mismatches, same_dtype, same_shape
from autograder.grading.wording import index_text, kind_of, short
from autograder.sandbox.values import (
    PARTS,
    MetaTensor,
    Opaque,
    Outcome,
    QuantisedTensor,
    Raised,
    Record,
    Returned,
    SparseTensor,
    shape_text,
)

_MANY = 32  # numbers in a list, or characters of a text, that are compared as a whole


NOT_IMPLEMENTED = "This is not implemented yet."


@dataclass(frozen=True)
class Difference:
    """Why two outcomes are not the same: a sentence, and the two values it is about."""

    message: str
    expected: Any
    got: Any
    where: str = ""


def compare(expected: Outcome, got: Outcome, standard: Standard = EXACTLY) -> Difference | None:
    """The first difference between two outcomes, or None if they are the same."""
    if got is expected:
        return None
    if isinstance(expected, Returned):
        if isinstance(got, Returned):
            return _compare(expected.value, got.value, "", standard)
        return Difference(raised_text(got), expected.value, got)
    wanted = expected.builtins[0] if expected.builtins else expected.type
    if isinstance(got, Returned):
        return Difference(
            f"This input is not allowed: your code should raise {wanted}, but it returned normally.",
            expected,
            got.value,
        )
    stub = is_stub(got) and wanted != "NotImplementedError"  # which derives from RuntimeError
    if stub or wanted not in got.builtins:
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
        return NOT_IMPLEMENTED
    text = (
        f"Your code raised {raised.type}: {raised.message[:300]}"
        if raised.message
        else f"Your code raised {raised.type}"
    )
    for frame in reversed(raised.frames):
        return f"{text.rstrip('.')}\n  in {frame.file}, line {frame.line}: {frame.text.strip()}"
    return text


def require_comparable(expected: Outcome) -> None:
    """Raises GraderFault if the reference's outcome contains something that cannot be compared."""
    found = _opaque(expected.value, "") if isinstance(expected, Returned) else None
    if found is not None:
        where, opaque = found
        place = f" ({_subject(where)[0].lower()}{_subject(where)[1:]})" if where else ""
        raise GraderFault(
            f"the reference returns {opaque.what}{place}, which {opaque.why}; "
            "return its values (tensors, numbers, strings, lists, dicts) instead"
        )


def _opaque(value: Any, where: str) -> tuple[str, Opaque] | None:
    if isinstance(value, Opaque):
        return where, value
    entries: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        entries = ((_entry(where, key), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        entries = ((f"{where} [{index}]".strip(), item) for index, item in enumerate(value))
    elif isinstance(value, Record):
        entries = ((f"{where} {name}".strip(), item) for name, item in zip(value.fields, value.values, strict=True))
    elif isinstance(value, slice):
        entries = ((where, part) for part in (value.start, value.stop, value.step))
    return next((found for place, item in entries if (found := _opaque(item, place))), None)


def _compare(expected: Any, got: Any, where: str, standard: Standard) -> Difference | None:
    if isinstance(expected, torch.Tensor):
        return _compare_tensors(expected, got, where, standard)
    if isinstance(expected, list | tuple):
        return _compare_sequences(expected, got, where, standard)
    if isinstance(expected, dict):
        return _compare_mappings(expected, got, where, standard)
    if isinstance(expected, set | frozenset):
        return _compare_sets(expected, got, where, standard)
    both_dtypes = isinstance(expected, np.dtype) and isinstance(got, np.dtype)  # each is of a type of its own
    if (type(expected) is not type(got) and not both_dtypes) or isinstance(expected, Opaque):
        return _other_kind(expected, got, where)
    if isinstance(expected, np.ndarray):
        return _compare_arrays(expected, got, where, standard)
    if isinstance(expected, np.generic):
        return _compare_arrays(np.asarray(expected), np.asarray(got), where, standard)
    if isinstance(expected, Record):
        return _compare_records(expected, got, where, standard)
    if isinstance(expected, SparseTensor | QuantisedTensor | MetaTensor):
        return _compare_parts(expected, got, where, standard)
    if isinstance(expected, slice):
        wanted, found = ([one.start, one.stop, one.step] for one in (expected, got))
        same = _compare(wanted, found, where, standard) is None
    else:
        same = is_same(expected, got, standard.tolerance)
    if same:
        return None
    if isinstance(expected, str | bytes | bytearray) and (count := _common(expected, got)) > _MANY:
        rest = f"it should go on with {short(expected[count:], 60)}, but goes on with {short(got[count:], 60)}"
        unit = "character" if isinstance(expected, str) else "byte"
        return Difference(f"{_subject(where)} is right up to {unit} {count}. Then {rest}.", expected, got, where)
    return Difference(f"{_subject(where)} should be {short(expected)}, but is {short(got)}.", expected, got, where)


def _common(one: Any, other: Any) -> int:
    """How many characters or bytes at the start are the same."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _other_kind(expected: Any, got: Any, where: str) -> Difference:
    return Difference(f"{_subject(where)} should be {kind_of(expected)}, but is {kind_of(got)}.", expected, got, where)


def _compare_tensors(expected: torch.Tensor, got: Any, where: str, standard: Standard) -> Difference | None:
    subject = _subject(where)
    if not isinstance(got, torch.Tensor):
        if got is None and "gradient" in where:
            return Difference(f"No gradient flows back: {subject.lower()} is None.", expected, got, where)
        return _other_kind(expected, got, where)
    if not same_shape(expected, got, standard):
        shapes = f"{shape_text(expected.shape)}, but has shape {shape_text(got.shape)}"
        return Difference(f"{subject} should have shape {shapes}.", expected, got, where)
    dtypes = f"dtype {expected.dtype}, but has {got.dtype}" if expected.dtype != got.dtype else ""
    comparable = not dtypes or all(tensor.dtype.is_floating_point for tensor in (expected, got))
    wrong = mismatches(expected, got, standard.tolerance) if comparable else torch.tensor(False)
    count = int(wrong.sum())
    if not same_dtype(expected, got, standard):
        too = " Its values are not right either." if count else ""
        return Difference(f"{subject} should have {dtypes}.{too}", expected, got, where)
    if count == 0:
        return None
    total, first = wrong.numel(), tuple(int(index) for index in wrong.nonzero()[0])
    entries = f"{count} of {total} entries differ (marked *)" if total > 1 else "The value differs"
    should, is_ = _distinct(expected[first].item(), got.reshape(expected.shape)[first].item())
    place = f"at {index_text(first)} it should be" if first else "it should be"
    message = f"{entries}: {place} {should}, but is {is_}."
    if where:
        message = f"{subject}: {message[0].lower()}{message[1:]}"
    if dtypes:
        message += f" Besides, it should have {dtypes}."
    return Difference(message, expected, got, where)


def _compare_arrays(expected: Any, got: Any, where: str, standard: Standard) -> Difference | None:
    difference = _compare_tensors(as_tensor(expected), as_tensor(got), where, standard)
    if difference is None:
        return None
    message = difference.message.replace(" torch.", " ")  # the names of dtypes
    return Difference(message, expected, got, where)


def _compare_sequences(
    expected: list[Any] | tuple[Any, ...], got: Any, where: str, standard: Standard
) -> Difference | None:
    entries = got.values if isinstance(got, Record) and got.kind == "named tuple" else got
    if not isinstance(entries, list | tuple):
        return _other_kind(expected, got, where)
    if len(expected) != len(entries):
        lengths = f"{len(expected)} entries, but has {len(entries)}"
        return Difference(f"{_subject(where)} should have {lengths}.", expected, got, where)
    first = 0
    if (
        len(expected) >= _MANY
        and (many := _numbers(expected)) is not None
        and (others := _numbers(entries)) is not None
    ):
        wrong = mismatches(many, others, standard.tolerance) if many.dtype == others.dtype else None
        if wrong is not None:
            if not wrong.any():
                return None
            first = int(wrong.nonzero()[0])
    for index in range(first, len(expected)):
        if difference := _compare(expected[index], entries[index], f"{where} [{index}]".strip(), standard):
            return difference
    return None


def _numbers(values: list[Any] | tuple[Any, ...]) -> torch.Tensor | None:
    """A long list of numbers of one type as a tensor, to be compared as a whole."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        with contextlib.suppress(OverflowError, RuntimeError):  # beyond 64 bits
            dtype = {bool: torch.bool, int: torch.int64, float: torch.float64}[kinds.pop()]
            return torch.tensor(values, dtype=dtype)
    return None


def _compare_mappings(expected: dict[Any, Any], got: Any, where: str, standard: Standard) -> Difference | None:
    if not isinstance(got, dict):
        return _other_kind(expected, got, where)
    wanted, found = _by_exact_key(expected), _by_exact_key(got)
    if wanted.keys() != found.keys():
        return _other_keys(expected, got, wanted, found, where)
    for key, name in wanted.items():
        if difference := _compare(expected[name], got[found[key]], _entry(where, name), standard):
            return difference
    return None


def _other_keys(expected: Any, got: Any, wanted: dict[Any, Any], found: dict[Any, Any], where: str) -> Difference:
    missing = [name for key, name in wanted.items() if key not in found]
    extra = [name for key, name in found.items() if key not in wanted]
    lacks = f" lacks {_listed(missing)}" if missing else ""
    holds = f" should not contain {_listed(extra)}" if extra else ""
    text = f"{_subject(where)}{lacks}{' and' if lacks and holds else ''}{holds}."
    return Difference(text, expected, got, where)


def _listed(keys: list[Any]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(short(key, 60) for key in keys[:5]) + more


def _compare_sets(expected: Any, got: Any, where: str, standard: Standard) -> Difference | None:
    if not isinstance(got, set | frozenset):
        return _other_kind(expected, got, where)
    wanted, found = ({_exact(entry): entry for entry in entries} for entries in (expected, got))
    if wanted.keys() == found.keys():
        return None
    if len(expected) == len(got) and all(type(entry) is float for entry in (*expected, *got)):
        pairs = zip(sorted(expected), sorted(got), strict=True)
        if all(is_same(one, other, standard.tolerance) for one, other in pairs):
            return None
    return _other_keys(expected, got, wanted, found, where)


def _by_exact_key(mapping: dict[Any, Any]) -> dict[Any, Any]:
    """A mapping's keys by what must be the same about them."""
    return {key if type(key) is str else _exact(key): key for key in mapping}


def _exact(key: Any) -> Any:
    """What must be the same about two keys or entries: for Python, True is 1 and 1.0, and NaN is not NaN."""
    if isinstance(key, tuple):
        return tuple(map(_exact, key))
    if isinstance(key, frozenset):
        return frozenset(map(_exact, key))
    if isinstance(key, Record):
        return key.kind, key.name, key.fields, tuple(map(_exact, key.values))
    return type(key), repr(key) if key != key else key


def _compare_records(expected: Record, got: Record, where: str, standard: Standard) -> Difference | None:
    if (expected.kind, expected.name) != (got.kind, got.name):
        return _other_kind(expected, got, where)
    if expected.fields != got.fields:
        names = f"the fields {', '.join(expected.fields)}, but has {short(list(got.fields))}"
        return Difference(f"{_subject(where)} should have {names}.", expected, got, where)
    for name, one, other in zip(expected.fields, expected.values, got.values, strict=True):
        if difference := _compare(one, other, f"{where} {name}".strip(), standard):
            return difference
    return None


def _compare_parts(expected: Any, got: Any, where: str, standard: Standard) -> Difference | None:
    """Of two sparse, quantised or meta tensors."""
    if kind_of(expected) != kind_of(got):
        return _other_kind(expected, got, where)
    (names, parts), (_, others) = _parts(expected), _parts(got)
    for name, one, other in zip(names, parts, others, strict=True):
        if difference := _compare(one, other, f"{where} {name}".strip(), standard):
            return difference
    return None


def _parts(tensor: SparseTensor | QuantisedTensor | MetaTensor) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Names and values of what two tensors of the same kind, shape and dtype can differ in."""
    if isinstance(tensor, SparseTensor):
        return PARTS[tensor.layout], tensor.parts
    if isinstance(tensor, MetaTensor):
        return (), ()
    names = ("scheme", "scale", "zero point", "axis", "integers")
    return names, (tensor.scheme, tensor.scales, tensor.zero_points, tensor.axis, tensor.codes)


def _entry(where: str, key: Any) -> str:
    return f"{where} {key if type(key) is str else short(key, 60)}"[:200].strip()


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
