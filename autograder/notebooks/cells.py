"""Runs one cell of a notebook in a worker and collects what a notebook would show below it.

This is the untrusted side, like everything in a worker. The cell's shell (`sandbox/shell.py`) says what is shown;
matplotlib figures become pictures.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import sys
import types
from typing import Any

import torch

from autograder.sandbox.exceptions import describe
from autograder.sandbox.shell import Shell

MAX_TEXT = 20_000  # characters that one cell prints
CHUNK = 4_000  # characters that one text in an answer may have
MAX_PICTURES, MAX_PICTURE_BYTES = 8, 2 * 2**20


def label_of(number: int) -> str:
    """What tracebacks call the cell with this number."""
    return f"In [{number}]"


def run_cell(_module: types.ModuleType, source: str, number: int) -> list[object]:
    """The cell's parts (kind and content) and its error, as plain values."""
    parts: list[list[object]] = []
    room = [MAX_TEXT]
    name = label_of(number)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    errors: list[BaseException] = []
    shell: Shell = vars(builtins)["get_ipython"]()
    shell.failed = lambda error: errors.append(error) if not errors else None  # the first one is shown
    shell.shown = lambda kind, value: parts.append([kind, _chunks(_shown(value))])
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout", parts, room), _Stream("stderr", parts, room)
    try:
        shell.run_cell(source, name)
    finally:
        with contextlib.suppress(BaseException):
            parts.extend(["png", picture] for picture in _pictures())
        sys.stdout, sys.stderr = before
    if source.lstrip().startswith("%%capture"):
        parts.clear()
    return [parts[:200], _described(errors[0], number) if errors else []]


def _described(error: BaseException, number: int) -> list[object]:
    said = describe(error, {label_of(i) for i in range(1, number + 1)})
    return [said.type, said.message, [[f.file, f.line, f.function, f.text] for f in said.frames]]


class _Stream(io.TextIOBase):
    """Appends what is written to the last part if it has the same kind, until there is no room left."""

    def __init__(self, kind: str, parts: list[list[object]], room: list[int]) -> None:
        self._kind, self._parts, self._room = kind, parts, room

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: max(self._room[0], 0)]
        self._room[0] -= len(kept)
        if kept:
            if self._parts and self._parts[-1][0] == self._kind:
                self._parts[-1][1] += _chunks(kept)  # type: ignore[operator]
            else:
                self._parts.append([self._kind, _chunks(kept)])
            chunks: Any = self._parts[-1][1]
            if len(chunks) > 100:  # one for each small print: join them
                chunks[:] = _chunks("".join(chunks))
        return len(text)


def _chunks(text: str) -> list[str]:
    return [text[i : i + CHUNK] for i in range(0, min(len(text), MAX_TEXT), CHUNK)]


def _shown(value: object) -> str:
    text = builtins.repr(value)
    return text[:MAX_TEXT] if type(text) is str else ""


def _pictures() -> list[torch.Tensor]:
    """The open figures as PNG; closes them afterwards."""
    plt: Any = sys.modules.get("matplotlib.pyplot")
    made: list[torch.Tensor] = []
    for number in plt.get_fignums()[:MAX_PICTURES] if plt is not None else []:
        file = io.BytesIO()
        plt.figure(number).savefig(file, format="png", dpi=72, bbox_inches="tight")
        if file.tell() <= MAX_PICTURE_BYTES:
            made.append(torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8))
    if plt is not None:
        plt.close("all")
    return made
