"""Finds a class's submissions in one folder, whatever platform the folder came from.

Known layouts: Gradescope's export (`submission_metadata.yml` says who handed in what), nbgrader's `submitted/`
(a folder per student with one folder per assignment), downloads from Moodle and Canvas (recognised by their names),
and otherwise one file or folder per submission. Students choose the names, so they are made safe as file names here.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml

from autograder.errors import UsageError
from autograder.output.inert import one_line

SUFFIXES = (".py", ".ipynb", ".zip")
METADATA = "submission_metadata.yml"
_NAME_BYTES = 120  # of a file name; with what we add before and after, it may have 255
_LABEL_LIMIT = 100
_NO_STUDENTS = {"__MACOSX", "__pycache__"}
_MOODLE = re.compile(r"(?P<name>.+)_\d+_assignsubmission_file_?")
_CANVAS = re.compile(r"(?P<name>[^\W\d_][^\W_]*)(_LATE)?_(?P<id>\d+)_\d+_.+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)  # not allowed as file names on Windows


class Student(msgspec.Struct, frozen=True):
    """Who gets the grade, in the terms of a learning platform; unknown fields are empty."""

    name: str
    id: str = ""
    sis_id: str = ""
    login: str = ""


class Found(msgspec.Struct, frozen=True):
    """One submission: `name` is the name of its files in OUT, `label` is what people read."""

    name: str
    label: str
    path: str
    students: tuple[Student, ...]


@dataclass
class Roster:
    """The class, sorted by name, and what is not a submission, as lines for the instructor."""

    found: list[Found] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def discover(folder: Path, slug: str, leave_out: Path | None = None) -> Roster:
    """All submissions for the assignment `slug` in `folder`, without `leave_out` (our own output).

    Raises:
        UsageError: there is no such folder, or it contains no submission.
    """
    try:
        entries = sorted(
            (entry for entry in os.scandir(folder) if Path(entry.path) != leave_out), key=lambda entry: entry.name
        )
    except NotADirectoryError:
        raise UsageError(f"{folder} is not a folder; unpack it, or use `autograder grade` for one file.") from None
    except OSError as error:
        raise UsageError(f"Cannot read {folder}: {error.strerror}.") from error
    roster = Roster()
    if any(entry.name == METADATA for entry in entries):
        raw = list(_gradescope(folder, entries))
    elif any(_is_folder(entry) and _is_folder_at(Path(entry.path, slug)) for entry in entries):
        raw = list(_nbgrader(entries, slug, roster))
    else:
        raw = list(_plain(entries, roster))
    taken: set[str] = set()
    for given, path, students in raw:
        name = _file_name(given, taken)
        taken.add(name.casefold())
        label = one_line(given, _LABEL_LIMIT) or name
        roster.found.append(Found(name, label, str(path), students or (Student(label, login=label),)))
    if not roster.found:
        raise UsageError(
            f"No submissions in {folder}: it has no .py, .ipynb or .zip file and no folder with one in it."
        )
    return roster


_Raw = tuple[str, Path, tuple[Student, ...]]


def _gradescope(folder: Path, entries: Sequence[os.DirEntry[str]]) -> Iterator[_Raw]:
    submitters = _submitters(folder / METADATA)
    for entry in entries:
        if _is_folder(entry) and not entry.name.startswith("."):
            yield entry.name, Path(entry.path), submitters.get(entry.name, ())


def _submitters(path: Path) -> dict[str, tuple[Student, ...]]:
    """Who handed in each submission. Only those few lines are parsed: the file also contains all earlier results."""
    found: dict[str, tuple[Student, ...]] = {}
    key, lines, wanted = "", list[str](), False

    def finish() -> None:
        if key and lines:
            found[key] = _students("".join(lines))

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.startswith((" ", "\n", "\r")):  # a top-level key; block texts are indented
                    finish()
                    key, lines, wanted = line.strip().rstrip(":").strip("'\""), [], False
                elif re.match(r"  :\w+:", line):
                    wanted = line.startswith("  :submitters:")
                if wanted:
                    lines.append(line)
        finish()
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    return found


def _students(text: str) -> tuple[Student, ...]:
    def field(person: dict[str, object], key: str) -> str:
        return one_line(str(person.get(key) or ""), _LABEL_LIMIT)

    try:
        people = yaml.safe_load(text)[":submitters"]  # Ruby's symbols keep their first colon
        return tuple(
            Student(field(person, ":name"), sis_id=field(person, ":sid"), login=field(person, ":email"))
            for person in people
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return ()


def _nbgrader(entries: Sequence[os.DirEntry[str]], slug: str, roster: Roster) -> Iterator[_Raw]:
    for entry in entries:
        path = Path(entry.path, slug)
        if _is_folder_at(path):
            yield entry.name, path, ()
        elif _is_folder(entry) and not _ignored(entry.name):
            roster.left_out.append(f"{one_line(entry.name, _LABEL_LIMIT)} handed in nothing for {slug}")


def _plain(entries: Sequence[os.DirEntry[str]], roster: Roster) -> Iterator[_Raw]:
    files = [entry for entry in entries if not _ignored(entry.name)]
    stems = [_stem(entry) for entry in files]
    for entry, stem in zip(files, stems, strict=True):
        path = Path(entry.path)
        if not _is_folder(entry) and path.suffix.lower() not in SUFFIXES and not entry.is_symlink():
            shown = one_line(entry.name, _LABEL_LIMIT)
            roster.left_out.append(f"{shown} is left out: it is not a .py, .ipynb or .zip file or a folder")
            continue
        students: tuple[Student, ...] = ()
        if moodle := _MOODLE.fullmatch(entry.name):
            students = (Student(one_line(moodle["name"], _LABEL_LIMIT)),)
        elif canvas := _CANVAS.fullmatch(stem):
            students = (Student(canvas["name"], id=canvas["id"]),)
        yield stem if stems.count(stem) == 1 else entry.name, path, students


def _stem(entry: os.DirEntry[str]) -> str:
    return entry.name if _is_folder(entry) else Path(entry.name).stem


def _ignored(name: str) -> bool:
    return name.startswith(".") or name in _NO_STUDENTS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _is_folder_at(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _file_name(given: str, taken: set[str]) -> str:
    """`given` if it is a valid file name on every system and not `taken`; else something similar, with a hash."""
    name = re.sub(r"[^\w.@+ -]", "_", given)
    name = os.fsencode(name)[:_NAME_BYTES].decode(errors="ignore").strip(" .")
    name = f"_{name}" if not name or name.startswith("-") or _RESERVED.fullmatch(name) else name
    if name == given and name.casefold() not in taken:
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(given)).hexdigest()[:8]}"
