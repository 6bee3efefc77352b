"""Where the files of a submission lie: in a folder, in a zip archive, or as single files of one student.

Nothing is unpacked to disk, no link is followed, and no more is read than the caps allow.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autograder.submissions.sources import MAX_ENTRIES, SubmissionError, shown, too_big

MAX_DEPTH = 3  # folders between the submission and the file

Parts = tuple[str, ...]  # a path relative to the submission

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Place(Protocol):
    """`prefix` goes before the names of its files where a person reads them."""

    @property
    def prefix(self) -> str: ...

    def names(self, depth: int) -> list[Parts]:
        """What is there, through at most `depth` folders, none of it made by a tool."""

    def is_folder(self, parts: Parts) -> bool: ...

    def read(self, parts: Parts, cap: int) -> bytes:
        """The bytes of a file, which may have `cap` of them.

        Raises:
            SubmissionError: it is too large, or not an ordinary, readable file.
        """


@dataclass(frozen=True)
class Folder:
    root: Path
    prefix: str = ""

    def names(self, depth: int) -> list[Parts]:
        """Files and folders."""
        return _walk(self.root, depth)

    def is_folder(self, parts: Parts) -> bool:
        return is_folder(self.root.joinpath(*parts))

    def read(self, parts: Parts, cap: int) -> bytes:
        return _read_file(self.root, parts, shown("/".join(parts)), cap)


@dataclass(frozen=True)
class Files:
    """Files by the names that the student gave them, wherever they lie."""

    paths: Mapping[str, Path]
    prefix: str = ""

    def names(self, depth: int) -> list[Parts]:  # noqa: ARG002
        return [(name,) for name in self.paths]

    def is_folder(self, parts: Parts) -> bool:  # noqa: ARG002
        return False

    def read(self, parts: Parts, cap: int) -> bytes:
        path = self.paths[parts[0]]
        return _read_file(path.parent, (path.name,), shown(parts[0]), cap)


class Archive:
    """A zip called `name`, which contains `data`."""

    def __init__(self, data: bytes, name: str) -> None:
        """Raises SubmissionError: it is not a zip archive, or not a safe one."""
        self.prefix = f"{name}/"
        self._archive = _archive(data, name)
        self._members = _members(self._archive)

    def names(self, depth: int) -> list[Parts]:
        """Files only."""
        return [parts for parts, _ in self._members if len(parts) <= depth + 1]

    def is_folder(self, parts: Parts) -> bool:  # noqa: ARG002
        return False

    def read(self, parts: Parts, cap: int) -> bytes:
        info = next(info for name, info in self._members if name == parts)
        return _read_member(self._archive, info, f"{self.prefix}{shown('/'.join(parts))}", cap)


def _unreadable(name: str, error: OSError) -> SubmissionError:
    if isinstance(error, FileNotFoundError):
        return SubmissionError(f"{name} was not found; hand it in.")
    why = "there is no permission to read it" if isinstance(error, PermissionError) else error.strerror
    return SubmissionError(f"{name} could not be read ({why}); hand it in again as an ordinary, readable file.")


def is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError as error:
        raise _unreadable(shown(path.name), error) from None


def _walk(root: Path, depth: int) -> list[Parts]:
    """The entries below `root`, through at most `depth` folders, none of them a link or made by a tool."""
    found: list[Parts] = []
    folders: list[Parts] = [()]
    seen = 0
    while folders:
        folder = folders.pop()
        entries: dict[str, bool] = {}
        try:
            with os.scandir(root.joinpath(*folder)) as scan:
                for entry in scan:
                    seen += 1
                    if seen > MAX_ENTRIES:
                        raise SubmissionError(f"The submission contains more than {MAX_ENTRIES} files; hand in one.")
                    entries[entry.name] = entry.is_dir(follow_symlinks=False)
        except OSError as error:
            if not folder:
                raise _unreadable("The submission", error) from None
            continue
        if folder and "pyvenv.cfg" in entries:
            continue
        found += [(*folder, name) for name in sorted(entries)]
        if len(folder) < depth:
            folders += [(*folder, name) for name, is_dir in entries.items() if is_dir and not is_ignored(name)]
    return found


def is_ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in {"__MACOSX", "__pycache__", "venv", "site-packages"}


def _read_file(root: Path, parts: Parts, name: str, cap: int) -> bytes:
    try:
        mode = root.joinpath(*parts).lstat().st_mode
        if stat.S_ISREG(mode) and not cap:
            raise SubmissionError(f"{name} is not a Python file, notebook or zip; hand in a .py or .ipynb file.")
        if stat.S_ISREG(mode):
            with open(_open(root, parts), "rb") as file:
                status = os.fstat(file.fileno())
                if stat.S_ISREG(status.st_mode):
                    data = b"" if status.st_size > cap else file.read(cap + 1)
                    if status.st_size > cap or len(data) > cap:
                        raise too_big(name, cap)
                    return data
    except OSError as error:
        raise _unreadable(name, error) from None
    raise SubmissionError(f"{name} is a link, folder or device, not an ordinary file; hand in the file itself.")


def _open(root: Path, parts: Parts) -> int:
    """Opens without waiting and without following a link, whether it is the file or a folder on the way to it."""
    if len(parts) == 1 or os.open not in os.supports_dir_fd:
        return os.open(root.joinpath(*parts), _FLAGS)
    folder = os.open(root, os.O_RDONLY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FLAGS, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], _FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _archive(data: bytes, name: str) -> zipfile.ZipFile:
    if data.count(b"PK\1\2") > MAX_ENTRIES:  # before zipfile builds an object for each
        raise SubmissionError(f"{name} contains more than {MAX_ENTRIES} files; hand in one.")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except Exception:  # hostile bytes make zipfile raise nearly anything
        raise SubmissionError(f"{name} is not a readable zip archive; create it again or hand in the file.") from None


def _members(archive: zipfile.ZipFile) -> list[tuple[Parts, zipfile.ZipInfo]]:
    members: list[tuple[Parts, zipfile.ZipInfo]] = []
    for info in archive.infolist():
        raw = info.orig_filename.replace("\\", "/")  # some programs on Windows write names like this
        if re.match(r"/|[A-Za-z]:", raw) or "\0" in raw or ".." in raw.split("/"):
            raise SubmissionError(f"The zip contains an unsafe file name ({shown(raw)}); create the archive again.")
        parts = tuple(part for part in raw.split("/") if part not in ("", "."))
        if parts and not raw.endswith("/") and len(parts) <= MAX_DEPTH + 1 and not any(map(is_ignored, parts[:-1])):
            members.append((parts, info))
    venvs = {parts[:-1] for parts, _ in members if parts[-1] == "pyvenv.cfg"} - {()}
    return [(p, i) for p, i in members if not any(p[:depth] in venvs for depth in range(1, len(p)))]


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, inner: str, cap: int) -> bytes:
    if info.flag_bits & 1:
        raise SubmissionError(f"{inner} is encrypted; create the archive again without a password.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise SubmissionError(f"{inner} is a link or device, not an ordinary file; hand in the file itself.")
    if info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # the others decompress without bound
        raise SubmissionError(f"{inner} is compressed in an unusual way; create the archive as an ordinary zip.")
    if info.file_size > cap:
        raise too_big(inner, cap)
    try:
        with archive.open(info) as file:
            content = file.read(cap + 1)
    except Exception:  # as in _archive
        raise SubmissionError(f"{inner} is damaged; create the archive again or hand in the file.") from None
    if len(content) > cap:
        raise too_big(inner, cap)
    return content
