"""Reads the source notebooks of nbgrader and otter: prose, code, solutions, and test cells with their points."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder.errors import UsageError

PROSE, CODE, SOLUTION, TESTS = "prose", "code", "solution", "tests"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

_BY_HAND = "it is graded by hand; write it as a question in [manual] (docs/authoring.md)"
_HIDDEN = re.compile(r"^ *#+ *(BEGIN|END) HIDDEN TESTS.*$", re.MULTILINE)
_REGION = re.compile(r"^( *)#+ *(BEGIN|END) SOLUTION.*$")
_LINE = re.compile(r"^(.*?\S)\s*#+ *SOLUTION( NO PROMPT)?\s*$")
_PROMPT = re.compile(r'^ *""" *# *BEGIN PROMPT.*?^ *""";? *# *END PROMPT *$\n?', re.MULTILINE | re.DOTALL)
_CONFIG = re.compile(r'^""" *# *BEGIN TEST CONFIG\n(.*?)^""" *# *END TEST CONFIG *$\n?', re.MULTILINE | re.DOTALL)
_RAW = re.compile(r"# *(BEGIN|END) (QUESTION|PROMPT|SOLUTION|TESTS)\b(.*)", re.DOTALL)


@dataclass(frozen=True)
class SourceCell:
    """A cell of a source notebook; `number` counts all its cells from 1. Of a test cell, `visible` and `hidden` are its
    two parts; otter's tests also assert what they display."""

    number: int
    kind: str
    source: str = ""
    points: float = 0.0
    visible: str = ""
    hidden: str = ""
    displays: bool = False


@dataclass
class SourceNotebook:
    """`refused` are cells that have no counterpart here: number, line and reason."""

    cells: list[SourceCell] = field(default_factory=list)
    title: str = ""
    refused: list[tuple[int, int, str]] = field(default_factory=list)


def read(path: Path) -> SourceNotebook:
    """Reads a source notebook.

    Raises:
        UsageError: it is not a notebook, or in neither of the two forms.
    """
    import nbformat

    try:
        book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # nbformat raises nearly anything
        raise UsageError(f"{path} is not a notebook; name the .ipynb file with solutions and tests.") from error
    found = SourceNotebook()
    if any("nbgrader" in cell.metadata for cell in book.cells):
        _read_nbgrader(book.cells, found)
    elif any(_RAW.match(cell.source) for cell in book.cells):
        _read_otter(book.cells, found)
    if not any(cell.kind == SOLUTION for cell in found.cells) or not any(cell.kind == TESTS for cell in found.cells):
        raise UsageError(
            f"{path} has no solutions with tests in nbgrader's or otter's form; name the source notebook, not what "
            "students receive."
        )
    return found


def _read_nbgrader(cells: Sequence[Any], found: SourceNotebook) -> None:
    for number, cell in enumerate(cells, 1):
        mark = cell.metadata.get("nbgrader") or {}
        solution, grade = bool(mark.get("solution")), bool(mark.get("grade"))
        if mark.get("task") or (solution and grade):
            found.refused.append((number, 1, _BY_HAND))  # what it says is the model answer
        elif cell.cell_type == "markdown" and not solution:
            found.cells.append(SourceCell(number, PROSE, cell.source))
        elif cell.cell_type != "code":
            continue
        elif grade:
            visible, hidden = _parts(cell.source)
            points = float(mark.get("points") or 0)
            found.cells.append(SourceCell(number, TESTS, points=points, visible=visible, hidden=hidden))
        else:
            found.cells.append(_code(number, _parts(cell.source)[0], solution))


def _parts(source: str) -> tuple[str, str]:
    """The visible part of a test cell, and all of it, each with its lines where they were."""
    visible, hiding = [], False
    for line in source.split("\n"):
        if mark := _HIDDEN.match(line):
            hiding = mark[1] == "BEGIN"
        visible.append("" if hiding or mark else line)
    return "\n".join(visible), _HIDDEN.sub("", source)


def _read_otter(cells: Sequence[Any], found: SourceNotebook) -> None:
    import yaml

    block, config, tests = "", dict[str, Any](), list[SourceCell]()
    for number, cell in enumerate(cells, 1):
        raw = _RAW.match(cell.source) if cell.cell_type != "code" else None
        if raw:
            begins, block = raw[1] == "BEGIN", f"{raw[2]}" if raw[1] == "BEGIN" else ""
            if begins and raw[2] == "QUESTION":
                try:
                    config = yaml.safe_load(raw[3]) or {}
                except yaml.YAMLError:
                    config = {}
                if not isinstance(config, dict):
                    config = {}
                if config.get("manual"):
                    found.refused.append((number, 1, f"question {config.get('name', '')}: {_BY_HAND}"))
                tests = []
            elif not begins and raw[2] == "QUESTION":
                found.cells += _with_points(tests, config.get("points"))
                config, tests = {}, []
        elif re.match(r"# *ASSIGNMENT CONFIG", cell.source):
            if name := re.search(r"^name: *[\"']?(.+?)[\"']? *$", cell.source, re.MULTILINE):
                found.title = name[1]
        elif block == "PROMPT":
            found.refused.append((number, 1, "a prompt is left out; students receive the usual stub"))
        elif cell.cell_type == "markdown" and block != "SOLUTION":
            found.cells.append(SourceCell(number, PROSE, cell.source))
        elif cell.cell_type == "code" and block == "TESTS":
            tests.append(_otter_test(number, cell.source))
        elif cell.cell_type == "code" and not re.search(r"\botter\b|\bgrader\.check", cell.source):
            if _PROMPT.search(cell.source):
                found.refused.append((number, 1, "a prompt is left out; students receive the usual stub"))
            marked = bool(re.search(r"# *(BEGIN )?SOLUTION\b", cell.source))
            found.cells.append(_code(number, _PROMPT.sub("", cell.source), block == "SOLUTION" or marked))


def _otter_test(number: int, source: str) -> SourceCell:
    """A test cell; what its own settings and its first line say counts."""
    config = _CONFIG.search(source)
    settings = config[1] if config else ""
    hidden = bool(re.search(r"^hidden: *true", settings, re.MULTILINE | re.IGNORECASE))
    hidden = hidden or bool(re.match(r"\s*# *HIDDEN\b", source))
    points = re.search(r"^points: *([\d.]+)", settings, re.MULTILINE)
    # Lines stay where they were.
    text = _CONFIG.sub(lambda found: "\n" * found[0].count("\n"), source)
    worth = float(points[1]) if points else 0.0
    return SourceCell(number, TESTS, points=worth, visible="" if hidden else text, hidden=text, displays=True)


def _with_points(tests: Sequence[SourceCell], points: Any) -> Iterator[SourceCell]:
    """otter's `points`: a number for the question (1 if there is none), a list with one for each test, or `each`."""
    each = points.get("each") if isinstance(points, dict) else None
    left = [test for test in tests if not test.points]
    for number, test in enumerate(tests):
        worth = test.points
        if isinstance(points, list) and number < len(points):
            worth = float(points[number])
        elif not worth and isinstance(each, int | float):
            worth = float(each)
        elif not worth:
            total = float(points) if isinstance(points, int | float) else 1.0
            worth = max(total - sum(one.points for one in tests), 0.0) / len(left)
        yield replace(test, points=worth)


def _code(number: int, source: str, is_solution: bool) -> SourceCell:
    if not is_solution:
        return SourceCell(number, CODE, source)
    return SourceCell(number, SOLUTION, marked(source))


def marked(source: str) -> str:
    """A solution with our markers: those of nbgrader and otter are replaced, and a cell without any has its functions'
    bodies marked, or else all of it."""
    lines: list[str] = []
    pending: list[str] = []  # lines that end with `# SOLUTION`

    def flush() -> None:
        if pending:
            indent = pending[0][: len(pending[0]) - len(pending[0].lstrip())]
            lines.extend([*([] if indent else _prompts(pending)), indent + BEGIN, *pending, indent + END])
            pending.clear()

    any_mark = False
    for line in source.split("\n"):
        region, single = _REGION.match(line), _LINE.match(line)
        any_mark = any_mark or bool(region or single)
        if single and not region:
            pending.append(single[1])
            continue
        flush()
        lines.append(f"{region[1]}### {region[2]} SOLUTION" if region else line)
    flush()
    return "\n".join(lines) if any_mark else _wholly_marked(source)


def _prompts(lines: Sequence[str]) -> Iterator[str]:
    """`x = ...` for each variable that these lines set: outside a function, only the code above a solution stays."""
    for line in lines:
        if name := re.match(r"([A-Za-z_]\w*)\s*=(?!=)", line):
            yield f"{name[1]} = ..."


def _wholly_marked(source: str) -> str:
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return f"{BEGIN}\n{source}\n{END}"
    functions = [
        node
        for top in body
        for node in ([top] if isinstance(top, ast.FunctionDef) else top.body if isinstance(top, ast.ClassDef) else [])
        if isinstance(node, ast.FunctionDef)
    ]
    lines = source.split("\n")
    if not functions:
        return "\n".join([*_prompts(lines), BEGIN, *lines, END])
    for function in reversed(functions):
        first = 1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0
        start, end = function.body[first].lineno - 1, function.end_lineno or function.lineno
        if start >= function.lineno:  # not `def f(x): return x`
            indent = " " * function.body[first].col_offset
            lines[start:end] = [indent + BEGIN, *lines[start:end], indent + END]
    return "\n".join(lines)
