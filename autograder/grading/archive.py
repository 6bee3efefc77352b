"""Recordings kept on disk: as long as graders, solution, salt and versions stay the same, so do the examples and the
reference's answers, and the next command need not make them again.

A file holds what the wire holds, data and no code. What is wrong with a file or with the folder never matters: then the
reference is asked once more.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import tempfile
from pathlib import Path

import hypothesis
import msgspec
import torch

from autograder.grading.comparison import Tolerance
from autograder.grading.recording import RecordedQuestion, Recording, Recordings
from autograder.jobs import ARCHIVE
from autograder.sandbox.client import Question
from autograder.sandbox.framing import FrameError
from autograder.sandbox.values import Known, known, outcome_of

KEPT = 64  # files, of a megabyte or a few


class _StoredQuestion(msgspec.Struct, frozen=True, array_like=True):
    probe: bytes
    seed: int
    operators: bool
    lines: bool
    tolerance: tuple[float, float] | None
    reveal: bool
    header: bytes
    body: bytes


_Stored = dict[str, list[_StoredQuestion] | None]  # None: not complete


def key(files: bytes, salt: str) -> str:
    """A name for what determines the recordings: the digest of graders, solution and engine, and what runs them."""
    digest = hashlib.sha256(files)
    versions = (torch.__version__, hypothesis.__version__, platform.python_version())
    processor = (platform.machine(), torch.backends.cpu.get_cpu_capability())  # they round differently
    for text in (salt, *versions, *processor):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def load(name: str) -> Recordings:
    """The recordings that were kept under this name, also of checks that there is nothing to replay of."""
    path = _path(name)
    if path is None:
        return {}
    try:
        recordings = decode(path.read_bytes())
        path.touch()  # it is in use
    except (OSError, msgspec.DecodeError, FrameError):
        return {}
    return recordings


def save(name: str, recordings: Recordings) -> None:
    """Keeps them under this name, in place of what was there; drops what has not been used for longest."""
    path = _path(name)
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as file:
            file.write(encode(recordings))
        Path(file.name).replace(path)
        by_age = sorted(path.parent.glob("*.*"), key=lambda item: item.stat().st_mtime, reverse=True)
        for old in by_age[KEPT:]:
            old.unlink(missing_ok=True)


def encode(recordings: Recordings) -> bytes:
    return msgspec.msgpack.encode(
        {
            node: [_stored(line) for line in script.lines] if script.complete else None
            for node, script in recordings.items()
        }
    )


def decode(data: bytes) -> Recordings:
    """Raises msgspec.DecodeError or FrameError: it is not what `encode` has made."""
    stored = msgspec.msgpack.decode(data, type=_Stored)
    return {node: _recording(lines) for node, lines in stored.items()}


def _path(name: str) -> Path | None:
    """None where nothing is kept, or where others could write."""
    folder = os.environ.get(ARCHIVE, "")
    if not folder:
        return None
    path = Path(folder)
    with contextlib.suppress(OSError, AttributeError):
        state = path.stat()
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            return None
    return path / f"{name}.recordings"


def _recording(lines: list[_StoredQuestion] | None) -> Recording:
    return Recording(complete=False) if lines is None else Recording([_line(line) for line in lines])


def _stored(line: RecordedQuestion) -> _StoredQuestion:
    question = line.question
    answer = question.likely or known(line.expected)
    tolerance = (line.tolerance.relative, line.tolerance.absolute) if line.tolerance else None
    return _StoredQuestion(
        question.probe,
        question.seed,
        question.operators,
        question.lines,
        tolerance,
        line.reveal,
        answer.header,
        answer.body,
    )


def _line(line: _StoredQuestion) -> RecordedQuestion:
    expected = Known(outcome_of(line.header, line.body), line.header, line.body)
    question = Question(line.probe, line.seed, line.operators, line.lines, expected)
    return RecordedQuestion(
        question, expected.outcome, Tolerance(*line.tolerance) if line.tolerance else None, line.reveal
    )
