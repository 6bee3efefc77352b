"""What the judge asks of a worker: one frame per request, with the bulk of the data in the frame's body."""

from __future__ import annotations

import struct

import msgspec

MAX_THREADS_LEFT = 16  # in a worker, before it is replaced in the middle of a check
POSITION = struct.Struct("!Q")  # of the current question or cell, at the start of the shared memory


class Load(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Define the module `name` by running `cells` (label, source) in order.

    With `keep_going` they are a notebook, and an error costs only its own statement. The answer says which of
    `exercises` are built on which. `files` (name, size) are there beside it; their contents are the frame's body.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    keep_going: bool = False
    exercises: tuple[str, ...] = ()
    files: tuple[tuple[str, int], ...] = ()


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """One of the probes in a frame's body. What to report about its work: `operators`, or `lines` (of the student's
    files, with the profiler). `most` is how many bytes the answer's tensors and long texts may have."""

    size: int
    seed: int
    most: int
    operators: bool = False
    lines: bool = False


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probes in the frame's body, one after the other. `afresh`: first undo what earlier calls changed in
    torch's globals. There may be fewer answers than questions: the rest must then be asked again."""

    ticket: int
    questions: tuple[Asked, ...]
    afresh: bool = False


class Prepare(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probe in the frame's body and keep what it returns, a function, for `Forward`. With `float64` it is
    to compute in float64, whatever its inputs are."""

    ticket: int
    seed: int
    float64: bool = False


class Forward(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Call the function kept by `Prepare` once with each of the tuples of tensors whose header is `inputs` (see
    `encoding`) and whose bytes are the first `size` of the shared memory. With `echo` nothing is called: the answer is
    what the last call returned."""

    ticket: int
    inputs: bytes
    size: int
    echo: bool = False
