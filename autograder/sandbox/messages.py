"""What the judge asks of a worker: one frame for each request, with its bulk in the frame's body."""

from __future__ import annotations

import struct

import msgspec

POSITION = struct.Struct("!Q")  # of the question or cell at work, at the beginning of the shared memory


class Load(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Define the module `name` by running `cells` (label, source) in order.

    With `keep_going` an error in one cell does not stop the next, as in a notebook. Of `exercises` it is told which is
    built on which.
    """

    name: str
    cells: tuple[tuple[str, str], ...]
    keep_going: bool = False
    exercises: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """One of the probes in a frame's body. `operators` and `lines` (of the student's files, and the profiler) say what
    of its work to tell."""

    size: int
    seed: int
    operators: bool = False
    lines: bool = False


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probes in the frame's body, one after the other. `afresh`: first undo what earlier calls changed in
    torch's globals. The answers may be fewer than the questions: the rest has then to be asked again."""

    ticket: int
    questions: tuple[Asked, ...]
    afresh: bool = False


class Prepare(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Evaluate the probe in the frame's body and keep what it returns, a function, for `Forward`."""

    ticket: int
    seed: int
    device: str = "cpu"


class Forward(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Call the function kept by `Prepare` once with each of the tuples of tensors whose header is `inputs` (see
    `values`) and whose bytes are the first `size` of the shared memory. With `echo` nothing is called: what the last
    call returned is the answer again."""

    ticket: int
    inputs: bytes
    size: int
    echo: bool = False
