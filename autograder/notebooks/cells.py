"""Runs one cell of a notebook in a worker and collects what a notebook would show below it.

This is the untrusted side, like everything in a worker. IPython itself is not needed: a cell's last expression is its
result, `display` shows a value, matplotlib figures become pictures, magics that only affect the display do nothing,
and shell commands are refused.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import re
import sys
import time
import types
from typing import Any

import torch

from autograder.sandbox.exceptions import describe
from autograder.submissions.magics import without_magics

MAX_TEXT = 20_000  # characters that one cell prints
CHUNK = 4_000  # characters that one text in an answer may have
MAX_PICTURES, MAX_PICTURE_BYTES = 8, 2 * 2**20
_MAGIC = re.compile(r"\s*(?:[\w.,* \t]+=\s*)?(%%|%|!!|!)\s*(\w*)")
_HARMLESS = [
    "matplotlib",
    "config",
    "load_ext",
    "reload_ext",
    "autoreload",
    "check",
    "time",
    "timeit",
    "capture",
    "prun",
    "pylab",
    "precision",
]


def label_of(number: int) -> str:
    """What tracebacks call the cell with this number."""
    return f"In [{number}]"


def run_cell(module: types.ModuleType, source: str, number: int) -> list[object]:
    """The cell's parts (kind and content) and its error, as plain values."""
    parts: list[list[object]] = []
    room = [MAX_TEXT]
    name = label_of(number)
    code = without_magics(source)
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    module.__dict__["display"] = lambda *things, **_: parts.extend(["display", _chunks(_shown(t))] for t in things)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream("stdout", parts, room), _Stream("stderr", parts, room)
    error: list[object] = []
    started = time.perf_counter()
    try:
        for refused in _refusals(source, code):
            print(refused, file=sys.stderr)
        _execute(module, code, name, parts)
    except BaseException as raised:  # SystemExit as well
        known = {label_of(i) for i in range(1, number + 1)}
        said = describe(raised, known)
        error = [said.type, said.message, [[f.file, f.line, f.function, f.text] for f in said.frames]]
    finally:
        with contextlib.suppress(BaseException):
            parts.extend(["png", picture] for picture in _pictures())
        if source.lstrip().startswith("%%time"):
            print(f"Wall time: {(time.perf_counter() - started) * 1000:.3g} ms")
        sys.stdout, sys.stderr = before
    if source.lstrip().startswith("%%capture"):
        parts.clear()
    return [parts[:200], error]


def _execute(module: types.ModuleType, code: str, name: str, parts: list[list[object]]) -> None:
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or code.rstrip().endswith(";"):
        exec(compile(code, name, "exec", dont_inherit=True), module.__dict__)
        return
    del tree.body[-1]
    exec(compile(tree, name, "exec", dont_inherit=True), module.__dict__)
    value = eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), module.__dict__)
    if value is not None:
        module.__dict__["_"] = value
        parts.append(["result", _chunks(_shown(value))])


def _refusals(source: str, code: str) -> list[str]:
    """A sentence for each IPython line that was removed although it would have done something."""
    said = []
    cleaned = code.split("\n")
    for i, line in enumerate(source.split("\n")):
        found = _MAGIC.match(line)
        if found is None or (i < len(cleaned) and cleaned[i] == line) or found[2] in _HARMLESS:
            continue
        is_shell = "!" in found[1] or found[2] in ("bash", "sh", "system", "sx")
        what = "Shell commands are" if is_shell else "This magic is"
        said.append(f"{what} not run where notebooks are graded: {line.strip()[:100]}")
        if found[1] == "%%":
            break
    return said


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
