"""What is sent to the workers of a cluster: graders and solution as a zip, and the requests."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import msgspec

from autograder import fingerprint
from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.submissions.reading import Submission


class Bundle(msgspec.Struct, frozen=True):
    """Graders and solution of one assignment as a zip, and its hash, which identifies it everywhere."""

    sha256: str
    data: bytes


class Request(msgspec.Struct, frozen=True):
    """What a worker is asked to do, apart from the bundle. `engine` is the hash of the client's engine."""

    slug: str
    salt: str
    device: str
    engine: str
    submission: Submission


def pack(assignment: Assignment) -> Bundle:
    """The files of the graders and the solution; the same files always give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in (assignment.graders, assignment.solution.parent):
            place = folder.relative_to(assignment.root).as_posix()
            for name, path in fingerprint.files(folder):
                archive.writestr(zipfile.ZipInfo(f"{place}/{name}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    data = packed.getvalue()
    return Bundle(hashlib.sha256(data).hexdigest(), data)


def unpack(bundle: Bundle, folder: Path) -> None:
    """Unpacks into `folder`, which only this user may read, as the bundle contains the solutions.

    Raises:
        EngineError: the bytes do not match the hash.
    """
    if hashlib.sha256(bundle.data).hexdigest() != bundle.sha256:
        raise EngineError("the bundle of graders was damaged in transit")
    with zipfile.ZipFile(io.BytesIO(bundle.data)) as archive:
        archive.extractall(folder)
