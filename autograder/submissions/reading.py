"""Turns what a student handed in (`.py`, `.ipynb`, `.zip` or a folder) into the source of one module.

Everything read here is hostile. None of it is executed, imported or compiled: the worker parses it, inside the sandbox.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from autograder.submissions.other_files import OtherFile, is_allowed, read_allowed
from autograder.submissions.places import MAX_DEPTH, Archive, Files, Folder, Parts, Place, is_folder
from autograder.submissions.sources import (
    CODE_CAP,
    MB,
    Cell,
    NotebookCell,
    SubmissionError,
    TooBig,
    in_utf8,
    notebook_cells,
    notebook_code,
    python_source,
    shown,
)

STUB = b"raise NotImplementedError()"  # what a skeleton has in place of a solution
CAPS = {".py": CODE_CAP, ".ipynb": 20 * MB, ".zip": 20 * MB}
_KINDS = {".py": "a Python file", ".ipynb": "a notebook", ".zip": "a zip archive"}
_BEGINS_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*[{\[]")
_PYTHON = re.compile(rb"^(import|from|def|class|@)\b", re.MULTILINE)


class Submission(msgspec.Struct, frozen=True):
    """The checked source of one module. `name` says where it was found, `file_name` is its last part.

    `remarks` say how it was found, if that is not as it should be. `other` is the notebook of somebody who worked in a
    file and a notebook: both are graded, and the better one counts. `files` lie beside it.
    """

    name: str
    file_name: str
    cells: tuple[Cell, ...]
    is_notebook: bool
    remarks: tuple[str, ...] = ()
    other: Submission | None = None
    files: tuple[OtherFile, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode((self.cells, self.remarks, self.other, self.files))).hexdigest()


def read_submission(
    path: Path, module: str, allowed: Sequence[str] = (), beside: Mapping[str, Path] | None = None
) -> Submission:
    """Reads the file at `path`, or the one file of `module` in the folder or zip at `path`, and those of the other
    files in the same folder that are `allowed` (see `other_files`).

    What lies beside a single file belongs to it if it has the module's own name: else a folder may hold the files of a
    whole class. `beside` says what does (name → path).

    Raises:
        SubmissionError: there is no such file, more than one, or one that cannot be used.
    """
    in_folder = is_folder(path)
    place: Place = Folder(path if in_folder else path.parent)
    found: list[Parts] = _find(place, module, allowed) if in_folder else [(path.name,)]
    data = _read(place, found[0])
    remarks: tuple[str, ...] = ()
    if len(found) == 1 and _kind(data, found[0]) == ".zip":
        remarks = _remarks(data, found[0], ())
        place = Archive(data, shown("/".join(found[0])))
        found = _find(place, module, allowed, zips=False)
    elif not in_folder:
        submission = _submission(data, found[0], ())
        if beside is None and path.stem != module:
            return submission
        return _with_others(submission, found, place if beside is None else Files(beside), module, allowed)
    return _with_others(_chosen(found, place, module, remarks), found, place, module, allowed)


def _read(place: Place, parts: Parts) -> bytes:
    """A file, with its text in UTF-8. A notebook may be called `.py`, and is larger than code may be."""
    suffix = Path(parts[-1]).suffix.lower()
    try:
        return in_utf8(place.read(parts, CAPS.get(suffix, 0)))
    except TooBig:
        if suffix == ".py":
            with contextlib.suppress(TooBig):
                data = in_utf8(place.read(parts, CAPS[".ipynb"]))
                if _kind(data, parts) != ".py":
                    return data
        raise


def _with_others(
    submission: Submission, found: list[Parts], place: Place, module: str, allowed: Sequence[str]
) -> Submission:
    if not allowed:
        return submission
    files, left_out = read_allowed(found, place, module, allowed)
    other = submission.other and msgspec.structs.replace(submission.other, files=files)
    return msgspec.structs.replace(submission, remarks=(*submission.remarks, *left_out), other=other, files=files)


def _chosen(found: list[Parts], place: Place, module: str, remarks: tuple[str, ...] = ()) -> Submission:
    """The submission in the file that was found, or in the file and the notebook."""
    name = found[0][-1]
    if Path(name).stem != module:
        remarks = (*remarks, f"There is no file named {module}.py or {module}.ipynb, so {shown(name)} was graded.")
    submissions: list[Submission] = []
    unreadable: list[str] = []
    for parts in found:
        try:
            submissions.append(_submission(_read(place, parts), parts, remarks, place.prefix))
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
    return notebook_cells(in_utf8(Folder(path.parent).read((path.name,), CAPS[".ipynb"])), name)


def infer_slug(
    path: Path,
    slugs: Sequence[str],
    allowed: Callable[[str], Sequence[str]] = lambda _: (),
    likely: Sequence[str] = (),
) -> str | None:
    """The assignment that `path` is for, judged by file names only; None if that is unclear.

    `allowed` says which files may lie beside an assignment's own. Those of the `likely` assignments, or else of all
    that are named, name no other.
    """
    names = names_in(path)
    is_folder = path.is_dir() and not path.is_symlink()
    stem = path.name if is_folder else path.stem
    if stem in slugs:
        return stem
    for depth in (1, MAX_DEPTH + 1):
        files = [parts for parts in names if len(parts) <= depth]
        held = {slug: [parts for parts in files if parts[-1] in (f"{slug}.py", f"{slug}.ipynb")] for slug in slugs}
        if any(held.values()):
            return _the_one(held, allowed, likely)
    zips = [parts[:1] for parts in names if parts[0].endswith(".zip") and is_folder]
    called = [(stem, ()), *((Path(p[-1]).stem, p) for p in [*zips, *(p for p in names if _is_code(p[-1]))])]
    held = {slug: [parts for name, parts in called if _contains(name, slug)] for slug in slugs}
    parts_of = {slug: named for slug, named in held.items() if named}
    longest = {s: named for s, named in parts_of.items() if not any(s != other and s in other for other in parts_of)}
    return _the_one(longest, allowed, likely)


def _the_one(
    held: Mapping[str, Sequence[Parts]], allowed: Callable[[str], Sequence[str]], likely: Sequence[str]
) -> str | None:
    """The only assignment with files that do not just lie beside those of another."""
    found = [slug for slug, files in held.items() if files]
    if len(found) > 1 or likely:
        patterns = {slug: allowed(slug) for slug in likely or found}
        found = [
            slug
            for slug in found
            if not any(_lie_beside(held[slug], patterns[other]) for other in patterns if other != slug)
        ]
    return found[0] if len(found) == 1 else None


def _lie_beside(files: Iterable[Parts], patterns: Sequence[str]) -> bool:
    """Whether each may lie beside the file that is graded, wherever that is."""
    return all(any(is_allowed(parts[at:], patterns) for at in range(len(parts))) for parts in files)


def names_in(path: Path) -> list[Parts]:
    """What lies in the folder or zip at `path`, files and folders; nothing if that cannot be read."""
    names: list[Parts] = []
    try:
        if is_folder(path):
            names = Folder(path).names(0)  # kept if the rest is too much
            names = Folder(path).names(MAX_DEPTH)
        elif path.suffix.lower() == ".zip":
            names = Archive(Folder(path.parent).read((path.name,), CAPS[".zip"]), "").names(MAX_DEPTH)
    except SubmissionError:
        pass
    return names


def _is_code(name: str) -> bool:
    return Path(name).suffix in (".py", ".ipynb") and not name.startswith("test_")


def _contains(name: str, module: str) -> bool:
    """Whether the module's name is a word of this one."""
    return bool(re.search(rf"(?<![^\W_]){re.escape(module)}(?![^\W_])", name, re.I))


def _none(module: str) -> NoReturn:
    raise SubmissionError(
        f"No file named {module}.py or {module}.ipynb was found in the submission; hand in exactly one of them."
    )


def _find(place: Place, module: str, allowed: Sequence[str], zips: bool = True) -> list[Parts]:
    names: list[Parts] = []
    for depth in (0, MAX_DEPTH):
        names = place.names(depth)
        if chosen := _pick(names, module, place, zips):
            return chosen
    return _nearly(names, module, allowed) or _none(module)


def _nearly(names: Iterable[Parts], module: str, allowed: Sequence[str]) -> list[Parts]:
    """The one file whose name contains the module's as a word, such as `pooling (1).py`."""
    fitting = [parts for parts in names if _is_code(parts[-1]) and _contains(Path(parts[-1]).stem, module)]
    fitting = [parts for parts in fitting if not is_allowed(parts, allowed)] or fitting
    if len(fitting) > 1:
        raise _too_many(fitting)
    return fitting


def _pick(names: Iterable[Parts], module: str, place: Place, zips: bool) -> list[Parts]:
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
            finished = [parts for parts in matches if STUB not in _read(place, parts)]
            return finished if len(finished) == 1 else matches
    if len(matches) > 1:
        raise _too_many(matches)
    return matches


def _too_many(found: list[Parts]) -> SubmissionError:
    some = ", ".join(shown("/".join(parts)) for parts in found[:3])
    return SubmissionError(
        f"The submission contains {len(found)} files that could be graded ({some}); hand in only one."
    )
