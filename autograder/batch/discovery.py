"""Finds a class's submissions in one folder, whatever platform the folder came from.

Known layouts: Gradescope's export (`submission_metadata.yml` says who handed in what), nbgrader's `submitted/`
(a folder per student with one folder per assignment), downloads from Moodle and Canvas (recognised by their names),
and otherwise one file or folder per submission. Students choose what is in their entry of the folder, and often its
name: so each entry is judged by itself, except that a platform's files of one student are one submission, and names are
made safe as file names here.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.batch.downloads import LABEL_LIMIT, Layout, Owner, Part, Student, canvas, moodles, newest_first
from autograder.batch.export import METADATA, submitters, when
from autograder.errors import UsageError
from autograder.output.inert import one_line

SUFFIXES = (".py", ".ipynb", ".zip")
_NAME_BYTES = 120  # of a file name; with what we add before and after, it may have 255
_MOST_ASSIGNMENTS = 100  # in one student's folder
_NO_STUDENTS = {"__MACOSX", "__pycache__"}
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)  # not allowed as file names on Windows
_MADE_HERE = re.compile(r".*-[0-9a-f]{16}", re.I | re.S)


class Found(msgspec.Struct, frozen=True):
    """One submission: `name` is the name of its files in OUT, `label` is what people read. `files` are those of a
    student whose files lie side by side with everybody's, by the names that the student gave them, the newest first.
    `left_out` are older versions and what is not a file. `handed_in` is what the platform says about when."""

    name: str
    label: str
    path: str
    students: tuple[Student, ...]
    files: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    handed_in: str = ""

    def __post_init__(self) -> None:
        """A class list that came with a submission must not say where files are written."""
        if Path(self.name).name != self.name or self.name.startswith("."):
            raise ValueError(f"{self.name!r} is not a file name")


@dataclass
class Roster:
    """The class, sorted by name, and what is not a submission or has no owner, as lines for the instructor."""

    found: list[Found] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    layouts: Counter[Layout] = field(default_factory=Counter)

    def __str__(self) -> str:
        """How the folder was read."""
        count = len(self.found)
        parts = ", ".join(f"{self.layouts[layout]} {layout.value}" for layout in Layout if self.layouts[layout])
        return f"Found {count} submission{'s' * (count != 1)}: {parts}."


@dataclass
class _Submission:
    """What becomes a `Found`. `given` is what it is called, `key` what no other submission has."""

    key: str
    given: str
    path: Path
    layout: Layout
    students: tuple[Student, ...] = ()
    label: str = ""
    files: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    handed_in: str = ""


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
    submissions = _with_the_latest_of_each(list(_read(entries, slug, roster)), roster)
    _without_doubtful_ids(submissions, roster)
    submissions.sort(key=lambda each: each.layout is Layout.PLAIN)  # whose names students choose: others come first
    taken: set[str] = set()
    labels = Counter(_label(each) for each in submissions)
    for each in submissions:
        name = _file_name(each.key, each.given, taken)
        taken.add(name.casefold())
        label = _label(each)
        if not label or (labels[label] > 1 and label not in (each.given, each.label)):
            label = name
        students = each.students or (Student(label, login=label),)
        path = str(each.path)
        roster.found.append(Found(name, label, path, students, each.files, each.left_out, each.handed_in))
        roster.layouts[each.layout] += 1
    if not roster.found:
        raise UsageError(
            f"No submissions in {folder}: it has no .py, .ipynb or .zip file and no folder with one in it."
        )
    roster.found.sort(key=lambda found: (found.label.casefold(), found.name))
    return roster


def _label(submission: _Submission) -> str:
    return one_line(submission.label or submission.given, LABEL_LIMIT)


def _read(entries: Sequence[os.DirEntry[str]], slug: str, roster: Roster) -> Iterator[_Submission]:
    """Each submission with its name, what is to be read, and who handed it in."""
    exported = submitters(entries)
    downloaded: dict[Owner, list[Part]] = {}
    others = []
    for entry in entries:
        if _ignored(entry.name) or (exported and entry.name == METADATA):
            continue
        path = Path(entry.path)
        if entry.name in exported and _is_folder(entry):
            students, handed_in = exported[entry.name]
            if not students:
                roster.left_out.append(f"{entry.name} has no student in {METADATA}, so nobody's name is in its row")
            yield _Submission(entry.name, entry.name, path, Layout.GRADESCOPE, students, handed_in=handed_in)
        elif part := moodles(path) or (canvas(path) if not _nbgraders(entry, slug) else None):
            downloaded.setdefault(part.owner, []).append(part)
        elif _is_folder(entry) or entry.is_symlink() or path.suffix.lower() in SUFFIXES:
            others.append(entry)
        else:
            shown = one_line(entry.name, LABEL_LIMIT)
            roster.left_out.append(f"{shown} is left out: it is not a .py, .ipynb or .zip file or a folder")
    for owner, parts in downloaded.items():
        if submission := _joined(owner, parts, roster):
            yield submission
    stems = Counter(map(_stem, others))
    for entry in others:
        path, stem = Path(entry.path), _stem(entry)
        given = stem if stems[stem] == 1 else entry.name
        if assignments := _nbgraders(entry, slug):
            if slug in assignments:
                handed_in = _timestamp(path / slug)
                yield _Submission(entry.name, given, path / slug, Layout.NBGRADER, handed_in=handed_in)
            else:
                roster.left_out.append(f"{one_line(entry.name, LABEL_LIMIT)} handed in nothing for {slug}")
        else:
            yield _Submission(entry.name, given, path, Layout.PLAIN)


def _joined(owner: Owner, parts: Sequence[Part], roster: Roster) -> _Submission | None:
    """What one student handed in on Moodle or Canvas; None if there is no file."""
    counts, older = newest_first(part for part in parts if not part.typed)
    typed = f"text typed into {owner.layout.name.title()}"
    if not counts:
        roster.left_out.append(f"{owner.label} is left out: only {typed} was handed in, and no file")
        return None
    left_out = [part.file for part in older] + [typed] * any(part.typed for part in parts)
    return _Submission(
        key=f"{owner.layout.name}/{owner.file_name}",  # no entry has a slash in its name
        given=owner.file_name,
        path=counts[0].path,
        layout=owner.layout,
        students=(owner.student,),
        label=owner.label,
        files={part.file: str(part.path) for part in counts if not part.path.is_dir()},
        left_out=tuple(one_line(each, LABEL_LIMIT) for each in left_out),
        handed_in="late" if any(part.late for part in counts) else "",
    )


def _with_the_latest_of_each(submissions: Sequence[_Submission], roster: Roster) -> list[_Submission]:
    """Without those from a Gradescope export whose members are all in a later one, too."""
    latest: dict[Student, _Submission] = {}
    gone = set()
    exported = (each for each in submissions if each.layout is Layout.GRADESCOPE)
    for each in sorted(exported, key=lambda each: (len(each.key), each.key)):  # Gradescope counts upwards
        for student in each.students:
            earlier = latest.get(student)
            latest[student] = each
            if earlier is not None:
                earlier.students = tuple(other for other in earlier.students if other != student)
                gone |= set() if earlier.students else {earlier.key}
                what = "does not count for them" if earlier.students else "is left out"
                roster.left_out.append(
                    f"{earlier.given} {what}: {student.name} is also in {each.given}, which is later"
                )
    return [each for each in submissions if each.key not in gone]


def _without_doubtful_ids(submissions: Sequence[_Submission], roster: Roster) -> None:
    """What two submissions have as the ID of a person is in no row: a grade must not go to the wrong one."""
    owners: dict[tuple[Layout, str, str], list[_Submission]] = {}
    for each in submissions:
        for student in each.students:
            for kind in ("id", "sis_id", "login"):
                owners.setdefault((each.layout, kind, getattr(student, kind)), []).append(each)
    for (_, kind, value), several in owners.items():
        if value and len(several) > 1:
            names = " and ".join(dict.fromkeys(map(_label, several)))
            roster.left_out.append(f"{names} have the same ID, so their rows have none: find out whose it is")
            for each in several:
                each.students = tuple(
                    msgspec.structs.replace(student, **{kind: ""}) if getattr(student, kind) == value else student
                    for student in each.students
                )


def _timestamp(folder: Path) -> str:
    """When the folder was handed in, as nbgrader notes it there."""
    try:
        descriptor = os.open(folder / "timestamp.txt", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, encoding="utf-8", errors="replace") as file:
            return when(file.read(100))
    except OSError:
        return ""


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


def _file_name(key: str, given: str, taken: set[str]) -> str:
    """`given` if it is a valid file name on every system, not `taken`, and not like those made here; else something
    similar, with a hash of the submission's key, which no other submission has."""
    name = "".join(char if _may_be_in_a_name(char) else "_" for char in unicodedata.normalize("NFC", given))
    name = os.fsencode(name)[:_NAME_BYTES].decode(errors="ignore").strip(" .")
    name = f"_{name}" if not name or name.startswith("-") or _RESERVED.fullmatch(name) else name
    if name == given and name.casefold() not in taken and not _MADE_HERE.fullmatch(name):
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(key)).hexdigest()[:16]}"


def _may_be_in_a_name(char: str) -> bool:
    """Letters, digits and the marks without which many scripts cannot be read."""
    return char.isalnum() or char in "_.@+ -" or unicodedata.category(char).startswith("M")
