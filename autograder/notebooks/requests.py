"""What is asked of whoever shows a notebook, and what comes back. Light: needs no torch."""

from __future__ import annotations

import msgspec

from autograder.course import Limits


class Show(msgspec.Struct, frozen=True):
    """Run the code cells of a notebook one after the other, not to grade them but to show what comes of them. Those in
    `stopped`, by number from 1, are known not to end, and why; they are left out."""

    cells: tuple[str, ...]
    stopped: dict[int, str] = {}
    limits: Limits = Limits()


class ShownPart(msgspec.Struct, frozen=True):
    """Something that a cell put out: `kind` is stdout, stderr, result, display or png."""

    kind: str
    text: str = ""
    png: bytes = b""


class ShownCell(msgspec.Struct, frozen=True):
    """What came of a cell; `error` is a traceback of the student's own lines, or says how the cell ended otherwise."""

    parts: tuple[ShownPart, ...] = ()
    error: str = ""
