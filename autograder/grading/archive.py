"""Recordings kept on disk: as long as graders, solution, salt and versions stay the same, so do the examples and the
reference's answers, and the next command need not make them again.

A file holds what the wire holds, data and no code. What is wrong with a file or with the folder never matters: then the
reference is asked once more.
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
from autograder.grading.comparison import Tolerance
from autograder.grading.recording import RecordedQuestion, Recording, Recordings
from autograder.jobs import CACHE
from autograder.output import atomic
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


def key(assignment: str, salt: str) -> str:
    """A name for what determines the recordings: `fingerprint.of_assignment`, the salt, and the processor's kind."""
    return fingerprint.combined(assignment, salt, platform.machine(), torch.backends.cpu.get_cpu_capability())


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
    with contextlib.suppress(OSError, UsageError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.replace(path, encode(recordings), durable=False, mode=0o600)  # they hold the answers
        by_age = sorted(path.parent.glob("*.*"), key=lambda item: item.stat().st_mtime, reverse=True)
        for old in by_age[KEPT:]:
            old.unlink(missing_ok=True)


def encode(recordings: Recordings) -> bytes:
    return msgspec.msgpack.encode(
        {
            node: [_stored(recorded) for recorded in recording.questions] if recording.complete else None
            for node, recording in recordings.items()
        }
    )


def decode(data: bytes) -> Recordings:
    """Raises msgspec.DecodeError or FrameError: it is not what `encode` has made."""
    stored = msgspec.msgpack.decode(data, type=_Stored)
    return {node: _recording(questions) for node, questions in stored.items()}


def _path(name: str) -> Path | None:
    """None where nothing is kept, or where others could write."""
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
    expected = Known(outcome_of(stored.header, stored.body), stored.header, stored.body)
    question = Question(stored.probe, stored.seed, stored.operators, stored.lines, expected)
    tolerance = Tolerance(*stored.tolerance) if stored.tolerance else None
    return RecordedQuestion(question, expected.outcome, tolerance, stored.reveal)
