"""The wire format of answers: plain values and tensors as data, never as code.

The worker *encodes*: whatever is not exactly a plain value becomes an `Opaque` with its type's name. The judge
*decodes* bytes that it does not trust: msgspec checks the schema, and tensors are rebuilt from raw bytes after checking
that dtype, shape and length agree. No pickle, no callbacks, no Python objects made by the worker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import msgspec
import torch

from autograder.sandbox.framing import Buffer, FrameError

MAX_DEPTH = 16
MAX_NODES = 20_000
MAX_TEXT = 4_000
MAX_TENSOR_BYTES = 128 * 2**20

DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.bool,
        torch.complex64,
        torch.complex128,
    )
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_PLAIN_TENSORS = (torch.Tensor, torch.nn.Parameter)


class Opaque(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """Something that is not a plain value; `what` says what it was."""

    what: str


class _Tensor(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    dtype: str
    shape: tuple[int, ...]
    device: str
    requires_grad: bool


class _Sequence(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    is_tuple: bool
    items: list[_Node]


class _Mapping(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    keys: list[str | int]
    values: list[_Node]


class _Integer(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """An integer beyond 64 bits."""

    digits: str


_Node = Union[None, bool, int, float, str, Opaque, _Tensor, _Sequence, _Mapping, _Integer]  # noqa: UP007


class Frame(msgspec.Struct, frozen=True):
    """Where an exception passed through the student's own code."""

    file: str
    line: int
    function: str
    text: str = ""


class Returned(msgspec.Struct, frozen=True, tag_field="is", tag="returned"):
    """A probe came back with a value."""

    value: Any


class Raised(msgspec.Struct, frozen=True, tag_field="is", tag="raised"):
    """A probe raised. `builtins` are the names of the built-in exceptions the type derives from, nearest first."""

    type: str
    builtins: tuple[str, ...]
    message: str = ""
    frames: tuple[Frame, ...] = ()


Outcome = Returned | Raised


class LineCount(msgspec.Struct, frozen=True, array_like=True):
    """How often a line of the student's files was run."""

    file: str
    number: int
    count: int


class Work(msgspec.Struct, frozen=True, array_like=True):
    """What a probe did, as the worker saw it. For teaching, not for security: the code under test runs in the same
    process.

    `operators` counts the dispatched operators by name; `profiled` is how many the profiler saw, including those hidden
    from dispatch (0 if it was not used); `started` and `running` count threads (Python's own only); `watched` is false
    if line tracing was switched off along the way.
    """

    operators: dict[str, int] = {}
    profiled: int = 0
    lines: tuple[LineCount, ...] = ()
    started: int = 0
    running: int = 1
    watched: bool = True


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The worker's answer to one question."""

    outcome: Outcome
    work: Work = Work()


@dataclass(frozen=True)
class Known:
    """An outcome and its bytes, so that it can be recognised without being decoded."""

    outcome: Outcome
    header: bytes
    body: bytes


class _Returned(msgspec.Struct, frozen=True, tag_field="is", tag="returned"):
    value: _Node


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """`outcome` is encoded by itself; the bytes of its tensors are the next `size` of the frame's body."""

    outcome: bytes
    size: int
    work: Work


class _Answers(msgspec.Struct, frozen=True, array_like=True):
    ticket: int
    answers: list[_Answer]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Answers)
_outcomes = msgspec.msgpack.Decoder(_Returned | Raised)


# --- the worker's side -------------------------------------------------------------------------------------------


class Encoding:
    """A frame of answers under construction. Each is encoded when added: what runs next may change its tensors."""

    def __init__(self, ticket: int) -> None:
        self.size = 0  # in bytes
        self._ticket = ticket
        self._answers: list[_Answer] = []
        self._body: list[Buffer] = []

    def add(self, answer: Answer) -> None:
        """`answer` may contain any Python value at all."""
        header, chunks = _encode(answer.outcome)
        size = sum(map(len, chunks))
        self.size += len(header) + size
        self._body += chunks
        self._answers.append(_Answer(header, size, answer.work))

    def frame(self) -> tuple[bytes, list[Buffer]]:
        """Header and body."""
        return _encoder.encode(_Answers(self._ticket, self._answers)), self._body


def encode(ticket: int, answer: Answer) -> tuple[bytes, list[Buffer]]:
    """Header and body of a frame with one answer."""
    encoding = Encoding(ticket)
    encoding.add(answer)
    return encoding.frame()


def known(outcome: Outcome) -> Known:
    """Makes an outcome recognisable in a frame that contains it."""
    header, chunks = _encode(outcome)
    return Known(outcome, header, b"".join(chunks))


def _encode(outcome: Outcome) -> tuple[bytes, list[bytes]]:
    chunks: list[bytes] = []
    if isinstance(outcome, Raised):
        return _encoder.encode(outcome), chunks
    try:
        node = _Nodes(chunks).node(outcome.value, 0)
    except _TooMuch:
        chunks.clear()
        node = Opaque("a value nested too deeply or with too many entries")
    return _encoder.encode(_Returned(node)), chunks


class _TooMuch(Exception):
    """The value as a whole exceeds what the judge would decode."""


class _Nodes:
    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.left = MAX_NODES

    def node(self, value: Any, depth: int) -> _Node:
        # `type(value)` and exact comparison: `__class__`, subclasses and duck types do not matter here.
        kind = type(value)
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise _TooMuch
        if value is None or kind is bool or kind is float:
            return value  # type: ignore[no-any-return]
        if kind is int:
            if -(2**63) <= value < 2**63:
                return value  # type: ignore[no-any-return]
            return _Integer(str(value)) if value.bit_length() < 4000 else Opaque("an integer of over 1000 digits")
        if kind is str:
            return value[:MAX_TEXT].encode("utf-8", "replace").decode()  # type: ignore[no-any-return]
        if kind in _PLAIN_TENSORS:
            return self.tensor(value)
        if kind in (list, tuple, torch.Size):
            if len(value) > self.left:
                return Opaque(f"a {kind.__name__} of {len(value)} entries")
            return _Sequence(kind is not list, [self.node(item, depth + 1) for item in list(value)])
        if kind is dict and all(type(key) in (str, int) for key in value):
            keys = [key[:MAX_TEXT] if type(key) is str else key for key in value]
            return _Mapping(keys, [self.node(item, depth + 1) for item in value.values()])
        return Opaque(type_name(kind))

    def tensor(self, value: torch.Tensor) -> _Node:
        if value.layout is not torch.strided or value.is_quantized or value.is_nested or value.is_meta:
            return Opaque(f"a tensor that is not dense ({value.layout}, {value.device})")
        if value.dtype not in _NAMES or value.numel() * value.element_size() > MAX_TENSOR_BYTES:
            return Opaque(f"a tensor of dtype {value.dtype} and shape {tuple(value.shape)}")
        self.chunks.append(raw_bytes(value.detach().cpu()))
        return _Tensor(_NAMES[value.dtype], tuple(value.shape), value.device.type, value.requires_grad)


def raw_bytes(tensor: torch.Tensor) -> bytes:
    """The entries of a dense tensor without a graph, on the CPU, in row-major order."""
    plain = tensor.resolve_conj().resolve_neg() if tensor.is_complex() else tensor
    if plain.is_neg():
        plain = plain.resolve_neg()
    if plain.dtype is torch.bfloat16:  # the one dtype that NumPy lacks
        plain = plain.view(torch.int16)
    return plain.numpy().tobytes()


def type_name(kind: type) -> str:
    """The type's qualified name, even if its metaclass lies about it."""
    name = type.__dict__["__qualname__"].__get__(kind)
    module = type.__dict__["__dict__"].__get__(kind).get("__module__", "")
    return f"{module}.{name}"[:200] if type(module) is str and module not in ("", "builtins") else str(name)[:200]


# --- the judge's side --------------------------------------------------------------------------------------------


_UNREADABLE = (msgspec.DecodeError, RecursionError, ValueError, OverflowError, RuntimeError, MemoryError)


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
        frame = _decoder.decode(header)
        if not 0 < len(frame.answers) <= len(expected):
            raise FrameError(f"{len(frame.answers)} answers to {len(expected)} questions")
        for answer, likely in zip(frame.answers, expected, strict=False):
            part = body if answer.size == len(body) else body[offset : offset + answer.size]
            if len(part) != answer.size:
                raise FrameError(f"{answer.size} bytes were announced where {len(part)} are left")
            offset += answer.size
            if likely is not None and likely.header == answer.outcome and likely.body == part:
                answers.append(Answer(likely.outcome, answer.work))
            else:
                answers.append(Answer(_decode(answer.outcome, part), answer.work))
        if offset != len(body):
            raise FrameError(f"{len(body) - offset} bytes too many")
    except _UNREADABLE as error:
        raise FrameError(str(error)[:200]) from error
    return frame.ticket, answers


def outcome_of(header: bytes, body: bytes) -> Outcome:
    """The outcome for which `known` produced these bytes.

    Raises:
        FrameError: the bytes are not from `known`.
    """
    try:
        return _decode(header, bytearray(body))
    except _UNREADABLE as error:
        raise FrameError(str(error)[:200]) from error


def _decode(header: bytes, body: bytearray) -> Outcome:
    outcome = _outcomes.decode(header)
    if isinstance(outcome, Raised):
        if body:
            raise FrameError("an exception with tensors")
        return outcome
    decoding = _Decoding(body)
    value = decoding.value(outcome.value, 0)
    if decoding.offset != len(body):
        raise FrameError(f"{len(body) - decoding.offset} bytes too many")
    return Returned(value)


class _Decoding:
    def __init__(self, body: bytearray) -> None:
        self.body = body
        self.offset = 0
        self.left = MAX_NODES

    def value(self, node: _Node, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise FrameError("too many values")
        if isinstance(node, _Tensor):
            return self.tensor(node)
        if isinstance(node, _Sequence):
            items = [self.value(item, depth + 1) for item in node.items]
            return tuple(items) if node.is_tuple else items
        if isinstance(node, _Mapping):
            if len(node.keys) != len(node.values):
                raise FrameError("a mapping with unequal numbers of keys and values")
            return {key: self.value(item, depth + 1) for key, item in zip(node.keys, node.values, strict=True)}
        if isinstance(node, _Integer):
            if len(node.digits) > 1300:
                raise FrameError("an integer of over 1000 digits")
            return int(node.digits)
        return node

    def tensor(self, node: _Tensor) -> torch.Tensor:
        dtype = DTYPES.get(node.dtype)
        if dtype is None or len(node.shape) > 16 or any(not 0 <= extent < 2**40 for extent in node.shape):
            raise FrameError(f"a tensor of dtype {node.dtype[:20]!r} with {len(node.shape)} dimensions")
        count = math.prod(node.shape)
        end = self.offset + count * dtype.itemsize
        if end > len(self.body):
            raise FrameError("a tensor with fewer bytes than its shape needs")
        if count == 0:
            rebuilt = torch.empty(node.shape, dtype=dtype)
        else:
            body, offset = self.body, self.offset
            if offset % dtype.itemsize:  # a misaligned view is slow or worse
                body, offset = self.body[offset:end], 0
            if dtype is torch.bool and body[offset : offset + count].translate(None, b"\0\1"):
                raise FrameError("a tensor of bool with entries other than 0 and 1")  # undefined in every operator
            rebuilt = torch.frombuffer(body, dtype=dtype, count=count, offset=offset).view(node.shape)
        self.offset = end
        if node.requires_grad and (dtype.is_floating_point or dtype.is_complex):
            rebuilt.requires_grad_()
        return rebuilt
