"""Recordings kept on disk: as long as graders, solution, salt and versions stay the same, so do the examples and the
reference's answers, and the next command need not make them again.

A file contains the same as the wire: data, no code. If anything is wrong with a file or the folder, the reference is
simply asked again.
"""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import msgspec
import torch

from autograder import fingerprint
from autograder.errors import UsageError
from autograder.grading.recording import RecordedQuestion, Recording, Recordings
from autograder.grading.tolerance import Tolerance
from autograder.jobs import CACHE
from autograder.output import atomic
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import from_bytes
from autograder.sandbox.encoding import known
from autograder.sandbox.framing import FrameError

KEPT = 64  # files, of a few megabytes at most


class _StoredQuestion(msgspec.Struct, frozen=True, array_like=True):
    probe: bytes
    seed: int
    operators: bool
    lines: bool
    tolerance: tuple[float, float] | None
    reveal: bool
    header: bytes
    body: bytearray


_Stored = dict[str, list[_StoredQuestion] | None]  # None: not complete


class Archive:
    """The recordings of one assignment: those that an earlier command kept, and what is recorded now.

    Args:
        digest: everything that determines them except the processor (see `fingerprint.of_assignment`), with the salt.
    """

    def __init__(self, digest: str) -> None:
        processor = (platform.machine(), torch.backends.cpu.get_cpu_capability())  # processors round differently
        self._path = _path(fingerprint.combined(digest, *processor))
        self._recordings = self._load()

    def get(self, node: str) -> Recording | None:
        """What the check with this node id asks; None if it is not known."""
        return self._recordings.get(node)

    def learn(self, found: Recordings) -> None:
        """Adds what is new and keeps it for the next command; deletes the files that were used least recently."""
        new = {node: recording for node, recording in found.items() if node not in self._recordings}
        self._recordings |= new
        if self._path is None or not new:
            return
        data = encode(self._recordings)
        with contextlib.suppress(OSError, UsageError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic.replace(self._path, data, durable=False, mode=0o600)  # it contains the answers
            by_age = sorted(self._path.parent.glob("*.*"), key=lambda item: item.stat().st_mtime, reverse=True)
            for old in by_age[KEPT:]:
                old.unlink(missing_ok=True)

    def _load(self) -> Recordings:
        if self._path is None:
            return {}
        try:
            recordings = decode(self._path.read_bytes())
            self._path.touch()  # it is in use
        except (OSError, msgspec.DecodeError, FrameError):
            return {}
        return recordings


def encode(recordings: Recordings) -> bytes:
    return msgspec.msgpack.encode(
        {
            node: [_stored(recorded) for recorded in recording.questions] if recording.complete else None
            for node, recording in recordings.items()
        }
    )


def decode(data: bytes) -> Recordings:
    """The inverse of `encode`; raises msgspec.DecodeError or FrameError for anything else."""
    stored = msgspec.msgpack.decode(data, type=_Stored)
    return {node: _recording(questions) for node, questions in stored.items()}


def _path(name: str) -> Path | None:
    """The file for this name; None if nothing is kept or if other users can write to the folder."""
    folder = os.environ.get(CACHE, "")
    if not folder:
        return None
    path = Path(folder)
    with contextlib.suppress(OSError, AttributeError):
        state = path.stat()
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            return None
    return path / f"{name}.recordings"


def _recording(stored: list[_StoredQuestion] | None) -> Recording:
    return Recording(complete=False) if stored is None else Recording([_recorded(one) for one in stored])


def _stored(recorded: RecordedQuestion) -> _StoredQuestion:
    question = recorded.question
    answer = question.likely or known(recorded.expected)
    return _StoredQuestion(
        question.probe,
        question.seed,
        question.operators,
        question.lines,
        (recorded.tolerance.relative, recorded.tolerance.absolute) if recorded.tolerance else None,
        recorded.reveal,
        answer.header,
        answer.body,
    )


def _recorded(stored: _StoredQuestion) -> RecordedQuestion:
    expected = from_bytes(stored.header, stored.body)
    question = Question(stored.probe, stored.seed, stored.operators, stored.lines, expected)
    tolerance = Tolerance(*stored.tolerance) if stored.tolerance else None
    return RecordedQuestion(question, expected.outcome, tolerance, stored.reveal)
