"""Turns what a student handed in (`.py`, `.ipynb`, `.zip` or a folder) into the source of one module.

Everything read here is hostile. None of it is executed, imported or compiled (the worker parses it, inside
the sandbox), nothing is unpacked to disk, no link is followed, and no more is read than the caps allow.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from autograder.submissions.sources import (
    CODE_CAP,
    MAX_ENTRIES,
    MB,
    Cell,
    NotebookCell,
    SubmissionError,
    notebook_cells,
    notebook_code,
    python_source,
    shown,
    too_big,
)

STUB = b"raise NotImplementedError()"  # what a skeleton has in place of a solution
CAPS = {".py": CODE_CAP, ".ipynb": 20 * MB, ".zip": 20 * MB}
_KINDS = {".py": "a Python file", ".ipynb": "a notebook", ".zip": "a zip archive"}
_BEGINS_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*[{\[]")
_PYTHON = re.compile(rb"^(import|from|def|class|@)\b", re.MULTILINE)
MAX_DEPTH = 3  # folders between the submission and the file

Parts = tuple[str, ...]  # a path relative to the submission

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Submission(msgspec.Struct, frozen=True):
    """The checked source of one module. `name` says where it was found, `file_name` is its last part.

    `remarks` say how it was found, if that is not as it should be. `other` is the notebook of somebody who worked in a
    file and a notebook: both are graded, and the better one counts.
    """

    name: str
    file_name: str
    cells: tuple[Cell, ...]
    is_notebook: bool
    remarks: tuple[str, ...] = ()
    other: Submission | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode((self.cells, self.remarks, self.other))).hexdigest()


def read_submission(path: Path, module: str) -> Submission:
    """Reads the file at `path`, or the one file of `module` in the folder or zip at `path`.

    Raises:
        SubmissionError: there is no such file, more than one, or one that cannot be used.
    """
    is_folder = _is_folder(path)
    root = path if is_folder else path.parent

    def read(parts: Parts) -> bytes:
        return _read_file(root, parts, shown("/".join(parts)), CAPS.get(Path(parts[-1]).suffix.lower(), 0))

    found: list[Parts] = _find(path, module, read) if is_folder else [(path.name,)]
    data = read(found[0])
    if len(found) == 1 and _kind(data, found[0]) == ".zip":
        name = shown("/".join(found[0]))
        return _in_zip(data, name, module, _remarks(data, found[0], ()))
    if not is_folder:
        return _submission(data, found[0], ())
    return _chosen(found, read, module)


def _chosen(
    found: list[Parts],
    read: Callable[[Parts], bytes],
    module: str,
    remarks: tuple[str, ...] = (),
    where: str = "",
) -> Submission:
    """The submission in the file that was found, or in the file and the notebook."""
    name = found[0][-1]
    if Path(name).stem != module:
        remarks = (*remarks, f"There is no file named {module}.py or {module}.ipynb, so {shown(name)} was graded.")
    submissions: list[Submission] = []
    unreadable: list[str] = []
    for parts in found:
        try:
            submissions.append(_submission(read(parts), parts, remarks, where))
        except SubmissionError as error:
            if parts == found[-1] and not submissions:
                raise
            unreadable.append(str(error))
    first, *rest = submissions
    return msgspec.structs.replace(first, remarks=(*first.remarks, *unreadable), other=rest[0] if rest else None)


def _submission(data: bytes, parts: Parts, remarks: tuple[str, ...], where: str = "") -> Submission:
    name, file_name = where + shown("/".join(parts)), shown(parts[-1])
    kind, remarks = _kind(data, parts), _remarks(data, parts, remarks)
    if kind == ".zip":
        raise SubmissionError(f"{name} is really a zip archive; hand in the file that is in it.")
    if kind == ".py":
        return Submission(name, file_name, (Cell(file_name, python_source(data, name)),), False, remarks)
    return Submission(name, file_name, notebook_code(data, name), True, remarks)


def _kind(data: bytes, parts: Parts) -> str:
    """The ending that the file should have: files are renamed by hand."""
    suffix = Path(parts[-1]).suffix.lower()
    if data.startswith(b"PK\3\4"):
        return ".zip"
    if suffix == ".py" and _BEGINS_JSON.match(data) and b'"cells"' in data:
        return ".ipynb"
    if suffix == ".ipynb" and not _BEGINS_JSON.match(data) and _PYTHON.search(data):
        return ".py"
    return suffix


def _remarks(data: bytes, parts: Parts, others: tuple[str, ...]) -> tuple[str, ...]:
    kind = _kind(data, parts)
    if kind == Path(parts[-1]).suffix.lower():
        return others
    return (*others, f"{shown(parts[-1])} is really {_KINDS[kind]}, and was read as one.")


def read_notebook(path: Path) -> list[NotebookCell]:
    """Every cell of the notebook at `path`, code or not.

    Raises:
        SubmissionError: as `read_submission`.
    """
    name = shown(path.name)
    return notebook_cells(_read_file(path.parent, (path.name,), name, CAPS[".ipynb"]), name)


def infer_slug(path: Path, slugs: Sequence[str]) -> str | None:
    """The assignment that `path` is for, judged by file names only; None if that is unclear."""
    names = names_in(path)
    is_folder = path.is_dir() and not path.is_symlink()
    stem = path.name if is_folder else path.stem
    if stem in slugs:
        return stem
    for depth in (1, MAX_DEPTH + 1):
        files = {parts[-1] for parts in names if len(parts) <= depth}
        held = [slug for slug in slugs if f"{slug}.py" in files or f"{slug}.ipynb" in files]
        if held:
            return held[0] if len(held) == 1 else None
    stems = [stem, *(Path(parts[0]).stem for parts in names if parts[0].endswith(".zip") and is_folder)]
    stems += [Path(parts[-1]).stem for parts in names if _is_code(parts[-1])]
    parts_of = [s for s in slugs if any(re.search(rf"(?<![^\W_]){re.escape(s)}(?![^\W_])", t, re.I) for t in stems)]
    longest = [slug for slug in parts_of if not any(slug != other and slug in other for other in parts_of)]
    return longest[0] if len(longest) == 1 else None


def names_in(path: Path) -> list[Parts]:
    """What lies in the folder or zip at `path`, files and folders; nothing if that cannot be read."""
    names: list[Parts] = []
    try:
        if _is_folder(path):
            names = _walk(path, 0)  # kept if the rest is too much
            names = _walk(path, MAX_DEPTH)
        elif path.suffix.lower() == ".zip":
            data = _read_file(path.parent, (path.name,), "", CAPS[".zip"])
            names = [parts for parts, _ in _members(_archive(data, ""))]
    except SubmissionError:
        pass
    return names


def _is_code(name: str) -> bool:
    return Path(name).suffix in (".py", ".ipynb") and not name.startswith("test_")


def _none(module: str) -> NoReturn:
    raise SubmissionError(
        f"No file named {module}.py or {module}.ipynb was found in the submission; hand in exactly one of them."
    )


def _unreadable(name: str, error: OSError) -> SubmissionError:
    if isinstance(error, FileNotFoundError):
        return SubmissionError(f"{name} was not found; hand it in.")
    why = "there is no permission to read it" if isinstance(error, PermissionError) else error.strerror
    return SubmissionError(f"{name} could not be read ({why}); hand it in again as an ordinary, readable file.")


def _is_folder(path: Path) -> bool:
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
            folders += [(*folder, name) for name, is_dir in entries.items() if is_dir and not _ignored(name)]
    return found


def _ignored(folder: str) -> bool:
    return folder.startswith(".") or folder in {"__MACOSX", "__pycache__", "venv", "site-packages"}


def _find(folder: Path, module: str, read: Callable[[Parts], bytes]) -> list[Parts]:
    names: list[Parts] = []
    for depth in (0, MAX_DEPTH):
        names = _walk(folder, depth)
        if chosen := _pick(names, module, read):
            return chosen
    return _nearly(names, module) or _none(module)


def _nearly(names: Iterable[Parts], module: str) -> list[Parts]:
    """The one file whose name contains the module's as a word, such as `pooling (1).py`."""
    word = re.compile(rf"(?<![^\W_]){re.escape(module)}(?![^\W_])", re.I)
    fitting = [parts for parts in names if _is_code(parts[-1]) and word.search(Path(parts[-1]).stem)]
    if len(fitting) > 1:
        raise _too_many(fitting)
    return fitting


def least_left_to_do(sources: Sequence[bytes]) -> int | None:
    """Which of several versions of one skeleton has the fewest stubs left; None if no single one has."""
    left = [source.count(STUB) for source in sources]
    return left.index(min(left)) if left.count(min(left)) == 1 else None


def _pick(names: Iterable[Parts], module: str, read: Callable[[Parts], bytes], zips: bool = True) -> list[Parts]:
    """The one file of `module` among `names`, else the one zip; empty if there is neither.

    Every student receives a file and a notebook in one folder: a finished one counts and not an unfinished one, and
    else there are two to choose from.
    """
    names = list(names)
    matches = [parts for parts in names if parts[-1] in (f"{module}.py", f"{module}.ipynb")]
    if zips and not matches:
        matches = [parts for parts in names if parts[-1].lower().endswith(".zip")]
    if len(matches) == 2 and matches[0][:-1] == matches[1][:-1] and not matches[0][-1].lower().endswith(".zip"):
        matches.sort(key=lambda parts: Path(parts[-1]).suffix, reverse=True)  # the file, then the notebook
        if len({parts[-1] for parts in matches}) == 2:
            finished = [parts for parts in matches if STUB not in read(parts)]
            return finished if len(finished) == 1 else matches
    if len(matches) > 1:
        raise _too_many(matches)
    return matches


def _too_many(found: list[Parts]) -> SubmissionError:
    some = ", ".join(shown("/".join(parts)) for parts in found[:3])
    return SubmissionError(
        f"The submission contains {len(found)} files that could be graded ({some}); hand in only one."
    )


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
        if parts and not raw.endswith("/") and len(parts) <= MAX_DEPTH + 1 and not any(map(_ignored, parts[:-1])):
            members.append((parts, info))
    venvs = {parts[:-1] for parts, _ in members if parts[-1] == "pyvenv.cfg"} - {()}
    return [(p, i) for p, i in members if not any(p[:depth] in venvs for depth in range(1, len(p)))]


def _in_zip(data: bytes, name: str, module: str, remarks: tuple[str, ...]) -> Submission:
    archive = _archive(data, name)
    members = _members(archive)

    def read(chosen: Parts) -> bytes:
        return _read_member(archive, next(info for parts, info in members if parts == chosen), chosen, name)

    names = [parts for parts, _ in members]
    found = _pick((parts for parts in names if len(parts) == 1), module, read, zips=False)
    found = found or _pick(names, module, read, zips=False) or _nearly(names, module) or _none(module)
    return _chosen(found, read, module, remarks, f"{name}/")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, chosen: Parts, name: str) -> bytes:
    inner, cap = f"{name}/{shown('/'.join(chosen))}", CAPS[Path(chosen[-1]).suffix]
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
