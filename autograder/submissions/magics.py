"""Removes IPython's own syntax from a notebook's cells, as text: no part of a submission is executed for it."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable

_CELL_MAGIC = re.compile(r"\s*%%[ \t]*(\w*)[^\n]*\n?")
_BODY_IS_PYTHON = {"time", "timeit", "capture", "prun"}
_REST = r"(?:[^\n]*\\\n)*[^\n]*"  # to the end of the line; a backslash continues it
_TIME_MAGIC = re.compile(r"([ \t]*)%time[ \t]+(?=\w)")
_LINE_MAGIC = re.compile(rf"([ \t]*)(?:[%!?,;/]{_REST}|[^\W\d][\w.*\[\]]*\?\??[ \t]*(?=\n|\Z))")
_ASSIGNED_MAGIC = re.compile(rf"([ \t]*[^\W\d][\w.,*\[\] \t]*=[ \t]*)[%!]{_REST}")
_CODE_MARK = re.compile(r"\\.|#[^\n]*|\"\"\"|'''|[\"'\n()\[\]{}]", re.DOTALL)
_STRING_MARK = {
    quote: re.compile(rf"\\.|{quote}" + (r"|\n" if len(quote) == 1 else ""), re.DOTALL)
    for quote in ('"""', "'''", '"', "'")
}


def without_magics(source: str) -> str:
    """The cell without IPython's own syntax, with every other line where it was.

    Only the beginning of a logical line can be a magic, not a later line of a string or an expression.
    """
    kept: list[str] = []
    position = 0
    while magic := _CELL_MAGIC.match(source, position):
        if magic[1] not in _BODY_IS_PYTHON:
            return ""
        kept.append("\n" * magic[0].count("\n"))
        position = magic.end()
    while position < len(source):
        if magic := _TIME_MAGIC.match(source, position):
            kept.append(magic[1])  # the rest may need the code that it times
        elif magic := _LINE_MAGIC.match(source, position):
            kept.append(magic[1] + "pass" + "\n" * magic[0].count("\n"))
        elif magic := _ASSIGNED_MAGIC.match(source, position):
            kept.append(magic[1] + "None" + "\n" * magic[0].count("\n"))
        else:
            end = _logical_line_end(source, position)
            kept.append(source[position:end])
        position = magic.end() if magic else end
    return "".join(kept)


def _logical_line_end(source: str, position: int) -> int:
    """The position after the logical line that begins at `position`; strings and brackets span lines."""
    depth, quote = 0, ""
    while mark := (_STRING_MARK[quote] if quote else _CODE_MARK).search(source, position):
        position = mark.end()
        if quote:
            if mark[0] == quote:
                quote = ""
            if mark[0] != "\n":
                continue
            quote = ""  # a string that is not closed on its line ends with the line
        if mark[0] in _STRING_MARK:
            quote = mark[0]
        elif mark[0] in "([{":
            depth += 1
        elif mark[0] in ")]}":
            depth = max(0, depth - 1)
        elif mark[0] == "\n" and not depth:
            return position
    return len(source)


class _Shell:
    """Does nothing, whatever it is asked to do, except run the Python below a magic that times it."""

    def run_cell_magic(self, magic: str, _line: str, cell: str) -> None:
        if magic in _BODY_IS_PYTHON:
            exec(without_magics(cell), sys._getframe(1).f_globals)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


def provide_shell() -> None:
    """Defines `get_ipython()`: when Jupyter exports a notebook as `.py`, it writes magics as calls to it."""
    shell = _Shell()
    vars(builtins)["get_ipython"] = lambda: shell
