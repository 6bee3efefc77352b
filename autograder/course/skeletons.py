"""Turns a solution into what students receive: the code between nbgrader's solution markers becomes a stub. The file is
made here; nbgrader makes the notebook, from the source notebook that is made here."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from autograder.errors import UsageError

BEGIN, END = (
    "BEGIN SOLUTION",
    "END SOLUTION",
)  # written `### BEGIN SOLUTION`; nbgrader looks only for this part
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = "# YOUR ANSWER HERE"  # in a text cell, for a person to grade

SETUP = "# Run this first: with %check, each exercise below can be tested.\n%load_ext autograder"

_CELL = re.compile(r"# %%")
_TEXT_CELL = re.compile(r"# %%.*\[markdown\]")


def skeleton(solution: str, name: str = "the solution") -> str:
    """`solution` as nbgrader's ClearSolutions would leave it, guaranteed to be valid Python.

    Args:
        solution: the text of a solution file, with percent cells or plain.
        name: what error messages call that file.

    Raises:
        UsageError: the markers do not match, or what is left without the solutions is not valid Python.
    """
    lines: list[str] = []
    begun = 0  # the line in which the open region began
    is_text = False
    for number, line in enumerate(solution.split("\n"), 1):
        if _CELL.match(line):
            is_text = bool(_TEXT_CELL.match(line))
        if BEGIN in line:
            if begun:
                raise UsageError(f"Correct {name}, line {number}: this solution begins inside the one in line {begun}.")
            begun = number
            indent = line[: len(line) - len(line.lstrip())]
            # Outside a function, an exception would stop the whole file: the code above the region has to do.
            stubs = (TEXT_STUB,) if is_text else STUB if indent else STUB[:1]
            lines += [indent + stub for stub in stubs]
        elif END in line:
            if not begun:
                raise UsageError(f"Correct {name}, line {number}: a solution ends here, but none has begun.")
            begun = 0
        elif not begun:
            lines.append(line)
        elif _CELL.match(line):
            raise UsageError(
                f"Correct {name}, line {begun}: this solution continues into the next cell, in line {number}."
            )
    if begun:
        raise UsageError(f"Correct {name}, line {begun}: this solution never ends; write ### {END} after it.")
    text = "\n".join(lines)
    try:
        compile(text, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno} of what is left" if isinstance(error, SyntaxError) else ""
        raise UsageError(
            f"Correct {name}: without its solutions it is not valid Python ({error.args[0]}{where})."
        ) from error
    return text


def source_notebook(
    solution: str, exercises: Mapping[str, float], manual: Mapping[str, float] | None = None, name: str = "the solution"
) -> str:
    """The notebook of a solution as nbgrader wants its source, as JSON; the same text gives the same notebook, byte for
    byte. Cells with solutions are answer cells; after its last one, each exercise has a test cell worth its points. A
    question in `manual` is the text cell of this name, graded by hand; `name` is what error messages call the solution.

    Raises:
        UsageError: the text cells do not fit `manual`.
    """
    import jupytext  # imported here: only authors need it, and it takes a while to load
    import nbformat

    book = jupytext.reads(solution, fmt="py:percent")
    bound = [_bound_names(cell.source) if cell.cell_type == "code" else [] for cell in book.cells]
    answers = [cell.cell_type == "code" and BEGIN in cell.source for cell in book.cells]
    last: dict[str, int] = {}
    for number, names in enumerate(bound):
        last |= {name: number for name in names if answers[number] or name not in last}
    questions = _questions(book.cells, manual or {}, name)
    make: Any = nbformat.v4.new_code_cell
    cells: list[Any] = []
    ids: set[str] = set()
    for number, cell in enumerate(book.cells):
        cell.metadata.pop("lines_to_next_cell", None)
        if number in questions:
            question = questions[number]
            _mark(cell, _free(cell_id(question), ids), solution=True, points=(manual or {})[question])
        elif answers[number]:
            # Students see the name, so use only names from the solution that they know anyway.
            public = [name for name in bound[number] if name in exercises] or _bound_names(skeleton(cell.source))
            answer = public[0] if public else "answer"
            _mark(cell, _free(cell_id(answer), ids), solution=True)
        else:
            # From the cell's text, as jupytext's ids are random. Only repeated texts need something extra.
            cell.id = _free(hashlib.blake2b(cell.source.encode(), digest_size=4).hexdigest(), ids)
        cells.append(cell)
        if number == 0:
            cells.append(make(SETUP))
            _mark(cells[-1], _free("setup", ids))
        # An exercise that no cell defines is tested at the end.
        for name in exercises:
            if last.get(name, len(book.cells) - 1) == number:
                cells.append(make(f"%check {name}"))
                _mark(cells[-1], _free(test_cell_id(name), ids), points=exercises[name])
    book.cells = cells
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(book)
    return str(nbformat.writes(book, version=4)) + "\n"  # type: ignore[no-untyped-call]


def _questions(cells: list[Any], manual: Mapping[str, float], name: str) -> dict[int, str]:
    """The numbers of the cells that are questions, each with the question's name."""
    titles = {n: cell.metadata.get("title") for n, cell in enumerate(cells) if cell.cell_type == "markdown"}
    for question in manual:
        if (count := list(titles.values()).count(question)) != 1:
            raise UsageError(
                f"Correct {name}: [manual] names {question!r}, so exactly one text cell must begin "
                f"`# %% {question} [markdown]`, not {count}."
            )
    for number, title in titles.items():
        if BEGIN in cells[number].source and title not in manual:
            raise UsageError(
                f"Correct {name}: a text cell with a solution must begin `# %% NAME [markdown]`, where NAME is a "
                "question in [manual] of assignment.toml."
            )
    return {number: title for number, title in titles.items() if title in manual}


def cell_id(name: str) -> str:
    """The name, made valid as a cell id for both nbgrader and the notebook format."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)[:50]


def test_cell_id(exercise: str) -> str:
    return f"test_{cell_id(exercise)}"


def _free(name: str, taken: set[str]) -> str:
    free = name
    while free in taken:
        free = f"{name}-{len(taken)}"
    taken.add(free)
    return free


def _mark(cell: Any, name: str, *, solution: bool = False, points: float | None = None) -> None:
    """Marks it as an answer cell, a test cell worth `points`, an answer cell that a person grades (both), or a cell
    that is only protected."""
    grade = points is not None
    mark: dict[str, Any] = {"grade": grade, "grade_id": name, "locked": not solution, "schema_version": 3}
    mark |= {"solution": solution, "task": False}
    if points is not None:
        mark["points"] = int(points) if float(points).is_integer() else float(points)
    cell.id = name
    cell.metadata["nbgrader"] = mark


def _bound_names(source: str) -> list[str]:
    """What a cell defines: functions, classes and variables, including variables of which it only sets an entry."""
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                names += [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
    return list(dict.fromkeys(names))
