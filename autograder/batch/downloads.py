"""Whose file or folder this is, by the name that Moodle or Canvas gave it in a download of all submissions.

Moodle: `<name>_<number>_assignsubmission_file`, a folder or, without folders, the beginning of each file's name; the
number is the participant's in Moodle's grading worksheet, also when names are hidden. Canvas:
`<name>_<user>_<upload>_<file>`, with `LATE_` before the user's number, and `anon_<code>` in place of name and number
when names are hidden. What a student typed into a text box is an HTML file of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import msgspec

from autograder.output.inert import one_line

PARTICIPANT = "Participant "  # how Moodle's worksheet begins the identifier of a row
LABEL_LIMIT = 100
_MOODLE = re.compile(r"(?P<name>.+?)(_(?P<number>\d+))?_assignsubmission_(?P<kind>[^\W_]+)(_(?P<file>.+)|_?)", re.S)
# A name has letters and marks of any script; a number may follow an underscore only where it is the user's.
_CANVAS = re.compile(
    r"(?P<late>LATE_)?(?P<code>anon_[0-9A-Za-z]+)_(?P<anonymous>.+)"
    r"|(?P<name>(?:\w|[^\x00-\x7f])+?)(?P<late_too>_LATE)?_(?P<number>\d+)_(?P<named>.+)",
    re.I | re.S,
)
_CANVAS_FILE = re.compile(r"(?P<upload>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html", re.S)
_COPY = re.compile(r"-(\d+)(?=(\.\w+)?$)")


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


@dataclass(frozen=True)
class Owner:
    """The student, or the group, whose submission an entry belongs to, and what the platform calls them by."""

    layout: Layout
    name: str
    number: str

    @property
    def label(self) -> str:
        return f"{self.name} ({self.number})" if self.number not in ("", self.name) else self.name

    @property
    def file_name(self) -> str:
        return f"{self.name}_{self.number}" if self.number not in ("", self.name) else self.name

    @property
    def student(self) -> Student:
        moodles = self.layout is Layout.MOODLE and self.number
        return Student(self.name, id=f"{PARTICIPANT}{self.number}" if moodles else self.number)


@dataclass(frozen=True)
class Part:
    """An entry of a download. `file` is what the student called it, empty for a folder; `upload` grows with time."""

    path: Path
    owner: Owner
    file: str
    upload: int = 0
    late: bool = False
    typed: bool = False

    @property
    def versions(self) -> str:
        """Equal for all versions of one file: Canvas adds `-1`, `-2` … to the name when it is handed in again."""
        return _COPY.sub("", self.file)

    @property
    def age(self) -> tuple[int, int]:
        """The latest version is the largest."""
        copy = _COPY.search(self.file)
        return self.upload, int(copy[1][:9]) if copy else 0


def moodles(path: Path) -> Part | None:
    """The entry at `path` if Moodle gave it its name."""
    if not (match := _MOODLE.fullmatch(path.name)):
        return None
    owner = Owner(Layout.MOODLE, _clean(match["name"]), match["number"] or "")
    return Part(path, owner, match["file"] or "", typed=match["kind"] != "file")


def canvas(path: Path) -> Part | None:
    """The entry at `path` if Canvas gave it its name."""
    match = _CANVAS.fullmatch(path.name)
    file = _CANVAS_FILE.fullmatch(match["anonymous"] or match["named"]) if match else None
    if not match or not file:
        return None
    number = match["code"] or match["number"]
    owner = Owner(Layout.CANVAS, _clean(match["name"] or number), number)
    late = bool(match["late"] or match["late_too"])
    return Part(path, owner, file["file"] or "", int((file["upload"] or "0")[:18]), late, typed=bool(file["typed"]))


def newest_first(parts: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """What of one submission counts, and the files of which there is a later version."""
    newest: dict[str, Part] = {}
    ordered = sorted(parts, key=lambda part: (part.age, part.file))
    for part in ordered:
        newest[part.versions if part.owner.layout is Layout.CANVAS else part.path.name] = part
    counts = list(newest.values())[::-1]
    if any(part.path.is_dir() for part in counts):  # nothing says what belongs together
        counts = [max(counts, key=lambda part: part.age)]
    return counts, [part for part in ordered if part not in counts]


def _clean(name: str) -> str:
    """Composed, because macOS takes letters apart when it unpacks an archive."""
    return one_line(unicodedata.normalize("NFC", name), LABEL_LIMIT)
