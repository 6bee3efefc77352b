"""Grades a class: decides what has to be graded, hands it out, and writes each result as soon as it arrives.

Only this thread writes, and only what is being graded is held in memory. Whenever the command dies, the files of all
finished submissions are complete, and the next run continues from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder import fingerprint
from autograder.batch import changes, contents
from autograder.batch.contents import Graded
from autograder.batch.discovery import Found
from autograder.batch.grader import CannotGrade, Grader
from autograder.batch.store import Record, Store, record_of
from autograder.course import Assignment, empty_result
from autograder.errors import EngineError
from autograder.fingerprint import Parts
from autograder.jobs import Job
from autograder.output.inert import one_line
from autograder.results.feedback import NOT_GRADED
from autograder.results.model import Result, State, Status
from autograder.results.terminal import note
from autograder.submissions.digests import digest_of
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell, SubmissionError


@dataclass
class Tally:
    graded: int = 0
    reused: int = 0
    previewed: int = 0  # graded by an earlier command, and not used until now
    falling: int = 0  # whose earlier grade stays, as the new one is lower
    unreadable: int = 0
    identical: int = 0
    errors: int = 0
    unmeasured: int = 0  # checks that count as passed
    why_unmeasured: str = ""  # as the log of the first submission with one says
    timed: bool = False
    seconds: float = 0.0
    missing_layers: dict[str, str] = field(default_factory=dict)  # reported once instead of for each submission


@dataclass
class _InFlight:
    found: Found
    mark: str
    graded: Graded
    sha256: str  # of the submission as it was read
    twins: list[tuple[Found, Graded]] = field(default_factory=list)


class Run:
    """One run over a class. `trouble` is called with a name and a line, `done` with how many are finished.

    A result is replaced unless that takes points from a submission which has not changed: that has to be accepted, and
    until then the new result is only proposed. In a `preview`, all new results are.
    """

    def __init__(
        self,
        assignment: Assignment,
        grader: Grader,
        store: Store,
        salt: str,
        trouble: Callable[[str, str], None],
        done: Callable[[int, bool], None],
        *,
        force: bool = False,
        accept: bool = False,
        preview: bool = False,
    ) -> None:
        self._assignment = assignment
        self._grader = grader
        self._store = store
        self._trouble = trouble
        self._done = done
        self._force = force
        self._accept = accept
        self._preview = preview
        self._salt = salt
        self._digest = fingerprint.of_assignment(assignment)
        self._parts = fingerprint.parts(assignment, salt, grader.device)
        self._in_flight: dict[Future[Result], _InFlight] = {}
        self._by_mark: dict[str, _InFlight] = {}
        self._graded: dict[str, str] = {}  # fingerprint → the submission with it that was graded in this run
        self.tally = Tally()

    def out_of_date(self, class_: Iterable[Found]) -> tuple[int, list[str]]:
        """How many results are made by something that has changed since, and what that is."""
        records = [record for found in class_ if (record := self._store.record(found.name))]
        reasons = [changes.out_of_date(record.made_from, self._parts) for record in records]
        return sum(map(bool, reasons)), list(dict.fromkeys(reason for some in reasons for reason in some))

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
            read, graded = contents.read(found, self._assignment.module, self._assignment.other_files)
        except SubmissionError as error:
            self._unreadable(found, str(error))
            return
        submission = canonical(read, self._assignment)
        mark = self._mark(submission)
        flying = _InFlight(found, mark, graded, submission.sha256)
        if not self._force and self._reused(found, mark, graded):
            self.tally.reused += 1
            self._graded.setdefault(mark, found.name)
            self._done(1, False)
        elif not self._force and (proposed := self._store.valid(found, mark, proposed=True)):
            self.tally.previewed += 1
            self._graded.setdefault(mark, found.name)
            self._put(flying, mark, proposed.whole(), proposed.same_as, worked=False)
        elif mark in self._by_mark:
            self._by_mark[mark].twins.append((found, graded))
        elif mark in self._graded and (twin := self._known(self._graded[mark], mark)):
            self._copy(flying, mark, twin.whole(), self._graded[mark])
        else:
            self._by_mark[mark] = flying
            self._in_flight[self._grader.submit(submission)] = flying

    def _reused(self, found: Found, mark: str, graded: Graded) -> bool:
        """Whether the result that counts is still valid; then nothing else is proposed."""
        record = self._store.valid(found, mark)
        if record is None or not (self._preview or self._store.refresh(found, record, graded)):
            return False
        self._store.withdraw(found)
        self._say(found, graded, record.note)
        return True

    def _known(self, name: str, mark: str) -> Record | None:
        """The result with this fingerprint that this run has found or made for another submission."""
        records = (self._store.record(name), self._store.proposed(name))
        return next((record for record in records if record and record.fingerprint == mark), None)

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
                result = empty_result(self._assignment, State.ERROR, notice=NOT_GRADED, log=(str(error),))
            self._write(flying, result)

    def _write(self, flying: _InFlight, result: Result) -> None:
        self.tally.missing_layers |= result.missing_layers
        self.tally.graded += 1
        self.tally.seconds += result.seconds
        mark = result.fingerprint or flying.mark  # another one if the device has changed in the meantime
        self._put(flying, mark, result)
        if result.state is State.GRADED:
            self._graded[mark] = flying.found.name
        for twin, graded in flying.twins:
            self._copy(_InFlight(twin, mark, graded, flying.sha256), mark, result, flying.found.name)

    def _copy(self, flying: _InFlight, mark: str, result: Result, original: str) -> None:
        self.tally.identical += 1
        self._put(flying, mark, result, original)

    def _unreadable(self, found: Found, reason: str) -> None:
        self.tally.unreadable += 1
        mark = fingerprint.combined(self._digest, reason)
        graded = contents.unread(found)
        if self._force or not self._reused(found, mark, graded):
            result = empty_result(self._assignment, State.GRADED, notice=reason)
            self._put(_InFlight(found, mark, graded, mark), mark, result, worked=False)
        else:
            self._done(1, False)

    def _put(self, flying: _InFlight, mark: str, result: Result, same_as: str = "", *, worked: bool = True) -> None:
        found, graded = flying.found, flying.graded
        words = [f"identical to {same_as}, graded once"] if same_as else []
        words += [note(result)] if note(result) else []
        line = ", ".join(words)
        self._count_measurements(result)
        result = msgspec.structs.replace(result, submission=found.label)
        record = record_of(result, mark, graded, line, same_as, self._made_from(flying, result))
        before = self._store.record(found.name)
        stays = self._why_it_stays(before, record) if before and not self._preview else ""
        if self._preview or stays:
            self._store.propose(found, record)
        else:
            self._store.adopt(found, record)
        if result.state is State.ERROR:
            self.tally.errors += 1
            line = f"{line}: {one_line('; '.join(result.log), 1000)}"
        if stays and before:
            self._store.refresh(found, before, before.graded)  # a run may have been killed as it replaced it
        self._say(found, graded, "; ".join(filter(None, (line, stays))))
        self._done(1, worked)

    def _why_it_stays(self, before: Record, record: Record) -> str:
        """Why the earlier result of an unchanged submission counts on; empty if it is to be replaced."""
        if before.state is not State.GRADED or not changes.same_submission(before, record):
            return ""
        if record.state is not State.GRADED:
            return "the earlier result stays"
        change = changes.change("", before, record)
        if self._accept or change.kind is not changes.Kind.FALLS:
            return ""
        self.tally.falling += 1
        return f"would fall from {change.before} to {change.after} points; the earlier result stays"

    def _say(self, found: Found, graded: Graded, line: str) -> None:
        if text := ", ".join(part for part in (graded.choice, line) if part):
            self._trouble(found.label, text)

    def _count_measurements(self, result: Result) -> None:
        unmeasured = sum(check.status is Status.EXCUSED for check in result.checks) if self._grader.device else 0
        self.tally.unmeasured += unmeasured
        if unmeasured and not self.tally.why_unmeasured:
            self.tally.why_unmeasured = next(iter(result.log), "")
        self.tally.timed |= any(check.timing for check in result.checks)

    def _made_from(self, flying: _InFlight, result: Result) -> Parts:
        paths = flying.found.files.values() or [flying.found.path]
        return msgspec.structs.replace(
            self._parts,
            timing=result.environment.get("timed on", self._parts.timing),
            submission=flying.sha256,
            handed_in=fingerprint.combined(*sorted(digest_of(Path(path)) for path in paths)),
        )

    def _mark(self, submission: Submission) -> str:
        """The fingerprint that the result will have."""
        job = Job(str(self._assignment.root), self._assignment.slug, submission, self._salt, device=self._grader.device)
        return fingerprint.of_job(self._digest, job)


def canonical(submission: Submission, assignment: Assignment) -> Submission:
    """The submission under the assignment's own file name, whatever the platform called the file: `ada_pooling.py` and
    `bob_pooling.py` with the same contents are the same submission."""
    name = assignment.file_names[submission.is_notebook]
    cells = submission.cells
    if not submission.is_notebook:
        cells = tuple(Cell(name, cell.source) for cell in cells)
    other = canonical(submission.other, assignment) if submission.other else None
    return msgspec.structs.replace(submission, name=name, file_name=name, cells=cells, other=other)


def rate(tally: Tally, started: float) -> str:
    elapsed = time.monotonic() - started
    return f"{tally.graded / elapsed:.1f} submissions a second" if tally.graded and elapsed else ""
