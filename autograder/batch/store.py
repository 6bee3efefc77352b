"""The contents of a class's folder OUT: a result file per submission for students, and what only we read.

`OUT/<name>.json` is the result in Gradescope's format. `OUT/.autograder/` has the roster and, per submission, the whole
result with its fingerprint: for the next run and for the report, including what students must not see.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from autograder.batch.contents import Graded
from autograder.batch.discovery import Found
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.results import gradescope, model
from autograder.results.model import Result, State

_FOLDER = ".autograder"


class Roll(msgspec.Struct, frozen=True):
    """The class when it was last graded: the assignment, and everyone in it."""

    assignment: str
    title: str
    exercises: dict[str, float]
    found: tuple[Found, ...]


class Record(msgspec.Struct, frozen=True):
    """What is kept of one submission. `result` is decoded only when all of it is needed; `published` is the hash of the
    file for students; `same_as` is the identical submission whose result this is a copy of, if any; `at` is the time of
    grading."""

    fingerprint: str
    published: str
    state: State
    points: float
    scores: dict[str, float]
    seconds: float
    note: str
    same_as: str
    graded: Graded
    at: str
    result: msgspec.Raw

    def whole(self) -> Result:
        return model.decode(bytes(self.result))


class Store:
    """The folder OUT. Use it as a context to write: then no other command can write there at the same time. What
    belongs together is written in the context `held`."""

    def __init__(self, folder: Path, held: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.folder = folder
        self._held = held
        self._own = folder / _FOLDER
        self._records = self._own / "records"
        self._lock = -1

    def __enter__(self) -> Store:
        lock = self._own / "lock"
        try:
            self._records.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(f"Cannot write to {self.folder}: {error.strerror or error}; choose another.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise UsageError(
                f"Another `autograder batch` is writing to {self.folder}; wait until it ends or choose another folder."
            ) from None
        self._remove_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _remove_leftovers(self) -> None:
        """Removes the temporary files of a run that was killed."""
        for folder in (self.folder, self._own, self._records):
            for path in folder.glob(".*.tmp"):
                path.unlink(missing_ok=True)

    def published(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def call(self, roll: Roll) -> None:
        """Records who is in the class.

        Raises:
            UsageError: the folder contains the results of another assignment, or cannot be written.
        """
        path = self._own / "class.json"
        if path.exists() and (before := self.roll()).assignment != roll.assignment:
            raise UsageError(
                f"{self.folder} has results of {before.assignment}; choose another folder for {roll.assignment}."
            )
        atomic.replace(path, msgspec.json.encode(roll))

    def roll(self) -> Roll:
        """Raises UsageError: the folder was not made by `autograder batch`."""
        try:
            return msgspec.json.decode((self._own / "class.json").read_bytes(), type=Roll)
        except OSError:
            raise UsageError(f"{self.folder} has no results of `autograder batch`; give its OUT folder.") from None
        except msgspec.MsgspecError as error:
            raise UsageError(
                f"{self._own / 'class.json'} is damaged ({error}); delete it and run `autograder batch`."
            ) from error

    def record(self, name: str) -> Record | None:
        """None if there is none, or if another version of the kit wrote it."""
        try:
            return msgspec.json.decode((self._records / f"{name}.json").read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            return None

    def records(self, roll: Roll) -> Iterator[tuple[Found, Record | None]]:
        """One after the other, read from disk: only one is in memory at a time."""
        for found in roll.found:
            yield found, self.record(found.name)

    def put(self, found: Found, fingerprint: str, result: Result, note: str, graded: Graded, same_as: str = "") -> None:
        """Writes both files, the record second: if the record exists, so does the other file.

        Raises:
            UsageError: the files cannot be written.
        """
        public = gradescope.encode(result)
        record = Record(
            fingerprint=fingerprint,
            published=hashlib.sha256(public).hexdigest(),
            state=result.state,
            points=result.points,
            scores={exercise.name: exercise.points for exercise in result.exercises},
            seconds=result.seconds,
            note=note,
            same_as=same_as,
            graded=graded,
            at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            result=msgspec.Raw(model.encode(result)),
        )
        with self._held():
            atomic.replace(self.published(found.name), public)
            self._keep(found, record)

    def _keep(self, found: Found, record: Record) -> None:
        atomic.replace(self._records / f"{found.name}.json", msgspec.json.encode(record))

    def reusable(self, found: Found, fingerprint: str, graded: Graded) -> Record | None:
        """The record of exactly this submission under exactly these graders; restores its published file if needed, and
        notes what else is now in the submission."""
        record = self.record(found.name)
        if record is None or record.fingerprint != fingerprint or record.state is not State.GRADED:
            return None
        try:
            public = self.published(found.name).read_bytes()
        except OSError:
            public = b""
        if hashlib.sha256(public).hexdigest() != record.published:
            try:
                result = record.whole()
            except msgspec.MsgspecError:
                return None
            gradescope.write(result, self.published(found.name))
        if record.graded != graded:
            record = msgspec.structs.replace(record, graded=graded)
            self._keep(found, record)
        return record
