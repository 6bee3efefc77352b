"""The worker's side of the wire: answers as bytes. What cannot be compared becomes an `Opaque` that names it.

Only exact types count. Of the student's own classes, the fields of dataclasses and named tuples and the names of enums
are read, past whatever the class says about attributes: it can change nothing but its own answer.
"""

from __future__ import annotations

import array
import collections
import enum
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from autograder.sandbox import tensors, wire
from autograder.sandbox.framing import MAX_HEADER, Buffer
from autograder.sandbox.tensors import TOO_LARGE, Body
from autograder.sandbox.values import (
    ARRAY_DTYPES,
    MAX_ANSWERS_BYTES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_NUMBERS,
    UNKNOWN_BYTES,
    Answer,
    Known,
    Outcome,
    Raised,
)

_MAX_HEADER = MAX_HEADER // 4  # of one outcome, and of all but the last one in a frame
_TOO_MANY = "has too many entries to be compared"


class Encoding:
    """A frame of answers under construction. Each is encoded when added: what runs next may change its tensors."""

    def __init__(self, ticket: int) -> None:
        self._ticket = ticket
        self._answers: list[wire.Answer] = []
        self._body: list[Buffer] = []
        self._header_size = self._body_size = 0

    def add(self, answer: Answer, most: int = UNKNOWN_BYTES) -> None:
        """`answer` may contain any Python value at all; its tensors and long texts may have `most` bytes."""
        header, chunks = _encode(answer.outcome, most)
        size = sum(map(len, chunks))
        self._header_size += len(header)
        self._body_size += size
        self._body += chunks
        self._answers.append(wire.Answer(header, size, answer.work))

    @property
    def is_full(self) -> bool:
        """Whether the next answer needs a new frame."""
        return self._body_size > MAX_ANSWERS_BYTES or self._header_size > _MAX_HEADER

    def frame(self) -> tuple[bytes, list[Buffer]]:
        """Header and body."""
        return wire.encoder.encode(wire.Answers(self._ticket, self._answers)), self._body


def encode(ticket: int, answer: Answer, most: int = UNKNOWN_BYTES) -> tuple[bytes, list[Buffer]]:
    """Header and body of a frame with one answer (see `Encoding.add`)."""
    encoding = Encoding(ticket)
    encoding.add(answer, most)
    return encoding.frame()


def known(outcome: Outcome) -> Known:
    """Makes an outcome recognisable in a frame that contains it."""
    header, chunks = _encode(outcome, MAX_BYTES)
    return Known(outcome, header, bytearray().join(chunks))


def _encode(outcome: Outcome, most: int) -> tuple[bytes, list[bytes]]:
    if isinstance(outcome, Raised):
        return wire.encoder.encode(outcome), []
    nodes = _Nodes(most)
    try:
        header = wire.encoder.encode(wire.Returned(nodes.node(outcome.value, 0)))
        if len(header) > _MAX_HEADER:
            raise _TooMuch
    except _TooMuch:
        why = f"is nested too deeply (more than {MAX_DEPTH} levels) or {_TOO_MANY}"
        return wire.encoder.encode(wire.Returned(wire.Opaque("a value", why))), []
    except Exception as error:  # storage that is gone, a mapping that changes while it is read
        why = f"cannot be read ({_name(type(error))})"
        return wire.encoder.encode(wire.Returned(wire.Opaque(_described(type(outcome.value)), why))), []
    return header, nodes.body.chunks


class _TooMuch(Exception):
    """The value as a whole exceeds what the judge would decode."""


class _Nodes:
    def __init__(self, most: int) -> None:
        self.body = Body(most)
        self.left = MAX_NODES
        self.numbers = MAX_NUMBERS

    def node(self, value: Any, depth: int) -> wire.Node:
        # Types are compared by identity: `__class__`, subclasses, metaclasses and duck types do not matter here.
        kind = type(value)
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise _TooMuch
        if value is None or kind is bool or kind is float:
            return value  # type: ignore[no-any-return]
        if kind is int:
            return _integer(value)
        if kind is str:
            return value if len(value) <= wire.TEXT_INLINE and value.isascii() else self._text(value)
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            return tensors.tensor(self.body, value)
        if kind is list or kind is tuple:
            return self._sequence(value, depth)
        if kind is dict:
            return self._mapping(value, depth)
        exact = _EXACT.get(id(kind))
        return exact(self, value, depth) if exact is not None else self._instance(kind, value, depth)

    # --- numbers and text ------------------------------------------------------------------------------------------

    def _text(self, value: str) -> wire.Node:
        if len(value) > self.body.room:
            return wire.Opaque(f"a str of {len(value)} characters", TOO_LARGE)
        try:
            data = value.encode()
        except UnicodeEncodeError:
            return wire.Opaque("a str that is not valid Unicode")
        if len(value) <= wire.TEXT_INLINE:
            return value
        if len(data) > self.body.room:
            return wire.Opaque(f"a str of {len(value)} characters", TOO_LARGE)
        self.body.add(data)
        return wire.Text(len(data))

    def _bytes(self, value: bytes | bytearray, depth: int) -> wire.Node:  # noqa: ARG002
        if len(value) > self.body.room:
            return wire.Opaque(f"a {type(value).__name__} of {len(value)} bytes", TOO_LARGE)
        self.body.add(bytes(value))
        return wire.Bytes(len(value), type(value) is bytearray)

    def _array(self, value: Any, depth: int) -> wire.Node:  # noqa: ARG002
        return tensors.array(self.body, value)

    def _complex(self, value: complex, depth: int) -> wire.Node:  # noqa: ARG002
        return wire.Complex(value.real, value.imag)

    # --- containers ------------------------------------------------------------------------------------------------

    def _sequence(self, value: Any, depth: int) -> wire.Node:
        items, is_tuple = list(value), type(value) is not list
        if len(items) >= wire.PACKED_FROM and (packed := self._packed(items, is_tuple)) is not None:
            return packed
        if len(items) > self.left:
            return wire.Opaque(f"a {_name(type(value))} of {len(items)} entries", _TOO_MANY)
        return wire.Sequence(is_tuple, [self.node(item, depth + 1) for item in items])

    def _packed(self, items: list[Any], is_tuple: bool) -> wire.Numbers | wire.Opaque | None:
        """Numbers of one type as bytes; None if they are something else."""
        kind = type(items[0])
        code = "d" if kind is float else "q" if kind is int else "?" if kind is bool else ""
        if not code or not all(type(item) is kind for item in items):
            return None
        if len(items) * wire.NUMBERS[code] > self.body.room or len(items) > self.numbers:
            return wire.Opaque(f"a {'tuple' if is_tuple else 'list'} of {len(items)} numbers", TOO_LARGE)
        try:
            data = bytes(items) if kind is bool else array.array(code, items).tobytes()
        except OverflowError:  # beyond 64 bits
            return None
        self.body.add(data)
        self.numbers -= len(items)
        return wire.Numbers(is_tuple, code, len(items))

    def _set(self, value: Any, depth: int) -> wire.Node:
        items = self._sequence(list(value), depth)
        name = type(value).__name__
        if isinstance(items, wire.Opaque):
            return wire.Opaque(f"a {name} of {len(value)} entries", items.why)
        if isinstance(items, wire.Sequence) and (other := _no_keys(items.items)):
            return wire.Opaque(f"a {name} that contains {other}")
        return wire.Set(type(value) is frozenset, items)  # type: ignore[arg-type]

    def _mapping(self, value: Any, depth: int) -> wire.Node:
        mapping = value if type(value) is dict else dict(value)
        if len(mapping) > self.left:
            return wire.Opaque(f"a {_name(type(value))} of {len(mapping)} entries", _TOO_MANY)
        keys: list[wire.Node] = [
            key if type(key) is str and len(key) <= wire.TEXT_INLINE and key.isascii() else self.node(key, depth + 1)
            for key in mapping
        ]
        if other := _no_keys(keys):
            return wire.Opaque(f"a {_name(type(value))} whose keys include {other}")
        return wire.Mapping(keys, [self.node(item, depth + 1) for item in mapping.values()])

    def _slice(self, value: slice, depth: int) -> wire.Node:
        return wire.Slice(*(self.node(part, depth + 1) for part in (value.start, value.stop, value.step)))

    def _range(self, value: range, depth: int) -> wire.Node:  # noqa: ARG002
        parts = [_integer(part) for part in (value.start, value.stop, value.step)]
        if any(isinstance(part, wire.Opaque) for part in parts):
            return wire.Opaque("a range of very long integers")
        return wire.Range(*parts)  # type: ignore[arg-type]

    def _constant(self, value: Any, depth: int) -> wire.Node:  # noqa: ARG002
        for kind, constants in wire.CONSTANTS.items():
            if constants.get(str(value)) is value:
                return wire.Constant(kind, str(value))
        return wire.Constant("device", str(value)) if type(value) is torch.device else _opaque(type(value))

    # --- instances of classes --------------------------------------------------------------------------------------

    def _instance(self, kind: type, value: Any, depth: int) -> wire.Node:
        bases = type.__dict__["__mro__"].__get__(kind)
        if any(base is np.dtype for base in bases):
            return wire.Constant("NumPy dtype", value.name) if value.name in ARRAY_DTYPES else _opaque(kind)
        if any(base is enum.Enum for base in bases):
            name = object.__getattribute__(value, "_name_")  # None for a union of flags, before Python 3.11
            return wire.Member(_name(kind), _cut(name if type(name) is str else str(value._value_)))
        if any(base is tuple for base in bases):
            fields = _found(bases, "_fields")
            items = list(tuple.__iter__(value))
            if type(fields) is not tuple or len(fields) != len(items):
                return _opaque(kind)
            return self._record(kind, list(fields), items, depth)
        fields = _found(bases, "__dataclass_fields__")
        if type(fields) is not dict or not all(map(_is_made_in_python, bases)):
            return _opaque(kind)
        names = [name for name, field in fields.items() if field._field_type.name == "_FIELD"]
        return self._record(kind, names, [object.__getattribute__(value, name) for name in names], depth)

    def _record(self, kind: type, fields: list[Any], values: list[Any], depth: int) -> wire.Node:
        if not all(type(field) is str and len(field) <= 100 and field.isidentifier() for field in fields):
            return _opaque(kind)
        nodes = [self.node(value, depth + 1) for value in values]
        is_tuple = any(base is tuple for base in type.__dict__["__mro__"].__get__(kind))
        return wire.Record(is_tuple, _name(kind), fields, nodes)


_Exact = Callable[[_Nodes, Any, int], wire.Node]
_BY_TYPE: dict[type, _Exact] = {
    complex: _Nodes._complex,
    bytes: _Nodes._bytes,
    bytearray: _Nodes._bytes,
    set: _Nodes._set,
    frozenset: _Nodes._set,
    slice: _Nodes._slice,
    range: _Nodes._range,
    torch.Size: _Nodes._sequence,
    np.ndarray: _Nodes._array,
    np.longlong: _Nodes._array,
    np.ulonglong: _Nodes._array,
    **{dtype.type: _Nodes._array for dtype in ARRAY_DTYPES.values()},
    **dict.fromkeys((torch.dtype, torch.layout, torch.memory_format, torch.device), _Nodes._constant),
    **dict.fromkeys((collections.OrderedDict, collections.defaultdict, collections.Counter), _Nodes._mapping),
    **dict.fromkeys((types.MappingProxyType, collections.ChainMap, collections.UserDict), _Nodes._mapping),
    # What `torch.max(x, 1)` and others return: nobody makes these by hand, so they are plain tuples.
    **{kind: _Nodes._sequence for kind in vars(torch.return_types).values() if isinstance(kind, type)},
}
# By identity: a metaclass decides how a type compares and what its hash is.
_EXACT: Mapping[int, _Exact] = {id(kind): encode for kind, encode in _BY_TYPE.items()}

_HEAP_TYPE = 1 << 9
_KEYS = (bool, int, float, str, wire.Integer, wire.Complex, wire.Text, wire.Constant, wire.Member)


def _no_keys(nodes: Iterable[wire.Node]) -> str:
    """The first of these nodes that cannot be the key of a dict (or in a set) for the judge, in words; or nothing."""
    return next((other for node in nodes if (other := _no_key(node))), "")


def _no_key(node: wire.Node) -> str:
    if node is None or isinstance(node, _KEYS):
        return ""
    if isinstance(node, wire.Opaque):
        return node.what
    if isinstance(node, wire.Sequence) and node.is_tuple:
        return _no_keys(node.items)
    if isinstance(node, wire.Record):
        return _no_keys(node.values)
    is_fixed = (
        (isinstance(node, wire.Numbers) and node.is_tuple)
        or (isinstance(node, wire.Set) and node.is_frozen)
        or (isinstance(node, wire.Array) and node.is_scalar)
        or (isinstance(node, wire.Bytes) and not node.is_mutable)
    )
    return "" if is_fixed else "objects whose contents can change"


def _integer(value: int) -> int | wire.Integer | wire.Opaque:
    if -(2**63) <= value < 2**63:
        return value
    return wire.Integer(str(value)) if value.bit_length() < 4000 else wire.Opaque("an integer of over 1000 digits")


def _opaque(kind: type) -> wire.Opaque:
    return wire.Opaque(_described(kind))


def _described(kind: type) -> str:
    name = "class" if kind is type else _name(kind)
    return f"{'an' if name[:1].lower() in ('a', 'e', 'i', 'o', 'u') else 'a'} {name}"


def _found(bases: tuple[type, ...], name: str) -> Any:
    """A class's attribute, past its metaclass; None if there is none."""
    for base in bases:
        attributes = type.__dict__["__dict__"].__get__(base)
        if name in attributes:
            return attributes[name]
    return None


def _is_made_in_python(base: type) -> bool:
    """Whether instances consist of their attributes."""
    if base is torch.Tensor or base is torch.nn.Module or base is collections.deque:
        return False
    return base is object or bool(type.__dict__["__flags__"].__get__(base) & _HEAP_TYPE)


def type_name(kind: type) -> str:
    """The type's qualified name, even if its metaclass lies about it."""
    name = type.__dict__["__qualname__"].__get__(kind)
    module = type.__dict__["__dict__"].__get__(kind).get("__module__", "")
    return f"{module}.{name}"[:200] if type(module) is str and module not in ("", "builtins") else str(name)[:200]


def _name(kind: type) -> str:
    """The type's name without module and surrounding classes."""
    return _cut(type.__dict__["__qualname__"].__get__(kind).rpartition(".")[2])


def _cut(name: str) -> str:
    return name[:100].encode("utf-8", "replace").decode()
