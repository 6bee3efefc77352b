"""Turns the bytes of a Python file or a notebook into its source, as checked text.

The bytes are hostile. None of them are executed or compiled, and no more is read than the caps allow.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import json
import re
import tokenize
import warnings
from collections.abc import Iterator
from typing import Any

import msgspec

MB = 1 << 20
CODE_CAP = MB
MAX_ENTRIES = 10_000  # cells in a notebook, and files in a folder or zip

# The linear, textual codecs: `idna` and `punycode` take quadratic time, `unicode_escape` builds other code.
_ENCODING = re.compile(r"utf-8(-sig)?|ascii|(iso|cp|koi8|mac|gb|big5|euc|shift|johab|hz|kz|ptcp|tis)[\w-]*", re.I)
_NOTEBOOK_KEYS = {"nbformat", "cells", "worksheets", "cell_type", "source", "input", "code", "text"}
_NOTEBOOK_KEYS |= {"metadata", "nbgrader", "solution", "grade"}
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_MOST_WITHOUT_TEXT = 10  # characters; a file with more is not text at all
_CONFLICT = re.compile(rb"^[+ ]?(<<<<<<<|>>>>>>>) ", re.MULTILINE)
_MARK_KEYS = {"grade_id", "attachments"}
_IMAGE = re.compile(r"image/(png|jpeg|gif|webp|svg\+xml)")
_BASE64 = re.compile(r"[\w+/=\n]*", re.ASCII)


class SubmissionError(Exception):
    """The submission cannot be graded and scores 0; the text tells the student in one sentence what to do."""


class TooBig(SubmissionError):
    """The file is larger than it may be."""


class Cell(msgspec.Struct, frozen=True):
    """A piece of source and what a traceback calls it: `pooling.py` or `cell 3`."""

    label: str
    source: str


class NotebookCell(msgspec.Struct, frozen=True):
    """A cell as it is in a notebook; `mark` is nbgrader's name for it, or empty. `attachments` are pasted pictures: by
    name, and then by type."""

    kind: str
    source: str
    mark: str = ""
    attachments: dict[str, dict[str, str]] = {}


def shown(name: str) -> str:
    """A name that the student chose, as inert text that fits on a line."""
    return "".join(char if char.isprintable() else "?" for char in name[-100:])


def too_big(name: str, cap: int) -> TooBig:
    what = (
        "hand in only your code" if cap == CODE_CAP or not name.endswith("ipynb") else "clear its outputs and save it"
    )
    return TooBig(f"{name} is larger than {cap // MB} MB, which is the limit; {what}.")


def in_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 if it begins as UTF-16 does, in which PowerShell's `>` writes."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-16").encode("utf-8-sig")
    return data


def python_source(data: bytes, name: str) -> str:
    """The text of a Python file, in the encoding that Python itself would use; `name` is its name in errors."""
    try:
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            if not _ENCODING.fullmatch(codecs.lookup(encoding).name):
                raise LookupError(encoding)
            text = data.decode(encoding)
        except (SyntaxError, LookupError):
            data.decode("utf-8")  # if this fails too, the faulty line says more than the declaration
            raise SubmissionError(
                f"Line 1 or 2 of {name} declares an encoding that cannot be used; delete it and save as UTF-8."
            ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SubmissionError(
            f"Line {line} of {name} contains bytes that are not valid {error.encoding}; save the file as UTF-8."
        ) from None
    return _checked(text, name)


def _checked(text: str, name: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    wrong = list(itertools.islice(_NO_TEXT.finditer(text), _MOST_WITHOUT_TEXT + 1))
    if len(wrong) > _MOST_WITHOUT_TEXT:
        line = text.count("\n", 0, wrong[0].start()) + 1
        raise SubmissionError(f"Line {line} of {name} contains characters that are not text; save the file as UTF-8.")
    return _NO_TEXT.sub(" ", text)  # a stray one in a comment is no mistake of the code


def _number(digits: str) -> int:
    """Only the format's version matters, so no number is large enough to be slow."""
    return int(digits) if digits.isdigit() and len(digits) < 5 else 0


def notebook_cells(data: bytes, name: str) -> list[NotebookCell]:
    """Every cell of a notebook, code or not; `name` is its name in errors."""
    return [
        NotebookCell(cell.get("cell_type", ""), text, _mark_of(cell), _attachments_of(cell))
        for _, cell, text in _sources(_cells(data, name, _NOTEBOOK_KEYS | _MARK_KEYS), name)
        if cell.get("cell_type") in ("code", "markdown", "raw")
    ]


def _nbgrader_of(cell: dict[str, Any], key: str) -> object:
    """What nbgrader has noted in a cell."""
    value: object = cell
    for step in ("metadata", "nbgrader", key):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _mark_of(cell: dict[str, Any]) -> str:
    value = _nbgrader_of(cell, "grade_id")
    return value if isinstance(value, str) else ""


def _attachments_of(cell: dict[str, Any]) -> dict[str, dict[str, str]]:
    files = cell.get("attachments")
    pictures: dict[str, dict[str, str]] = {}
    for name, data in files.items() if isinstance(files, dict) else ():
        for kind, text in data.items() if isinstance(data, dict) else ():
            text = "".join(map(str, text)) if isinstance(text, list) else text
            if isinstance(text, str) and _IMAGE.fullmatch(kind) and _BASE64.fullmatch(text):
                pictures.setdefault(name, {})[kind] = text
    return pictures


def _is_code(cell: dict[str, Any]) -> bool:
    """Whether it is a cell of code, or one that was released as such and became text by a slip of the student's."""
    is_answer = _nbgrader_of(cell, "solution") is True and _nbgrader_of(cell, "grade") is False
    return cell.get("cell_type") == "code" or is_answer


def notebook_code(data: bytes, name: str) -> tuple[Cell, ...]:
    """The cells of a notebook that contain code; `name` is its name in errors."""
    result: list[Cell] = []
    size = 0
    cells = [(number, cell) for number, cell in _cells(data, name, _NOTEBOOK_KEYS) if _is_code(cell)]
    for number, _, text in _sources(cells, name):
        size += len(text.encode())
        if size > CODE_CAP:
            raise too_big(f"The code in {name}", CODE_CAP)
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
            object_pairs_hook=lambda pairs: {
                key: value for key, value in pairs if key in keys or ("attachments" in keys and _is_picture(key, value))
            },
        )
    except (ValueError, RecursionError):
        if _CONFLICT.search(data):
            raise SubmissionError(
                f"{name} contains an unresolved merge conflict; resolve it and save it again."
            ) from None
        raise _broken(name) from None
    cells = _version_4_cells(notebook) if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise _broken(name)
    if len(cells) > MAX_ENTRIES:
        raise SubmissionError(f"{name} contains more than {MAX_ENTRIES} cells; hand in a notebook with fewer.")
    return [(number, cell) for number, cell in enumerate(cells, start=1) if isinstance(cell, dict)]


def _is_picture(key: str, value: object) -> bool:
    return bool(_IMAGE.fullmatch(key)) or (isinstance(value, dict) and any(map(_IMAGE.fullmatch, value)))


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
