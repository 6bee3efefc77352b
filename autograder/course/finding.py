"""Finds the course on disk. Its graders run with the rights of whoever calls us, so a course is used only if it was
named or cannot have come with a submission."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.errors import UsageError

_OURS = Path(__file__).resolve().parents[2]  # contains this package: what lies there is trusted as we are
_EXECUTED = ("graders", "solutions", "nbgrader_config.py")


def find_course(named: Path | None = None, graded: Iterable[Path] = (), beside: Iterable[Path] = ()) -> Path:
    """The folder `named` if it contains `graders/`, else the nearest one above it (default: the working directory) that
    does; without `named`, the folder that contains this package comes last.

    A course that was found and not named must not come from what is to be graded or from the folders `beside`, which
    hold it, and must neither belong to another user nor lie inside another course.

    Raises:
        UsageError: there is no such folder, or only one that may have come with a submission.
    """
    start = (named or Path.cwd()).resolve()
    if named and _is_course(start):
        return start
    above = [folder for folder in (start, *start.parents) if _is_course(folder)]
    if not above:
        if named is None and _is_course(_OURS):
            return _OURS
        raise UsageError(
            f"No course here: neither {start} nor a folder above it contains graders/<assignment>/assignment.toml; "
            "change to the course's folder or name it with --course."
        )
    found = list(not_brought(above, graded, beside))
    if not found:
        raise UsageError(
            f"{above[0]} contains graders, but they may have been handed in with what you want graded; if it is your "
            "course, name it with --course."
        )
    course, *outer = found
    if course == _OURS:
        return course
    if stranger := owned_by_stranger(course, *_EXECUTED):
        raise UsageError(
            f"{stranger} belongs to another user, and graders run as you; if {course} is your course, name "
            "it with --course."
        )
    if outer := [folder for folder in outer if not owned_by_stranger(folder, *_EXECUTED)]:
        raise UsageError(
            f"{course} contains graders, but they may have been handed in, as it lies inside the course {outer[0]}; "
            "name your course with --course."
        )
    return course


def _is_course(folder: Path) -> bool:
    return any(folder.glob("graders/*/assignment.toml"))


def not_brought(courses: Iterable[Path], graded: Iterable[Path], beside: Iterable[Path] = ()) -> Iterator[Path]:
    """Those of these folders that cannot come with what is to be graded: they neither lie inside it, nor are it or one
    of the folders `beside`, nor have one of these for their graders or solutions."""
    brought, holding = _places(graded), _places(beside)
    for folder in courses:
        parts = _places((folder, folder / "graders", folder / "solutions"))
        if folder == _OURS or not (parts & (brought | holding) or _places(folder.parents) & brought):
            yield folder


def _places(paths: Iterable[Path]) -> set[tuple[int, int] | None]:
    return {_place(path) for path in paths} - {None}


def _place(path: Path) -> tuple[int, int] | None:
    """What identifies a file however its path is spelled; None if there is none. Links are not followed: a student
    chooses where they lead."""
    try:
        info = path.lstat()
    except (OSError, ValueError):
        return None
    return info.st_dev, info.st_ino


def owned_by_stranger(folder: Path, *parts: str) -> Path | None:
    """`folder`, or one of its `parts`, if it belongs to somebody who is neither this user, nor root, nor the user who
    called sudo."""
    if not hasattr(os, "geteuid"):  # Windows
        return None
    trusted = {0, os.geteuid()}
    if os.geteuid() == 0 and (caller := os.environ.get("SUDO_UID", "")).isdecimal():
        trusted.add(int(caller))
    for path in (folder, *(folder / part for part in parts)):
        for follow_symlinks in (False, True):
            with contextlib.suppress(OSError):  # there is no such file
                if path.stat(follow_symlinks=follow_symlinks).st_uid not in trusted:
                    return path
    return None
