"""Finds a class's submissions in one folder, whatever platform the folder came from.

Known layouts: Gradescope's export (`submission_metadata.yml` says who handed in what), nbgrader's `submitted/`
(a folder per student with one folder per assignment), downloads from Moodle and Canvas (recognised by their names),
and otherwise one file or folder per submission. Students choose what is in their entry of the folder, and often its
name: so each entry is judged by itself, and names are made safe as file names here.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import msgspec
import yaml

from autograder.errors import UsageError
from autograder.output.inert import one_line

SUFFIXES = (".py", ".ipynb", ".zip")
METADATA = "submission_metadata.yml"
_NAME_BYTES = 120  # of a file name; with what we add before and after, it may have 255
_LABEL_LIMIT = 100
_MOST_ASSIGNMENTS = 100  # in one student's folder
_NO_STUDENTS = {"__MACOSX", "__pycache__"}
_GRADESCOPE = re.compile(r"submission_\d+")
_MOODLE = re.compile(r"(?P<name>.+)_\d+_assignsubmission_file_?")
_CANVAS = re.compile(r"(?P<name>[^\W\d_][^\W_]*)(_LATE)?_(?P<id>\d+)_\d+_.+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)  # not allowed as file names on Windows
_MADE_HERE = re.compile(r".*-[0-9a-f]{16}", re.I | re.S)


class Layout(Enum):
    """What an entry of the folder was taken for, as people read it."""

    PLAIN = "plain"
    GRADESCOPE = "from a Gradescope export"
    NBGRADER = "laid out as in nbgrader's submitted/"
    MOODLE = "from a Moodle download"
    CANVAS = "from a Canvas download"


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

    def __post_init__(self) -> None:
        """A class list that came with a submission must not say where files are written."""
        if Path(self.name).name != self.name or self.name.startswith("."):
            raise ValueError(f"{self.name!r} is not a file name")


@dataclass
class Roster:
    """The class, sorted by name, and what is not a submission, as lines for the instructor."""

    found: list[Found] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    layouts: Counter[Layout] = field(default_factory=Counter)

    def __str__(self) -> str:
        """How the folder was read."""
        count = len(self.found)
        parts = ", ".join(f"{self.layouts[layout]} {layout.value}" for layout in Layout if self.layouts[layout])
        return f"Found {count} submission{'s' * (count != 1)}: {parts}."


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
    taken: set[str] = set()
    for entry, given, path, students, layout in _read(entries, slug, roster):
        name = _file_name(entry.name, given, taken)
        taken.add(name.casefold())
        label = one_line(given, _LABEL_LIMIT) or name
        roster.found.append(Found(name, label, str(path), students or (Student(label, login=label),)))
        roster.layouts[layout] += 1
    if not roster.found:
        raise UsageError(
            f"No submissions in {folder}: it has no .py, .ipynb or .zip file and no folder with one in it."
        )
    return roster


_Read = tuple[os.DirEntry[str], str, Path, tuple[Student, ...], Layout]


def _read(entries: Sequence[os.DirEntry[str]], slug: str, roster: Roster) -> Iterator[_Read]:
    """Each submission with its name, what is to be read, and who handed it in."""
    submitters = _exported(entries)
    submissions = []
    for entry in entries:
        if _ignored(entry.name) or (submitters and entry.name == METADATA):
            continue
        if _is_folder(entry) or entry.is_symlink() or Path(entry.name).suffix.lower() in SUFFIXES:
            submissions.append(entry)
        else:
            shown = one_line(entry.name, _LABEL_LIMIT)
            roster.left_out.append(f"{shown} is left out: it is not a .py, .ipynb or .zip file or a folder")
    stems = Counter(map(_stem, submissions))
    for entry in submissions:
        path, stem = Path(entry.path), _stem(entry)
        given = stem if stems[stem] == 1 else entry.name
        if entry.name in submitters and _is_folder(entry):
            yield entry, given, path, submitters[entry.name], Layout.GRADESCOPE
        elif moodle := _MOODLE.fullmatch(entry.name):
            yield entry, given, path, (Student(one_line(moodle["name"], _LABEL_LIMIT)),), Layout.MOODLE
        elif assignments := _nbgraders(entry, slug):
            if slug in assignments:
                yield entry, given, path / slug, (), Layout.NBGRADER
            else:
                roster.left_out.append(f"{one_line(entry.name, _LABEL_LIMIT)} handed in nothing for {slug}")
        elif canvas := _CANVAS.fullmatch(stem):
            yield entry, given, path, (Student(canvas["name"], id=canvas["id"]),), Layout.CANVAS
        else:
            yield entry, given, path, (), Layout.PLAIN


def _exported(entries: Sequence[os.DirEntry[str]]) -> dict[str, tuple[Student, ...]]:
    """Who handed in what, if this is an export from Gradescope. Only folders with the names that Gradescope gives are
    looked up: a student may have handed in a file with the name of the metadata."""
    metadata = [entry for entry in entries if entry.name == METADATA and entry.is_file(follow_symlinks=False)]
    folders = {entry.name for entry in entries if _GRADESCOPE.fullmatch(entry.name)}
    if not metadata or not folders:
        return {}
    return {name: students for name, students in _submitters(Path(metadata[0].path)).items() if name in folders}


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


def _nbgraders(entry: os.DirEntry[str], slug: str) -> set[str]:
    """The assignments in this folder if it is laid out like a student's in nbgrader's `submitted/`. Empty if it is not:
    also if a file lies beside the folders, because then it could just as well be a plain submission."""
    if not _is_folder(entry):
        return set()
    try:
        with os.scandir(entry.path) as scan:
            inside = [each for each in itertools.islice(scan, _MOST_ASSIGNMENTS) if not _ignored(each.name)]
    except OSError:
        return set()
    is_nbgraders = all(_is_folder(each) and (each.name == slug or _is_assignment(each)) for each in inside)
    return {each.name for each in inside} if is_nbgraders else set()


def _is_assignment(entry: os.DirEntry[str]) -> bool:
    names = (f"{entry.name}.ipynb", f"{entry.name}.py", "timestamp.txt")
    return any(os.path.lexists(os.path.join(entry.path, name)) for name in names)  # noqa: PTH118


def _stem(entry: os.DirEntry[str]) -> str:
    return entry.name if _is_folder(entry) else Path(entry.name).stem


def _ignored(name: str) -> bool:
    return name.startswith(".") or name in _NO_STUDENTS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _file_name(entry: str, given: str, taken: set[str]) -> str:
    """`given` if it is a valid file name on every system, not `taken`, and not like those made here; else something
    similar, with a hash of the entry's name, which no other entry has."""
    name = re.sub(r"[^\w.@+ -]", "_", given)
    name = os.fsencode(name)[:_NAME_BYTES].decode(errors="ignore").strip(" .")
    name = f"_{name}" if not name or name.startswith("-") or _RESERVED.fullmatch(name) else name
    if name == given and name.casefold() not in taken and not _MADE_HERE.fullmatch(name):
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(entry)).hexdigest()[:16]}"
