"""The judge's side of the wire: reads bytes that it does not trust.

msgspec checks the schema. Lengths, shapes and dtypes are checked before anything is built, and nothing is unpickled or
made by the worker's code. The work is bounded by the bytes and by the number of values, never by what these say.

It is counted in steps of roughly a third of a microsecond, for everything that the judge does with a value: decoding,
comparing, keeping, showing. So what large answers may cost is the same on a slow or busy machine (`surplus`).
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import torch

from autograder.sandbox import wire
from autograder.sandbox.encoding import known
from autograder.sandbox.framing import Buffer, FrameError
from autograder.sandbox.values import (
    ARRAY_DTYPES,
    DTYPES,
    MAX_COUNTED,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_FRAMES,
    MAX_MESSAGE,
    MAX_NODES,
    MAX_NUMBERS,
    PARTS,
    Answer,
    Known,
    Member,
    MetaTensor,
    Opaque,
    Outcome,
    QuantisedTensor,
    Raised,
    Record,
    Returned,
    SparseTensor,
    Work,
    bytes_allowed,
)

_MAX_DIGITS, _MAX_NAME = 1300, 300
_NODE_STEPS, _NUMBER_STEPS, _BYTES_PER_STEP = 80, 3, 300
_TIMES, _SLACK_STEPS = 2, 100 * _NODE_STEPS  # an answer may take as many steps as a right one, so many times, and more
_MAX_ALIKE = 64  # keys with the same hash: a dict of n such keys takes n² steps to build
_UNREADABLE = (
    msgspec.DecodeError,
    RecursionError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    RuntimeError,
    MemoryError,
)


def decode(header: Buffer, body: bytearray, expected: Sequence[Known | None] = (None,)) -> tuple[int, list[Answer]]:
    """The ticket of a frame that an untrusted process sent, and the answers in it: at least one, at most one for each
    of `expected`. If an answer has the bytes of the expected one, its outcome *is* the expected one.

    Tensors come back on the CPU, contiguous, without a graph (`requires_grad` is kept as a flag).

    Raises:
        FrameError: the bytes are not answers.
    """
    answers = []
    offset = 0
    try:
        frame = wire.answers_decoder.decode(header)
        if not 0 < len(frame.answers) <= len(expected):
            raise FrameError(f"{len(frame.answers)} answers to {len(expected)} questions")
        for answer, likely in zip(frame.answers, expected, strict=False):
            if answer.size > bytes_allowed(likely):
                raise FrameError(f"an answer of {answer.size} bytes where {bytes_allowed(likely)} are allowed")
            part = body if answer.size == len(body) else body[offset : offset + answer.size]
            if len(part) != answer.size:
                raise FrameError(f"{answer.size} bytes were announced where {len(part)} are left")
            offset += answer.size
            if likely is not None and likely.header == answer.outcome and likely.body == part:
                answers.append(Answer(likely.outcome, _checked(answer.work)))
            else:
                outcome, steps = _decode(answer.outcome, part)
                free = _TIMES * (likely.steps if likely else 0) + _SLACK_STEPS
                answers.append(Answer(outcome, _checked(answer.work), max(0, steps - free)))
        if offset != len(body):
            raise FrameError(f"{len(body) - offset} bytes too many")
    except _UNREADABLE as error:
        raise FrameError(str(error)[:200]) from error
    return frame.ticket, answers


def from_bytes(header: bytes, body: bytearray) -> Known:
    """The outcome for which `known` produced these bytes; its tensors share memory with `body`.

    Raises:
        FrameError: the bytes are not from `known`.
    """
    try:
        outcome, steps = _decode(header, body)
        return Known(outcome, header, body, steps)
    except _UNREADABLE as error:
        raise FrameError(str(error)[:200]) from error


def as_sent(outcome: Outcome) -> Known:
    """An outcome of trusted code as it would be if a worker had sent it, with its bytes.

    Raises:
        FrameError: it contains what no worker could send, such as very many keys with the same hash.
    """
    sent = known(outcome)
    return from_bytes(sent.header, sent.body)


def _decode(header: bytes, body: bytearray) -> tuple[Outcome, int]:
    """The outcome, and the steps that it takes."""
    outcome = wire.outcome_decoder.decode(header)
    if isinstance(outcome, Raised):
        if body:
            raise FrameError("an exception with tensors")
        _check_raised(outcome)
        return outcome, 0
    decoding = _Decoding(body)
    value = decoding.value(outcome.value, 0)
    if decoding.offset != len(body):
        raise FrameError(f"{len(body) - decoding.offset} bytes too many")
    return Returned(value), decoding.steps


def _check_raised(raised: Raised) -> None:
    texts = [raised.type, raised.message, *raised.builtins]
    for frame in raised.frames:
        texts += frame.file, frame.function, frame.text
    if len(raised.frames) > MAX_FRAMES or len(raised.builtins) > MAX_COUNTED or max(map(len, texts)) > MAX_MESSAGE:
        raise FrameError("an exception with too much text")


def _checked(work: Work) -> Work:
    names = [*work.operators, *work.functions, *work.functions.values(), *(line.file for line in work.lines)]
    most = max(len(work.operators), len(work.functions), len(work.lines))
    if most > MAX_COUNTED or max(map(len, names), default=0) > MAX_MESSAGE:
        raise FrameError("more counts than there can be")
    return work


class _Decoding:
    def __init__(self, body: bytearray) -> None:
        self.body = body
        self.offset = 0
        self.left = MAX_NODES
        self.numbers = MAX_NUMBERS

    @property
    def steps(self) -> int:
        """The work that the values so far make."""
        values = _NODE_STEPS * (MAX_NODES - self.left) + _NUMBER_STEPS * (MAX_NUMBERS - self.numbers)
        return values + self.offset // _BYTES_PER_STEP

    def value(self, node: wire.Node, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise FrameError("too many values")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, wire.Tensor):
            return self.tensor(node)
        if isinstance(node, wire.Sequence):
            items = [self.value(item, depth + 1) for item in node.items]
            return tuple(items) if node.is_tuple else items
        if isinstance(node, wire.Mapping):
            return self.mapping(node, depth)
        return _DECODERS[type(node)](self, node, depth)

    def taken(self, size: int, unit: int = 1) -> tuple[bytearray, int]:
        """The next `size` bytes: a buffer and the place where they begin, a multiple of `unit`."""
        start, end = self.offset, self.offset + size
        if size < 0 or end > len(self.body):
            raise FrameError("fewer bytes than a value needs")
        self.offset = end
        if start % unit:  # a misaligned view is slow or worse
            return self.body[start:end], 0
        return self.body, start

    # --- containers ------------------------------------------------------------------------------------------------

    def mapping(self, node: wire.Mapping, depth: int) -> dict[Any, Any]:
        if len(node.keys) != len(node.values):
            raise FrameError("a mapping with unequal numbers of keys and values")
        if all(type(key) is str for key in node.keys):
            keys: list[Any] = node.keys
        else:
            keys = [self.key(key, depth + 1) for key in node.keys]
            _check_hashes(keys)
        mapping = {key: self.value(item, depth + 1) for key, item in zip(keys, node.values, strict=True)}
        if len(mapping) != len(keys):
            raise FrameError("a mapping with the same key twice")
        return mapping

    def key(self, node: wire.Node, depth: int) -> Hashable:
        if type(node) is str or (type(node) is int):  # many, and as harmless as the values that belong to them
            return node
        key = self.value(node, depth)
        hash(key)  # a TypeError if it contains what can change
        return key  # type: ignore[no-any-return]

    def set_of(self, node: wire.Set, depth: int) -> set[Any] | frozenset[Any]:
        items = self.value(node.items, depth)
        _check_hashes(items)
        found = frozenset(items) if node.is_frozen else set(items)
        if len(found) != len(items):
            raise FrameError("a set with the same entry twice")
        return found

    def numbers_of(self, node: wire.Numbers, depth: int) -> list[Any] | tuple[Any, ...]:  # noqa: ARG002
        size = wire.NUMBERS.get(node.code)
        self.numbers -= node.count
        if size is None or node.count < 0 or self.numbers < 0:
            raise FrameError(f"{node.count} numbers of kind {node.code[:20]!r}")
        body, start = self.taken(node.count * size)
        if node.code == "?":
            _check_bools(body, start, node.count)
        items: list[Any] = np.frombuffer(body, np.dtype(node.code), node.count, start).tolist() if node.count else []
        return tuple(items) if node.is_tuple else items

    def record_of(self, node: wire.Record, depth: int) -> Record:
        if len(node.fields) != len(node.values) or any(len(field) > _MAX_NAME for field in node.fields):
            raise FrameError("a record whose fields do not match its values")
        values = tuple(self.value(item, depth + 1) for item in node.values)
        kind = "named tuple" if node.is_tuple else "dataclass"
        return Record(kind, node.name[:_MAX_NAME], tuple(node.fields), values)  # type: ignore[arg-type]

    def slice_of(self, node: wire.Slice, depth: int) -> slice:
        return slice(*(self.value(part, depth + 1) for part in (node.start, node.stop, node.step)))

    def range_of(self, node: wire.Range, depth: int) -> range:
        return range(*(self.value(part, depth + 1) for part in (node.start, node.stop, node.step)))

    # --- leaves ----------------------------------------------------------------------------------------------------

    def text_of(self, node: wire.Text, depth: int) -> str:  # noqa: ARG002
        body, start = self.taken(node.size)
        return body[start : start + node.size].decode()

    def bytes_of(self, node: wire.Bytes, depth: int) -> bytes | bytearray:  # noqa: ARG002
        body, start = self.taken(node.size)
        part = body[start : start + node.size]
        return part if node.is_mutable else bytes(part)

    def tensor(self, node: wire.Tensor, depth: int = 0) -> torch.Tensor:  # noqa: ARG002
        dtype = DTYPES.get(node.dtype)
        _check_shape(node.shape, node.dtype)
        if dtype is None:
            raise FrameError(f"a tensor of dtype {node.dtype[:20]!r}")
        count = math.prod(node.shape)
        body, start = self.taken(count * dtype.itemsize, dtype.itemsize)
        if count == 0:
            rebuilt = torch.empty(node.shape, dtype=dtype)
        else:
            if dtype is torch.bool:
                _check_bools(body, start, count)
            rebuilt = torch.frombuffer(body, dtype=dtype, count=count, offset=start).view(node.shape)
        if node.requires_grad and (dtype.is_floating_point or dtype.is_complex):
            rebuilt.requires_grad_()
        return rebuilt

    def array_of(self, node: wire.Array, depth: int) -> Any:  # noqa: ARG002
        dtype = ARRAY_DTYPES.get(node.dtype)
        _check_shape(node.shape, node.dtype)
        if dtype is None or (node.is_scalar and node.shape):
            raise FrameError(f"an array of dtype {node.dtype[:20]!r} with {len(node.shape)} dimensions")
        count = math.prod(node.shape)
        body, start = self.taken(count * dtype.itemsize, dtype.itemsize)
        if count == 0:
            return np.empty(node.shape, dtype)
        if dtype == np.bool_:
            _check_bools(body, start, count)
        rebuilt = np.frombuffer(body, dtype, count, start)
        return rebuilt[0] if node.is_scalar else rebuilt.reshape(node.shape)


def _check_bools(body: bytearray, start: int, count: int) -> None:
    if body[start : start + count].translate(None, b"\0\1"):
        raise FrameError("booleans other than 0 and 1")  # undefined in every operator


def _check_shape(shape: tuple[int, ...], dtype: str) -> None:
    if len(shape) > MAX_DIMENSIONS or any(not 0 <= extent < 2**40 for extent in shape):
        raise FrameError(f"a tensor of dtype {dtype[:20]!r} with {len(shape)} dimensions")


def _check_hashes(keys: Sequence[Hashable]) -> None:
    if len(keys) > _MAX_ALIKE and max(collections.Counter(map(hash, keys)).values()) > _MAX_ALIKE:
        raise FrameError("too many keys with the same hash")


def _meta(decoding: _Decoding, node: wire.Meta, depth: int) -> MetaTensor:  # noqa: ARG001
    _check_shape(node.shape, node.dtype)
    return MetaTensor(node.shape, DTYPES[node.dtype])


def _sparse(decoding: _Decoding, node: wire.Sparse, depth: int) -> SparseTensor:  # noqa: ARG001
    _check_shape(node.shape, node.dtype)
    if len(node.parts) != len(PARTS[node.layout]):
        raise FrameError("a sparse tensor with a part too many or too few")
    parts = tuple(decoding.tensor(part) for part in node.parts)
    return SparseTensor(node.layout, node.shape, DTYPES[node.dtype], parts)


def _quantised(decoding: _Decoding, node: wire.Quantised, depth: int) -> QuantisedTensor:
    _check_shape(node.shape, node.dtype)
    codes = decoding.tensor(node.codes)
    scales, zero_points = decoding.value(node.scales, depth + 1), decoding.value(node.zero_points, depth + 1)
    names = (node.scheme[:_MAX_NAME], node.dtype[:_MAX_NAME])
    return QuantisedTensor(*names, node.shape, codes, scales, zero_points, node.axis)


def _integer(decoding: _Decoding, node: wire.Integer, depth: int) -> int:  # noqa: ARG001
    if len(node.digits) > _MAX_DIGITS:
        raise FrameError("an integer of over 1000 digits")
    return int(node.digits)


def _constant(decoding: _Decoding, node: wire.Constant, depth: int) -> Any:  # noqa: ARG001
    if node.kind == "device":
        return torch.device(node.name[:40])
    return ARRAY_DTYPES[node.name] if node.kind == "NumPy dtype" else wire.CONSTANTS[node.kind][node.name]


_DECODERS: Mapping[type, Callable[[_Decoding, Any, int], Any]] = {
    wire.Opaque: lambda _, node, __: Opaque(node.what[:_MAX_NAME], node.why[:_MAX_NAME]),
    wire.Complex: lambda _, node, __: complex(node.real, node.imaginary),
    wire.Member: lambda _, node, __: Member(node.enum[:_MAX_NAME], node.name[:_MAX_NAME]),
    wire.Integer: _integer,
    wire.Constant: _constant,
    wire.Meta: _meta,
    wire.Sparse: _sparse,
    wire.Quantised: _quantised,
    wire.Array: _Decoding.array_of,
    wire.Numbers: _Decoding.numbers_of,
    wire.Set: _Decoding.set_of,
    wire.Text: _Decoding.text_of,
    wire.Bytes: _Decoding.bytes_of,
    wire.Slice: _Decoding.slice_of,
    wire.Range: _Decoding.range_of,
    wire.Record: _Decoding.record_of,
}
