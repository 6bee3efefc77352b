"""Turns a solution into what students receive, a file and a notebook: what stands between nbgrader's solution markers
becomes a stub."""

from __future__ import annotations

import hashlib
import re

from autograder.errors import UsageError

BEGIN, END = (
    "BEGIN SOLUTION",
    "END SOLUTION",
)  # written `### BEGIN SOLUTION`; nbgrader looks for no more than this
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")

_CELL = re.compile(r"# %%")


def skeleton(solution: str, name: str = "the solution") -> str:
    """`solution` as nbgrader's ClearSolutions would leave it, and certain to be valid Python.

    Args:
        solution: the text of a solution file, percent cells or plain.
        name: what error messages call that file.

    Raises:
        UsageError: the markers do not fit together, or what is left without the solutions is no Python.
    """
    lines: list[str] = []
    begun = 0  # the line in which the open region began
    for number, line in enumerate(solution.split("\n"), 1):
        if BEGIN in line:
            if begun:
                raise UsageError(f"Correct {name}, line {number}: this solution begins inside that of line {begun}.")
            begun = number
            indent = line[: len(line) - len(line.lstrip())]
            # In no function, an exception would end the whole file: what stands above the region must do.
            lines += [indent + stub for stub in (STUB if indent else STUB[:1])]
        elif END in line:
            if not begun:
                raise UsageError(f"Correct {name}, line {number}: a solution ends here that never began.")
            begun = 0
        elif not begun:
            lines.append(line)
        elif _CELL.match(line):
            raise UsageError(
                f"Correct {name}, line {begun}: this solution goes on into the next cell, in line {number}."
            )
    if begun:
        raise UsageError(f"Correct {name}, line {begun}: this solution never ends; write ### {END} behind it.")
    text = "\n".join(lines)
    try:
        compile(text, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno} of what is left" if isinstance(error, SyntaxError) else ""
        raise UsageError(
            f"Correct {name}: without its solutions it is no valid Python ({error.args[0]}{where})."
        ) from error
    return text


def notebook(skeleton: str) -> str:
    """The notebook of a skeleton in percent format, as JSON; the same text gives the same notebook, byte by byte."""
    import jupytext  # here: only authors need it, and it takes a while to load
    import nbformat

    book = jupytext.reads(skeleton, fmt="py:percent")
    ids: set[str] = set()
    for cell in book.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        # From the cell's text: jupytext's are random. Only a repeated text needs more to be told apart.
        name = digest = hashlib.blake2b(cell.source.encode(), digest_size=4).hexdigest()
        while name in ids:
            name = f"{digest}-{len(ids)}"
        ids.add(name)
        cell.id = name
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(book)
    return str(nbformat.writes(book, version=4)) + "\n"  # type: ignore[no-untyped-call]
