"""What is graded of a submission in a class, and what is left out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from autograder.batch.discovery import SUFFIXES, Found
from autograder.output.inert import one_line
from autograder.submissions.other_files import is_allowed
from autograder.submissions.reading import STUB, Submission, names_in, read_submission
from autograder.submissions.sources import SubmissionError, shown

_SHOWN = 20  # names of files
_CODE = (".py", ".ipynb")
_COPY = re.compile(r"(-\d+| ?\(\d+\))$")  # what Canvas and browsers add to a name that is there already


class Graded(msgspec.Struct, frozen=True):
    """`file` is empty if none could be read, and names two if the better of them counts. `cells` is the number of cells
    with code, 0 if there is no notebook; `choice` tells the instructor which of several files was taken, and `beside`
    is what it can import and read."""

    file: str = ""
    cells: int = 0
    left_out: tuple[str, ...] = ()
    choice: str = ""
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        cells = f", {self.cells} code cell{'s' * (self.cells != 1)}" if self.cells else ""
        return f"{self.file}{cells}" + (f", with {', '.join(self.beside)}" if self.beside else "")


def read(found: Found, module: str, allowed: Sequence[str] = ()) -> tuple[Submission, Graded]:
    """What is graded of a submission, and the `allowed` files beside it.

    Raises:
        SubmissionError: as `read_submission`.
    """
    path = Path(found.path)
    names = _chosen(found, module, allowed) if found.files else []
    called = {name: _COPY.sub("", Path(name).stem) + Path(name).suffix for name in found.files if name not in names}
    beside = {plain: Path(found.files[name]) for name, plain in reversed(called.items())}  # of several the newest
    submission, *others = [
        read_submission(place, module, allowed, beside)
        for place in [Path(found.files[name]) for name in names] or [path]
    ]
    if others:
        submission = msgspec.structs.replace(submission, other=others[0])
    both = [submission, *([submission.other] if submission.other else [])]
    files = [each.name for each in both]
    if names:  # as the student called them
        files = [
            shown(name) + file.removeprefix(shown(Path(found.files[name]).name))
            for name, file in zip(itertools.cycle(names), files, strict=False)
        ]
    left_out = [*_left_out(found, files, submission, called), *found.left_out]
    passed_over = [each for each in left_out if each.lower().endswith(SUFFIXES)] if found.files else []
    graded, verb = " and ".join(files), "are" if len(files) > 1 else "is"
    choice = f"{graded} {verb} graded, and not {', '.join(passed_over[:_SHOWN])}" if passed_over else ""
    cells = sum(len(each.cells) for each in both if each.is_notebook)
    return submission, Graded(graded, cells, _few(left_out), choice, _few([each.name for each in submission.files]))


def _left_out(found: Found, files: Sequence[str], submission: Submission, called: Mapping[str, str]) -> list[str]:
    """The names of what is not graded, and not read beside it."""
    path = Path(found.path)
    beside = [each.name for each in submission.files]
    folder = files[0].removeprefix(f"{shown(path.name)}/").rpartition("/")[0]
    read = {f"{folder}/{each}".lstrip("/") for each in beside}
    read |= {shown(name) for name, plain in called.items() if plain in beside}
    return [
        each
        for each in _names(found)
        if each not in read
        and not any(f"{file}/".startswith((f"{each}/", f"{shown(path.name)}/{each}/")) for file in files)
    ]


def unread(found: Found) -> Graded:
    """What was handed in if none of it can be graded."""
    return Graded(left_out=_few([*_names(found), *found.left_out]))


def _chosen(found: Found, module: str, allowed: Sequence[str]) -> list[str]:
    """Which of the files of a student is the one of `module`: the one with the least left to do, of equals the newest.
    As in a folder, a file and a notebook are both graded, unless only one of them is finished."""
    stems = {name: _COPY.sub("", Path(name).stem).lower() for name in found.files}
    code = [name for name in found.files if name.lower().endswith(_CODE)]
    code = [name for name in code if not is_allowed((name,), allowed)] or code
    exactly, roughly = (
        [name for name in code if stems[name] == module.lower()],
        [name for name in code if module.lower() in stems[name]],
    )
    fitting = exactly or roughly or [name for name in code if stems[name] == stems[code[0]]]
    left = {}
    for name in fitting if len(fitting) > 1 else ():
        try:
            submission = read_submission(Path(found.files[name]), module)
        except SubmissionError:
            continue
        left[name] = sum(cell.source.count(STUB.decode()) for cell in submission.cells)
    of_each_kind = [[name for name in left if name.lower().endswith(kind)] for kind in _CODE]
    best = [min(names, key=lambda name: left[name]) for names in of_each_kind if names]
    finished = [name for name in best if not left[name]]
    zips = (name for name in found.files if name.lower().endswith(".zip"))
    return finished if len(finished) == 1 else best or [next(iter([*fitting, *zips, *found.files]))]


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
