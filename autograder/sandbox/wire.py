"""The schema of a frame of answers, which both sides use: msgpack with tags, and bytes in the frame's body.

Where a node announces numbers or a text, the next bytes of the body belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping as _Mapping
from typing import Any, Union

import msgspec
import torch

from autograder.sandbox.values import Raised, Work

TEXT_INLINE = 64  # characters; a longer text is in the body
PACKED_FROM = 32  # numbers; a shorter list has them inline

# What is one of a few, by kind and name.
CONSTANTS: _Mapping[str, _Mapping[str, Any]] = {
    "dtype": {str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)},
    "layout": {str(value): value for value in vars(torch).values() if isinstance(value, torch.layout)},
    "memory format": {str(value): value for value in vars(torch).values() if isinstance(value, torch.memory_format)},
}
NUMBERS = {"d": 8, "q": 8, "?": 1}  # as `struct` calls them: floats, integers, booleans; bytes each


class Opaque(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    what: str
    why: str = "cannot be compared"


class Tensor(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    dtype: str
    shape: tuple[int, ...]
    device: str
    requires_grad: bool


class Meta(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    dtype: str
    shape: tuple[int, ...]


class Sparse(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    layout: str
    dtype: str
    shape: tuple[int, ...]
    parts: list[Tensor]


class Quantised(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    scheme: str
    dtype: str
    shape: tuple[int, ...]
    codes: Tensor
    scales: float | Tensor
    zero_points: int | Tensor
    axis: int


class Array(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """Of NumPy's; a scalar is not an array without dimensions."""

    dtype: str
    shape: tuple[int, ...]
    is_scalar: bool


class Sequence(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    is_tuple: bool
    items: list[Node]


class Numbers(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A list or tuple of numbers of one type."""

    is_tuple: bool
    code: str
    count: int


class Set(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    is_frozen: bool
    items: Sequence | Numbers


class Mapping(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    keys: list[Node]
    values: list[Node]


class Integer(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """Beyond 64 bits."""

    digits: str


class Complex(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    real: float
    imaginary: float


class Text(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    size: int


class Bytes(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    size: int
    is_mutable: bool


class Constant(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """One of CONSTANTS, a device or a dtype of NumPy's."""

    kind: str
    name: str


class Slice(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    start: Node
    stop: Node
    step: Node


class Range(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    start: int | Integer
    stop: int | Integer
    step: int | Integer


class Record(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    is_tuple: bool
    name: str
    fields: list[str]
    values: list[Node]


class Member(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    enum: str
    name: str


Node = Union[  # noqa: UP007
    None,
    bool,
    int,
    float,
    str,
    Opaque,
    Tensor,
    Meta,
    Sparse,
    Quantised,
    Array,
    Sequence,
    Numbers,
    Set,
    Mapping,
    Integer,
    Complex,
    Text,
    Bytes,
    Constant,
    Slice,
    Range,
    Record,
    Member,
]


class Returned(msgspec.Struct, frozen=True, tag_field="is", tag="returned"):
    value: Node


Outcome = Returned | Raised


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """`outcome` is encoded by itself; the bytes of its tensors and texts are the next `size` of the frame's body."""

    outcome: bytes
    size: int
    work: Work


class Answers(msgspec.Struct, frozen=True, array_like=True):
    ticket: int
    answers: list[Answer]


encoder = msgspec.msgpack.Encoder()
answers_decoder = msgspec.msgpack.Decoder(Answers)
outcome_decoder = msgspec.msgpack.Decoder(Outcome)
