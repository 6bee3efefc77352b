"""Turns what a student handed in (`.py`, `.ipynb`, `.zip` or a folder) into the source of one module.

Everything read here is hostile. Nothing of it is executed, imported or compiled (the worker parses it, behind
its walls), nothing is unpacked to disk, no link is followed, and no more is read than the caps allow.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import os
import re
import stat
import tokenize
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from autograder.magics import without_magics

MB = 1 << 20
CODE_CAP = MB
STUB = b"raise NotImplementedError()"  # what a skeleton has in the place of a solution
CAPS = {".py": CODE_CAP, ".ipynb": 20 * MB, ".zip": 20 * MB}
MAX_ENTRIES = 10_000  # files in a folder or zip, and cells in a notebook
MAX_DEPTH = 3  # folders between the submission and the file

Parts = tuple[str, ...]  # a path relative to the submission

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# The linear, textual codecs: `idna` and `punycode` take quadratic time, `unicode_escape` builds other code.
_ENCODING = re.compile(r"utf-8(-sig)?|ascii|(iso|cp|koi8|mac|gb|big5|euc|shift|johab|hz|kz|ptcp|tis)[\w-]*", re.I)
_NOTEBOOK_KEYS = {"nbformat", "cells", "worksheets", "cell_type", "source", "input", "code", "text"}
_MARK_KEYS = {"metadata", "nbgrader", "grade_id"}


class SubmissionError(Exception):
    """The submission cannot be graded and scores 0; the text tells the student in one sentence what to do."""


class Cell(msgspec.Struct, frozen=True):
    """A piece of source and what a traceback calls it: `pooling.py` or `cell 3`."""

    label: str
    source: str


class Submission(msgspec.Struct, frozen=True):
    """The checked source of one module. `name` says where it was found, `file_name` is its last part."""

    name: str
    file_name: str
    cells: tuple[Cell, ...]
    is_notebook: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self.cells)).hexdigest()


def read_submission(path: Path, module: str) -> Submission:
    """Reads the file at `path`, or the one file of `module` in the folder or zip at `path`.

    Raises:
        SubmissionError: there is no such file, more than one, or one that cannot be used.
    """
    is_folder = _is_folder(path)
    root = path if is_folder else path.parent
    parts: Parts = _find(path, module) if is_folder else (path.name,)
    name, suffix = _shown("/".join(parts)), Path(parts[-1]).suffix.lower()
    data = _read_file(root, parts, name, CAPS.get(suffix, 0))
    if suffix == ".zip":
        member, data = _read_zip(data, name, module)
        parts, name, suffix = member, f"{name}/{_shown('/'.join(member))}", Path(member[-1]).suffix
    file_name = _shown(parts[-1])
    if suffix == ".py":
        return Submission(name, file_name, (Cell(file_name, _decode(data, name)),), False)
    return Submission(name, file_name, _notebook_cells(data, name), True)


def infer_slug(path: Path, slugs: Sequence[str]) -> str | None:
    """The assignment that `path` is for, judged by file names only; None if that is unclear."""
    is_folder, names = False, list[Parts]()
    try:
        is_folder = _is_folder(path)
        if is_folder:
            names = _walk(path, 0)  # stays if the rest is too much
            names = _walk(path, MAX_DEPTH)
        elif path.suffix.lower() == ".zip":
            data = _read_file(path.parent, (path.name,), "", CAPS[".zip"])
            names = [parts for parts, _ in _members(_archive(data, ""))]
    except SubmissionError:
        pass  # its own name may still say it
    stem = path.name if is_folder else path.stem
    if stem in slugs:
        return stem
    for depth in (1, MAX_DEPTH + 1):
        files = {parts[-1] for parts in names if len(parts) <= depth}
        held = [slug for slug in slugs if f"{slug}.py" in files or f"{slug}.ipynb" in files]
        if held:
            return held[0] if len(held) == 1 else None
    stems = [stem, *(Path(parts[0]).stem for parts in names if parts[0].endswith(".zip") and is_folder)]
    parts_of = [s for s in slugs if any(re.search(rf"(?<![^\W_]){re.escape(s)}(?![^\W_])", t, re.I) for t in stems)]
    longest = [slug for slug in parts_of if not any(slug != other and slug in other for other in parts_of)]
    return longest[0] if len(longest) == 1 else None


def _shown(name: str) -> str:
    """A name of the student's as inert text that fits a line."""
    return "".join(char if char.isprintable() else "?" for char in name[-100:])


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
        raise _unreadable(_shown(path.name), error) from None


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
                        raise SubmissionError(f"The submission holds more than {MAX_ENTRIES} files; hand in one.")
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


def _find(folder: Path, module: str) -> Parts:
    def read(parts: Parts) -> bytes:
        return _read_file(folder, parts, _shown("/".join(parts)), CAPS[Path(parts[-1]).suffix])

    for depth in (0, MAX_DEPTH):
        if chosen := _pick(_walk(folder, depth), module, read):
            return chosen
    _none(module)


def least_left_to_do(sources: Sequence[bytes]) -> int | None:
    """Which of several versions of one skeleton has the fewest stubs left; None if no single one has."""
    left = [source.count(STUB) for source in sources]
    return left.index(min(left)) if left.count(min(left)) == 1 else None


def _pick(names: Iterable[Parts], module: str, read: Callable[[Parts], bytes], zips: bool = True) -> Parts | None:
    """The one file of `module` among `names`, else the one zip; None if there is neither.

    A file and a notebook in one folder are what every student receives: the one that was worked in counts.
    """
    names = list(names)
    matches = [parts for parts in names if parts[-1] in (f"{module}.py", f"{module}.ipynb")]
    if zips and not matches:
        matches = [parts for parts in names if parts[-1].lower().endswith(".zip")]
    if len(matches) == 2 and matches[0][:-1] == matches[1][:-1] and not matches[0][-1].lower().endswith(".zip"):
        chosen = least_left_to_do([read(parts) for parts in matches])
        matches = matches if chosen is None else [matches[chosen]]
    if len(matches) > 1:
        some = ", ".join(_shown("/".join(parts)) for parts in matches[:3])
        raise SubmissionError(
            f"The submission holds {len(matches)} files that could be graded ({some}); hand in only one."
        )
    return matches[0] if matches else None


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
                        raise _too_big(name, cap)
                    return data
    except OSError as error:
        raise _unreadable(name, error) from None
    raise SubmissionError(f"{name} is not an ordinary file (but a link, folder or device); hand in the file itself.")


def _open(root: Path, parts: Parts) -> int:
    """Opens without waiting and without following a link, be it the file or a folder on the way to it."""
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


def _too_big(name: str, cap: int) -> SubmissionError:
    return SubmissionError(f"{name} is larger than {cap // MB} MB, the most that is graded; hand in only your code.")


def _archive(data: bytes, name: str) -> zipfile.ZipFile:
    if data.count(b"PK\1\2") > MAX_ENTRIES:  # before zipfile builds an object for each
        raise SubmissionError(f"{name} holds more than {MAX_ENTRIES} files; hand in one.")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except Exception:  # hostile bytes make zipfile raise nearly anything
        raise SubmissionError(f"{name} is not a readable zip archive; create it again or hand in the file.") from None


def _members(archive: zipfile.ZipFile) -> list[tuple[Parts, zipfile.ZipInfo]]:
    members: list[tuple[Parts, zipfile.ZipInfo]] = []
    for info in archive.infolist():
        raw = info.orig_filename
        if re.match(r"/|[A-Za-z]:", raw) or re.search(r"[\\\0]", raw) or ".." in raw.split("/"):
            raise SubmissionError(f"The zip holds an unsafe file name ({_shown(raw)}); create the archive again.")
        parts = tuple(part for part in raw.split("/") if part not in ("", "."))
        if parts and not raw.endswith("/") and len(parts) <= MAX_DEPTH + 1 and not any(map(_ignored, parts[:-1])):
            members.append((parts, info))
    venvs = {parts[:-1] for parts, _ in members if parts[-1] == "pyvenv.cfg"} - {()}
    return [(p, i) for p, i in members if not any(p[:depth] in venvs for depth in range(1, len(p)))]


def _read_zip(data: bytes, name: str, module: str) -> tuple[Parts, bytes]:
    archive = _archive(data, name)
    members = _members(archive)

    def read(chosen: Parts) -> bytes:
        return _read_member(archive, next(info for parts, info in members if parts == chosen), chosen, name)

    top = _pick((parts for parts, _ in members if len(parts) == 1), module, read, zips=False)
    chosen = top or _pick((parts for parts, _ in members), module, read, zips=False) or _none(module)
    return chosen, read(chosen)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, chosen: Parts, name: str) -> bytes:
    inner, cap = f"{name}/{_shown('/'.join(chosen))}", CAPS[Path(chosen[-1]).suffix]
    if info.flag_bits & 1:
        raise SubmissionError(f"{inner} is encrypted; create the archive again without a password.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise SubmissionError(f"{inner} is not an ordinary file (but a link or device); hand in the file itself.")
    if info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # the others decompress without bound
        raise SubmissionError(f"{inner} is compressed in an unusual way; create the archive as an ordinary zip.")
    if info.file_size > cap:
        raise _too_big(inner, cap)
    try:
        with archive.open(info) as file:
            content = file.read(cap + 1)
    except Exception:  # as in _archive
        raise SubmissionError(f"{inner} is damaged; create the archive again or hand in the file.") from None
    if len(content) > cap:
        raise _too_big(inner, cap)
    return content


def _decode(data: bytes, name: str) -> str:
    """The text of a Python file, in the encoding that Python itself would use."""
    try:
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if not _ENCODING.fullmatch(codecs.lookup(encoding).name):
                raise LookupError(encoding)
            text = data.decode(encoding)
        except (SyntaxError, LookupError):
            data.decode("utf-8")  # if this fails too, the line at fault says more than the declaration
            raise SubmissionError(
                f"Line 1 or 2 of {name} names an encoding that cannot be used; delete it and save as UTF-8."
            ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SubmissionError(
            f"Line {line} of {name} holds bytes that are not valid {error.encoding}; save the file as UTF-8."
        ) from None
    return _checked(text, name)


def _checked(text: str, name: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    wrong = re.search("[\0\ud800-\udfff]", text)
    if wrong:
        line = text.count("\n", 0, wrong.start()) + 1
        raise SubmissionError(f"Line {line} of {name} holds a character that is not text; delete it and save again.")
    return text


def _number(digits: str) -> int:
    """Only the format's version is of interest, so no number can be large enough to be slow."""
    return int(digits) if digits.isdigit() and len(digits) < 5 else 0


class NotebookCell(msgspec.Struct, frozen=True):
    """A cell as it stands in a notebook; `mark` is the name by which nbgrader knows it, or empty."""

    kind: str
    source: str
    mark: str = ""


def read_notebook(path: Path) -> list[NotebookCell]:
    """Every cell of the notebook at `path`, code or not.

    Raises:
        SubmissionError: as `read_submission`.
    """
    name = _shown(path.name)
    data = _read_file(path.parent, (path.name,), name, CAPS[".ipynb"])
    return [
        NotebookCell(cell.get("cell_type", ""), text, _mark_of(cell))
        for _, cell, text in _sources(_cells(data, name, _NOTEBOOK_KEYS | _MARK_KEYS), name)
        if cell.get("cell_type") in ("code", "markdown", "raw")
    ]


def _mark_of(cell: dict[str, Any]) -> str:
    value: object = cell
    for key in ("metadata", "nbgrader", "grade_id"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _notebook_cells(data: bytes, name: str) -> tuple[Cell, ...]:
    result: list[Cell] = []
    size = 0
    cells = [(number, cell) for number, cell in _cells(data, name, _NOTEBOOK_KEYS) if cell.get("cell_type") == "code"]
    for number, _, text in _sources(cells, name):
        size += len(text.encode())
        if size > CODE_CAP:
            raise _too_big(f"The code in {name}", CODE_CAP)
        text = without_magics(text)
        if text.strip():
            result.append(Cell(f"cell {number}", text))
    return tuple(result)


def _cells(data: bytes, name: str, keys: set[str]) -> list[tuple[int, dict[str, Any]]]:
    """The cells and their numbers, with only those `keys`: outputs and metadata are most of a notebook and none of the
    code."""
    try:
        notebook = json.loads(
            data.decode("utf-8-sig"),
            strict=False,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_number,
            object_pairs_hook=lambda pairs: {key: value for key, value in pairs if key in keys},
        )
    except (ValueError, RecursionError):
        raise _broken(name) from None
    cells = _version_4_cells(notebook) if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise _broken(name)
    if len(cells) > MAX_ENTRIES:
        raise SubmissionError(f"{name} holds more than {MAX_ENTRIES} cells; hand in a notebook with fewer.")
    return [(number, cell) for number, cell in enumerate(cells, start=1) if isinstance(cell, dict)]


def _sources(cells: list[tuple[int, dict[str, Any]]], name: str) -> Iterator[tuple[int, dict[str, Any], str]]:
    for number, cell in cells:
        source = cell.get("source", "")
        lines = source if isinstance(source, list) else [source]
        if not all(isinstance(line, str) for line in lines):
            raise _broken(name)
        yield number, cell, _checked("".join(lines), f"cell {number} of {name}")


def _broken(name: str) -> SubmissionError:
    return SubmissionError(f"{name} is not a readable notebook; open it in Jupyter, save it and hand it in again.")


def _version_4_cells(notebook: dict[str, Any]) -> object:
    """The cells as format 4 has them. Only older formats need nbformat, which is slow."""
    if notebook.get("nbformat") not in (1, 2, 3):
        return notebook.get("cells")
    import nbformat

    reads: Any = nbformat.reads  # untyped in some versions
    try:
        old = [cell for sheet in notebook.get("worksheets", [notebook]) for cell in sheet["cells"]]
        if len(old) > MAX_ENTRIES:
            return old
        for cell in old:
            cell.update(metadata={}, outputs=[], language="python")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(reads(json.dumps({**notebook, "metadata": {}}), as_version=4).cells)
    except Exception:  # nbformat expects the right types everywhere
        return None
