"""The contents of a class's folder OUT: a result file per submission for students, and what only we read.

`OUT/<name>.json` is the result in Gradescope's format. `OUT/.autograder/` has the roster and, per submission, the whole
result with its fingerprint: for the next run and for the report, including what students must not see. Beside the
result that counts (`records/`) there may be the one that it replaced (`previous/`) and one that does not count yet
(`proposed/`).
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
from autograder.fingerprint import Parts
from autograder.output import atomic
from autograder.results import gradescope, model
from autograder.results.model import Result, State

_FOLDER = ".autograder"


class Roll(msgspec.Struct, frozen=True):
    """The class when it was last graded: the assignment, everyone in it, and the options of the command."""

    assignment: str
    title: str
    exercises: dict[str, float]
    found: tuple[Found, ...]
    salt: str = ""
    device: str = "auto"
    bonus: tuple[str, ...] = ()

    @property
    def max_points(self) -> float:
        return round(sum(points for name, points in self.exercises.items() if name not in self.bonus), 6)


class Record(msgspec.Struct, frozen=True):
    """What is kept of one submission. `result` is decoded only when all of it is needed; `published` is the hash of the
    file for students; `same_as` is the identical submission whose result this is a copy of, if any; `at` is the time of
    grading; `made_from` tells why another result differs."""

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
    made_from: Parts | None = None

    def whole(self) -> Result:
        return model.decode(bytes(self.result))


def record_of(
    result: Result,
    fingerprint: str,
    graded: Graded,
    note: str = "",
    same_as: str = "",
    made_from: Parts | None = None,
) -> Record:
    """What is kept of a result that was made now."""
    return Record(
        fingerprint=fingerprint,
        published=hashlib.sha256(gradescope.encode(result)).hexdigest(),
        state=result.state,
        points=result.points,
        scores={exercise.name: exercise.points for exercise in result.exercises},
        seconds=result.seconds,
        note=note,
        same_as=same_as,
        graded=graded,
        at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        result=msgspec.Raw(model.encode(result)),
        made_from=made_from,
    )


class Store:
    """The folder OUT. Use it as a context to write: then no other command can write there at the same time. What
    belongs together is written in the context `held`."""

    def __init__(self, folder: Path, held: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.folder = folder
        self.held = held
        self._own = folder / _FOLDER
        self._records = self._own / "records"
        self._previous = self._own / "previous"
        self._proposed = self._own / "proposed"
        self._lock = -1

    def __enter__(self) -> Store:
        lock = self._own / "lock"
        try:
            for folder in (self._records, self._previous, self._proposed):
                folder.mkdir(parents=True, exist_ok=True)
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
        for folder in (self.folder, self._own, self._records, self._previous, self._proposed):
            for path in folder.glob(".*.tmp"):
                path.unlink(missing_ok=True)

    def published(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def require(self, assignment: str) -> None:
        """Raises UsageError: the folder contains the results of another assignment."""
        if (self._own / "class.json").exists() and (before := self.roll()).assignment != assignment:
            raise UsageError(
                f"{self.folder} has results of {before.assignment}; choose another folder for {assignment}."
            )

    def call(self, roll: Roll) -> None:
        """Records who is in the class.

        Raises:
            UsageError: the folder contains the results of another assignment, or cannot be written.
        """
        self.require(roll.assignment)
        atomic.replace(self._own / "class.json", msgspec.json.encode(roll))

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
        """The result that counts. None if there is none, or if another version of the kit wrote it."""
        return _read(self._records, name)

    def previous(self, name: str) -> Record | None:
        """The last grade that was replaced."""
        return _read(self._previous, name)

    def proposed(self, name: str) -> Record | None:
        """A result that does not count yet: one of a preview, or one that nobody has accepted."""
        return _read(self._proposed, name)

    def records(self, roll: Roll) -> Iterator[tuple[Found, Record | None]]:
        """One after the other, read from disk: only one is in memory at a time."""
        for found in roll.found:
            yield found, self.record(found.name)

    def adopt(self, found: Found, record: Record) -> None:
        """Makes a result the one that counts. Both files are replaced, the record second: if the record exists, so does
        the other file.

        Raises:
            UsageError: the files cannot be written.
        """
        public = gradescope.encode(record.whole())
        with self.held():
            self._keep_previous(found)
            atomic.replace(self.published(found.name), public)
            _write(self._records, found, record)
            self.withdraw(found)

    def propose(self, found: Found, record: Record) -> None:
        """Keeps a result that does not count yet; raises UsageError as `adopt`."""
        with self.held():
            _write(self._proposed, found, record)

    def _keep_previous(self, found: Found) -> None:
        before = self.record(found.name)
        if before is not None and before.state is State.GRADED:
            _write(self._previous, found, before, durable=False)

    def withdraw(self, found: Found) -> None:
        """Forgets what is proposed for a submission."""
        (self._proposed / f"{found.name}.json").unlink(missing_ok=True)

    def valid(self, found: Found, fingerprint: str, *, proposed: bool = False) -> Record | None:
        """The result of exactly this submission under exactly these graders, if there is one."""
        record = self.proposed(found.name) if proposed else self.record(found.name)
        valid = record is not None and record.fingerprint == fingerprint and record.state is State.GRADED
        return record if valid else None

    def refresh(self, found: Found, record: Record, graded: Graded) -> bool:
        """Restores the published file of the result that counts if needed, and notes what else is now in the
        submission. False if another version of the kit wrote the result."""
        try:
            public = self.published(found.name).read_bytes()
        except OSError:
            public = b""
        if hashlib.sha256(public).hexdigest() != record.published:
            try:
                result = record.whole()
            except msgspec.MsgspecError:
                return False
            gradescope.write(result, self.published(found.name))
        if record.graded != graded:
            _write(self._records, found, msgspec.structs.replace(record, graded=graded))
        return True


def _read(folder: Path, name: str) -> Record | None:
    try:
        return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(folder: Path, found: Found, record: Record, *, durable: bool = True) -> None:
    atomic.replace(folder / f"{found.name}.json", msgspec.json.encode(record), durable=durable)
