"""What is kept on disk between commands: as long as graders, solution, salt and versions stay the same, so do the
examples, the reference's answers, and how the known wrong variants do, and the next command need not find out again.

A file contains data as on the wire, and no code. If anything is wrong with a file or the folder, the reference and the
variants are simply asked again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import torch

from autograder import fingerprint
from autograder.errors import UsageError
from autograder.grading.hearing import Profile
from autograder.grading.recording import RecordedQuestion, Recording, Recordings
from autograder.grading.tolerance import Standard, Tolerance
from autograder.jobs import CACHE
from autograder.output import atomic
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import from_bytes
from autograder.sandbox.encoding import known
from autograder.sandbox.framing import FrameError

KEPT = 64  # assignments' recordings, of a few megabytes at most
KEPT_PROFILES = 1024  # exercises' profiles, of a few kilobytes

T = TypeVar("T")


class _StoredQuestion(msgspec.Struct, frozen=True, array_like=True):
    probe: bytes
    seed: int
    operators: bool
    lines: bool
    tolerance: tuple[float, float] | None
    dtype: bool
    shape: bool
    reveal: bool
    header: bytes
    body: bytearray


_Stored = dict[str, list[_StoredQuestion] | None]  # None: not complete
Profiles = dict[str, dict[str, Profile]]  # of an exercise's known wrong variants, by variant and check
_PROFILES = msgspec.msgpack.Decoder(Profiles)


class Archive:
    """What is known about one assignment: what an earlier command kept, what another judge has found out in the
    meantime, and what is found out now.

    Args:
        digest: everything that determines it except the processor (see `fingerprint.of_assignment`), with the salt.
    """

    def __init__(self, digest: str) -> None:
        processor = (platform.machine(), torch.backends.cpu.get_cpu_capability())  # processors round differently
        self._name = fingerprint.combined(digest, *processor)
        self._folder = _folder()
        self._known: Recordings = self._kept("recordings", decode) or {}
        self._profiles: dict[str, Profiles] = {}

    def get(self, node: str) -> Recording | None:
        """What the check with this node id asks; None if it is not known."""
        return self._known.get(node)

    def learn(self, found: Recordings) -> None:
        """Adds what is new and keeps it for the next command; deletes the files that were used least recently."""
        new = {node: recording for node, recording in found.items() if node not in self._known}
        if new:
            self._known |= new
            self._keep("recordings", encode(self._known), KEPT)

    def profiles(self, exercise: str, find_out: Callable[[], Profiles]) -> Profiles:
        """How the known wrong variants of an exercise do. If it is not known, one of all judges finds out."""
        kind = f"{exercise}.profiles"
        if exercise not in self._profiles:
            with self._alone(kind):
                found = self._kept(kind, _PROFILES.decode)
                if found is None:
                    found = find_out()
                    self._keep(kind, msgspec.msgpack.encode(found), KEPT_PROFILES)
            self._profiles[exercise] = found
        return self._profiles[exercise]

    def learn_profiles(self, found: Mapping[str, Profiles]) -> None:
        """Adds what `profiles` has found out in another process."""
        self._profiles |= found

    def _place(self, kind: str) -> Path | None:
        return self._folder and self._folder / f"{self._name}.{kind}"

    def _kept(self, kind: str, decoded: Callable[[bytes], T]) -> T | None:
        path = self._place(kind)
        if path is None:
            return None
        try:
            content = decoded(path.read_bytes())
            path.touch()  # it is in use
        except (OSError, msgspec.DecodeError, FrameError):
            return None
        return content

    def _keep(self, kind: str, data: bytes, most: int) -> None:
        path = self._place(kind)
        if path is None:
            return
        with contextlib.suppress(OSError, UsageError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic.replace(path, data, durable=False, mode=0o600)  # it contains the answers
            alike = path.parent.glob(f"*.{kind.rpartition('.')[2]}")
            by_age = sorted(alike, key=lambda item: item.stat().st_mtime, reverse=True)
            for old in by_age[most:]:
                old.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self, kind: str) -> Iterator[None]:
        """Waits while another judge is inside with the same kind. Where nothing is kept, waiting would be in vain."""
        path = self._place(f"{kind}.lock")
        with contextlib.ExitStack() as held:
            if path is not None:
                with contextlib.suppress(OSError):
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    lock = held.enter_context(open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb"))
                    held.callback(path.unlink, missing_ok=True)
                    fcntl.flock(lock, fcntl.LOCK_EX)
            yield


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


def _folder() -> Path | None:
    """The folder for what is kept; None if nothing is, or if other users can write to it."""
    folder = os.environ.get(CACHE, "")
    if not folder:
        return None
    path = Path(folder)
    with contextlib.suppress(OSError, AttributeError):
        state = path.stat()
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            return None
    return path


def _recording(stored: list[_StoredQuestion] | None) -> Recording:
    return Recording(complete=False) if stored is None else Recording([_recorded(one) for one in stored])


def _stored(recorded: RecordedQuestion) -> _StoredQuestion:
    question, standard = recorded.question, recorded.standard
    answer = question.likely or known(recorded.expected)
    return _StoredQuestion(
        question.probe,
        question.seed,
        question.operators,
        question.lines,
        (standard.tolerance.relative, standard.tolerance.absolute) if standard.tolerance else None,
        standard.dtype,
        standard.shape,
        recorded.reveal,
        answer.header,
        answer.body,
    )


def _recorded(stored: _StoredQuestion) -> RecordedQuestion:
    expected = from_bytes(stored.header, stored.body)
    question = Question(stored.probe, stored.seed, stored.operators, stored.lines, expected)
    tolerance = Tolerance(*stored.tolerance) if stored.tolerance else None
    standard = Standard(tolerance, stored.dtype, stored.shape)
    return RecordedQuestion(question, expected.outcome, standard, stored.reveal)
