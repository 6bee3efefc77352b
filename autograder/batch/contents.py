"""What is graded of a submission in a class, and what is left out."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from autograder.batch.discovery import SUFFIXES, Found
from autograder.output.inert import one_line
from autograder.submissions.reading import STUB, Submission, names_in, read_submission
from autograder.submissions.sources import SubmissionError, shown

_SHOWN = 20  # names of files
_COPY = re.compile(r"(-\d+| ?\(\d+\))$")  # what Canvas and browsers add to a name that is there already


class Graded(msgspec.Struct, frozen=True):
    """`file` is empty if none could be read; `cells` is the number of cells with code, 0 if it is not a notebook.
    `choice` tells the instructor which of several files was taken."""

    file: str = ""
    cells: int = 0
    left_out: tuple[str, ...] = ()
    choice: str = ""

    def __str__(self) -> str:
        cells = f", {self.cells} code cell{'s' * (self.cells != 1)}" if self.cells else ""
        return f"{self.file}{cells}"


def read(found: Found, module: str) -> tuple[Submission, Graded]:
    """The one file of `module` in a submission.

    Raises:
        SubmissionError: as `read_submission`.
    """
    path = Path(found.path)
    name = _chosen(found, module) if found.files else ""
    submission = read_submission(path if not name else Path(found.files[name]), module)
    file = submission.name
    if name:  # as the student called it
        file = shown(name) + file.removeprefix(shown(Path(found.files[name]).name))
    others = [each for each in _names(found) if not f"{file}/".startswith((f"{each}/", f"{shown(path.name)}/{each}/"))]
    others += found.left_out
    passed_over = [each for each in others if each.lower().endswith(SUFFIXES)] if found.files else []
    choice = f"{file} is graded, and not {', '.join(passed_over[:_SHOWN])}" if passed_over else ""
    cells = len(submission.cells) if submission.is_notebook else 0
    return submission, Graded(file, cells, _few(others), choice)


def unread(found: Found) -> Graded:
    """What was handed in if none of it can be graded."""
    return Graded(left_out=_few([*_names(found), *found.left_out]))


def _chosen(found: Found, module: str) -> str:
    """Which of the files of a student is the one of `module`: of file and notebook the one with less left to do, of
    equals the newest."""
    stems = {name: _COPY.sub("", Path(name).stem).lower() for name in found.files}
    code = [name for name in found.files if name.lower().endswith((".py", ".ipynb"))]
    exactly, roughly = (
        [name for name in code if stems[name] == module.lower()],
        [name for name in code if module.lower() in stems[name]],
    )
    fitting = exactly or roughly or [name for name in code if stems[name] == stems[code[0]]]
    readable = {}
    for name in fitting if len(fitting) > 1 else ():
        try:
            submission = read_submission(Path(found.files[name]), module)
        except SubmissionError:
            continue
        readable[name] = sum(cell.source.count(STUB.decode()) for cell in submission.cells)
    zips = (name for name in found.files if name.lower().endswith(".zip"))
    return min(readable, key=lambda name: readable[name], default=next(iter([*fitting, *zips, *found.files])))


def _names(found: Found) -> list[str]:
    if found.files:
        return [shown(name) for name in found.files]
    path = Path(found.path)
    return [
        shown("/".join(parts))
        for parts in names_in(path)
        if not parts[-1].startswith(".") and parts[-1] != "timestamp.txt" and not path.joinpath(*parts).is_dir()
    ]


def _few(names: list[str]) -> tuple[str, ...]:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return (*(one_line(name, 100) for name in names[:_SHOWN]), *more)
