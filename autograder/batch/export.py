"""Gradescope's export: `submission_metadata.yml` says who handed in each folder, and when."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from autograder.batch.downloads import LABEL_LIMIT, Student
from autograder.errors import UsageError
from autograder.output.inert import one_line

METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_\d+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)[:.\d]* *([+-]\d\d:?\d\d|[A-Z]{1,5})?\s*")


def submitters(entries: Sequence[os.DirEntry[str]]) -> dict[str, tuple[tuple[Student, ...], str]]:
    """Who handed in what and when, if this is an export from Gradescope. Only folders with the names that Gradescope
    gives are looked up: a student may have handed in a file with the name of the metadata."""
    metadata = [entry for entry in entries if entry.name == METADATA and entry.is_file(follow_symlinks=False)]
    folders = {entry.name for entry in entries if _FOLDER.fullmatch(entry.name)}
    if not metadata or not folders:
        return {}
    known = _submitters(Path(metadata[0].path))
    return {name: known.get(name, ((), "")) for name in folders}


def _submitters(path: Path) -> dict[str, tuple[tuple[Student, ...], str]]:
    """Who handed in each submission, and when. Only those few lines are parsed: the file also contains all earlier
    results."""
    found: dict[str, tuple[tuple[Student, ...], str]] = {}
    key, lines, wanted, handed_in = "", list[str](), False, ""

    def finish() -> None:
        if key and lines:
            found[key] = _students("".join(lines)), handed_in

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.startswith((" ", "\n", "\r")):  # a top-level key; block texts are indented
                    finish()
                    key, lines, wanted, handed_in = line.strip().rstrip(":").strip("'\""), [], False, ""
                elif re.match(r"  :\w+:", line):
                    wanted = line.startswith("  :submitters:")
                    if line.startswith("  :created_at:"):
                        handed_in = when(line.partition(":created_at:")[2])
                if wanted:
                    lines.append(line)
        finish()
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    return found


def when(text: str) -> str:
    """A time as people read it; empty if it is none."""
    match = _TIME.fullmatch(text.strip().strip("'\""))
    return " ".join(part for part in match.groups() if part) if match else ""


def _students(text: str) -> tuple[Student, ...]:
    def field(person: dict[str, object], key: str) -> str:
        return one_line(str(person.get(key) or ""), LABEL_LIMIT)

    try:
        people = yaml.safe_load(text)[":submitters"]  # Ruby's symbols keep their first colon
        found = [
            Student(field(person, ":name"), sis_id=field(person, ":sid"), login=field(person, ":email"))
            for person in people
        ]
        return tuple(dict.fromkeys(found))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return ()
