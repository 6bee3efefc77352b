"""The request to show a notebook, and what comes back. Light: does not import torch."""

from __future__ import annotations

import msgspec

from autograder.course import Limits
from autograder.submissions.other_files import OtherFile


class Show(msgspec.Struct, frozen=True):
    """Run the code cells of a notebook one after the other, not to grade them but to show their output. Cells in
    `stopped` (number from 1 → reason) are known never to end and are left out. `files` lie beside the notebook."""

    cells: tuple[str, ...]
    stopped: dict[int, str] = {}
    limits: Limits = Limits()
    files: tuple[OtherFile, ...] = ()


class ShownPart(msgspec.Struct, frozen=True):
    """One piece of a cell's output: `kind` is stdout, stderr, result, display or png."""

    kind: str
    text: str = ""
    png: bytes = b""


class ShownCell(msgspec.Struct, frozen=True):
    """A cell's output; `error` is a traceback of the student's own lines, or says how else the cell ended."""

    parts: tuple[ShownPart, ...] = ()
    error: str = ""
