"""The single digest of everything that determines a result: graders, solution, engine, versions and options.

It identifies what is kept between commands (a class's results, the reference's answers) and is published with each
result, so two results with the same fingerprint were made in the same way. Computed without importing PyTorch.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import msgspec

import autograder
from autograder.course import Assignment
from autograder.errors import UsageError
from autograder.jobs import Job

_DECISIVE = ("torch", "hypothesis", "numpy", "torchvision", "ipython")  # packages whose version can change a result
_MADE_BY_PYTHON = "__pycache__"
_SALT = re.compile(rb"^salt *=.*\n?", re.MULTILINE)  # in assignment.toml: it changes every term, its grader does not


class Parts(msgspec.Struct, frozen=True):
    """What a fingerprint is made of, in pieces: they tell why two results differ. Digests, but for `timing`, which is
    what forward passes are timed on. `handed_in` is the submission before it was read."""

    graders: str
    solution: str
    engine: str
    salt: str
    timing: str
    submission: str = ""
    handed_in: str = ""


def parts(assignment: Assignment, salt: str, device: str) -> Parts:
    """Everything but the submission; `salt` and `device` are those of a `Job`.

    Raises:
        UsageError: as `of_assignment`.
    """
    return Parts(
        graders=_of_folder(assignment.graders, {"assignment.toml": _SALT}),
        solution=_of_folder(assignment.solution.parent),
        engine=of_engine(),
        salt=combined(assignment.salt + salt),
        timing=device or "nothing",
    )


def of_job(assignment: str, job: Job) -> str:
    """What determines the result of `job`; `assignment` is from `of_assignment`. The course's path does not matter."""
    fields = msgspec.structs.asdict(job)
    options = {name: value for name, value in fields.items() if name not in ("course", "submission")}
    return combined(assignment, msgspec.json.encode(options).decode(), job.submission.sha256)


def of_assignment(assignment: Assignment) -> str:
    """What determines the results of all submissions: the folders of graders and solution, and `of_engine`.

    Raises:
        UsageError: a file there cannot be read.
    """
    folders = (assignment.graders, assignment.solution.parent)
    return combined(assignment.slug, *map(_of_folder, folders), of_engine())


def of_engine() -> str:
    """This package's files, and the versions of Python and of the packages it computes with."""
    return combined(_of_folder(Path(autograder.__file__).parent), platform.python_version(), *map(_version, _DECISIVE))


def combined(*parts: str) -> str:
    """One digest of several texts. Different lists of parts have different digests."""
    digest = hashlib.sha256()
    for part in parts:
        _add(digest, part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `folder` with its path relative to it, sorted by path, whatever the files are called.

    Links are followed, since opening a file by its name follows them too; only what Python itself makes is left out.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for path, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(path)
        folders[:] = [] if real in seen else [name for name in folders if name != _MADE_BY_PYTHON]
        seen.add(real)
        here = Path(path)
        found |= {(here / name).relative_to(folder).as_posix(): here / name for name in names}
    for name in sorted(found):
        if found[name].is_file():
            yield name, found[name]


def _of_folder(folder: Path, without: Mapping[str, re.Pattern[bytes]] | None = None) -> str:
    """The names and contents of all files, but for what is left out `without` some."""
    digest = hashlib.sha256()
    for name, path in files(folder):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"Cannot read {path}: {error.strerror}; make it readable or remove it.") from error
        if without and name in without:
            data = without[name].sub(b"", data)
        _add(digest, os.fsencode(name))
        _add(digest, data)
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _add(digest: hashlib._Hash, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "little"))
    digest.update(part)
