"""Grades a class: decides what has to be graded, hands it out, and writes each result as soon as it is there.

Only this thread writes, and what is held in memory is what is in flight. Whenever the command dies, the files of all
that was finished are complete, and the next run goes on from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder import fingerprint
from autograder.batch.discovery import Found
from autograder.batch.grader import CannotGrade, Grader
from autograder.batch.store import Store
from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.output.inert import one_line
from autograder.results.model import ExerciseResult, Result, State
from autograder.results.terminal import note
from autograder.submissions.reading import Submission, read_submission
from autograder.submissions.sources import Cell, SubmissionError

NOT_GRADED = "Grading failed. It is not your fault; your instructor has been told."
_MISSING_LAYER = "confinement without "


@dataclass
class Tally:
    graded: int = 0
    reused: int = 0
    unreadable: int = 0
    identical: int = 0
    errors: int = 0
    seconds: float = 0.0
    layers: set[str] = field(default_factory=set)  # what the instructor is told once, not for each submission


@dataclass
class _InFlight:
    found: Found
    mark: str
    twins: list[Found] = field(default_factory=list)


class Run:
    """One run over a class. `trouble` is called with a name and a line, `done` with how many are through."""

    def __init__(
        self,
        assignment: Assignment,
        grader: Grader,
        store: Store,
        options: tuple[str, ...],
        trouble: Callable[[str, str], None],
        done: Callable[[int, bool], None],
        *,
        force: bool = False,
    ) -> None:
        self._assignment = assignment
        self._grader = grader
        self._store = store
        self._trouble = trouble
        self._done = done
        self._force = force
        self._base = fingerprint.combined(
            assignment.slug, fingerprint.of_course(assignment), fingerprint.of_engine(), *options
        )
        self._in_flight: dict[Future[Result], _InFlight] = {}
        self._by_mark: dict[str, _InFlight] = {}
        self._graded: dict[str, str] = {}  # fingerprint → the submission that was graded with it in this run
        self.tally = Tally()

    def __call__(self, class_: Iterable[Found]) -> None:
        """Raises CannotGrade: no submission can be graded. UsageError: a result cannot be written."""
        for found in class_:
            self._begin(found)
            while len(self._in_flight) >= self._grader.capacity:
                self._collect()
        while self._in_flight:
            self._collect()

    def _begin(self, found: Found) -> None:
        try:
            submission = canonical(read_submission(Path(found.path), self._assignment.module), self._assignment)
        except SubmissionError as error:
            self._unreadable(found, str(error))
            return
        mark = fingerprint.combined(self._base, submission.sha256)
        if not self._force and (record := self._store.reusable(found, mark)):
            self.tally.reused += 1
            self._graded.setdefault(mark, found.name)
            self._done(1, False)
            if record.note:
                self._trouble(found.label, record.note)
        elif mark in self._by_mark:
            self._by_mark[mark].twins.append(found)
        elif mark in self._graded and (twin := self._store.record(self._graded[mark])) and twin.fingerprint == mark:
            self._copy(found, mark, twin.whole(), self._graded[mark])
        else:
            self._by_mark[mark] = flying = _InFlight(found, mark)
            self._in_flight[self._grader.submit(submission)] = flying

    def _collect(self) -> None:
        finished, _ = wait(self._in_flight, return_when=FIRST_COMPLETED)
        for future in finished:
            flying = self._in_flight.pop(future)
            del self._by_mark[flying.mark]
            try:
                result = future.result()
            except CannotGrade:
                raise
            except CancelledError:
                raise CannotGrade("grading was cancelled from outside") from None
            except EngineError as error:
                result = self._empty(State.ERROR, NOT_GRADED, (str(error),))
            self._write(flying, result)

    def _write(self, flying: _InFlight, result: Result) -> None:
        self.tally.layers |= {line for line in result.log if line.startswith(_MISSING_LAYER)}
        self.tally.graded += 1
        self.tally.seconds += result.seconds
        self._put(flying.found, flying.mark, result)
        if result.state is State.GRADED:
            self._graded[flying.mark] = flying.found.name
        for twin in flying.twins:
            self._copy(twin, flying.mark, result, flying.found.name)

    def _copy(self, found: Found, mark: str, result: Result, original: str) -> None:
        self.tally.identical += 1
        self._put(found, mark, result, original)

    def _unreadable(self, found: Found, reason: str) -> None:
        self.tally.unreadable += 1
        mark = fingerprint.combined(self._base, reason)
        result = self._empty(State.GRADED, reason)
        if self._store.reusable(found, mark) is None:
            self._store.put(found, mark, msgspec.structs.replace(result, submission=found.label), note(result))
        self._trouble(found.label, note(result))
        self._done(1, False)

    def _put(self, found: Found, mark: str, result: Result, same_as: str = "") -> None:
        words = [f"identical to {same_as}, graded once"] if same_as else []
        words += [note(result)] if note(result) else []
        line = ", ".join(words)
        result = msgspec.structs.replace(result, submission=found.label)
        self._store.put(found, mark, result, line, same_as)
        if result.state is State.ERROR:
            self.tally.errors += 1
            causes = [text for text in result.log if not text.startswith(_MISSING_LAYER)]
            line = f"{line}: {one_line('; '.join(causes), 1000)}"
        if line:
            self._trouble(found.label, line)
        self._done(1, True)

    def _empty(self, state: State, notice: str, log: tuple[str, ...] = ()) -> Result:
        exercises = tuple(ExerciseResult(name, points) for name, points in self._assignment.exercises.items())
        return Result(self._assignment.slug, self._assignment.title, "", state, exercises, notice, log)


def canonical(submission: Submission, assignment: Assignment) -> Submission:
    """Under the name that the assignment gives it, whatever the platform called the file: a class hands in
    `ada_pooling.py` and `bob_pooling.py`, and what both say is the same submission."""
    name = assignment.file_names[submission.is_notebook]
    cells = submission.cells
    if not submission.is_notebook:
        cells = tuple(Cell(name, cell.source) for cell in cells)
    return Submission(name, name, cells, submission.is_notebook)


def rate(tally: Tally, started: float) -> str:
    elapsed = time.monotonic() - started
    return f"{tally.graded / elapsed:.1f} submissions a second" if tally.graded and elapsed else ""
