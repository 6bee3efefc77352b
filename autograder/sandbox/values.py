"""What an answer is made of: plain values, the kinds of data that have no plain value, and how much there may be.

Numbers, texts, bytes, lists, tuples, dicts, sets, slices, ranges, dense tensors on the CPU, NumPy arrays and scalars,
dtypes, devices, layouts and memory formats stay what they are. The classes here stand for everything else that can be
compared, and `Opaque` for what cannot. `encoding` makes bytes of them, and `decoding` reads those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import torch

from autograder.sandbox.framing import MAX_BODY

MAX_DEPTH = 16
MAX_DIMENSIONS = 16
MAX_NODES = 20_000  # values in one answer; a long list of numbers counts as one
MAX_NUMBERS = 2**21  # in such lists: as Python's objects they take several times as much memory
MAX_ANSWERS_BYTES = 4 * 2**20  # in one frame; the answer that exceeds this is the last
MAX_MESSAGE, MAX_FRAMES = 2_000, 3  # of an exception: characters, and lines of the student's code
MAX_COUNTED = 400  # lines, operators or functions of which an answer says how often they were used
MAX_BYTES = MAX_BODY - 2 * MAX_ANSWERS_BYTES  # of one answer's tensors and long texts
UNKNOWN_BYTES = 128 * 2**20  # the same where nobody knows how large a right answer is
TIMES, SLACK_BYTES = 4, 4 * 2**20  # otherwise: this many times a right answer's bytes, and a little for small ones

_ARRAY_DTYPES = "float16 float32 float64 uint8 uint16 uint32 uint64 int8 int16 int32 int64 bool complex64 complex128"
_TENSOR_DTYPES = (
    f"{_ARRAY_DTYPES} bfloat16 complex32 "
    "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"  # not in every version of PyTorch
)
DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in _TENSOR_DTYPES.split() if hasattr(torch, name)}
ARRAY_DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in _ARRAY_DTYPES.split()}


@dataclass(frozen=True)
class Opaque:
    """Something that is not compared: `what` it is, with an article, and why not, after "which"."""

    what: str
    why: str = "cannot be compared"


@dataclass(frozen=True)
class Record:
    """An instance of a dataclass or named tuple: the name of its class, and its fields in order."""

    kind: Literal["dataclass", "named tuple"]
    name: str
    fields: tuple[str, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Member:
    """A member of an enum, by the two names."""

    enum: str
    name: str


@dataclass(frozen=True)
class MetaTensor:
    """A tensor on the meta device, which has no numbers."""

    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True, eq=False)
class SparseTensor:
    """A sparse tensor by its dense parts, in the order of `PARTS`. They are data: nobody has checked the indices."""

    layout: str  # a key of PARTS
    shape: tuple[int, ...]
    dtype: torch.dtype
    parts: tuple[torch.Tensor, ...]


PARTS = {
    "sparse_coo": ("indices", "values"),
    "sparse_csr": ("crow_indices", "col_indices", "values"),
    "sparse_csc": ("ccol_indices", "row_indices", "values"),
    "sparse_bsr": ("crow_indices", "col_indices", "values"),
    "sparse_bsc": ("ccol_indices", "row_indices", "values"),
}


@dataclass(frozen=True, eq=False)
class QuantisedTensor:
    """A quantised tensor: its whole numbers, and what makes real numbers of them. `scales` and `zero_points` are
    numbers, or one-dimensional tensors along `axis` (−1 if there is only one of each)."""

    scheme: str
    dtype: str
    shape: tuple[int, ...]
    codes: torch.Tensor
    scales: Any
    zero_points: Any
    axis: int


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
    from dispatch (0 if it was not used); `started` and `running` count threads (Python's own only). `lines` are those
    of the submission that were run most often, `elsewhere` counts the lines that were run in installed packages, and
    `listed` the numbers of tensors and arrays that were made into Python's; `watched` is false if that was switched
    off along the way. `functions` are PyTorch's functions and layers that were called, by public name, each with the
    layer that called it first (see `observation.Functions.calls`).
    """

    operators: dict[str, int] = {}
    profiled: int = 0
    lines: tuple[LineCount, ...] = ()
    started: int = 0
    running: int = 1
    watched: bool = True
    functions: dict[str, str] = {}
    elsewhere: int = 0
    listed: int = 0


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The worker's answer to one question; `surplus` is by how much it makes more work than a right answer may (see
    `decoding`)."""

    outcome: Outcome
    work: Work = Work()
    surplus: int = 0


@dataclass(frozen=True)
class Known:
    """An outcome and its bytes, so that it can be recognised without being decoded; `steps` is the work that it makes
    (see `decoding`)."""

    outcome: Outcome
    header: bytes
    body: bytearray
    steps: int = 0


def shape_text(shape: Sequence[int]) -> str:
    """ "2×3"; with fewer than two extents, as Python writes it."""
    return "×".join(map(str, shape)) if len(shape) > 1 else str(tuple(shape))


def bytes_allowed(likely: Known | None) -> int:
    """How many bytes the tensors and long texts of an answer may have, given a right answer."""
    return UNKNOWN_BYTES if likely is None else min(MAX_BYTES, TIMES * len(likely.body) + SLACK_BYTES)
