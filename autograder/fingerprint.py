"""When is a result still the result? A hash of everything that determines it, made without importing PyTorch."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path

import autograder
from autograder.course import Assignment

_DECISIVE = ("torch", "hypothesis", "numpy", "torchvision")  # packages whose version can change a result


def of_course(assignment: Assignment) -> str:
    """Of the graders and the solution: all files that lie there, whatever they are called."""
    digest = hashlib.sha256()
    for folder in (assignment.graders, assignment.solution.parent):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                _add(digest, path.relative_to(assignment.root).as_posix().encode(), path.read_bytes())
    return digest.hexdigest()


def of_engine() -> str:
    """Of this package's code and the versions of what it computes with."""
    digest = hashlib.sha256()
    package = Path(autograder.__file__).parent
    for path in sorted(package.rglob("*.py")):
        _add(digest, path.relative_to(package).as_posix().encode(), path.read_bytes())
    _add(digest, platform.python_version().encode())
    for name in _DECISIVE:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "none"
        _add(digest, name.encode(), version.encode())
    return digest.hexdigest()


def combined(*parts: str) -> str:
    digest = hashlib.sha256()
    _add(digest, *(part.encode("utf-8", "surrogatepass") for part in parts))
    return digest.hexdigest()


def _add(digest: hashlib._Hash, *parts: bytes) -> None:
    """With their lengths: no two different lists of parts look alike."""
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
