"""Asks one submission questions: manages its worker and its time, and records what went wrong with it as a whole."""

from __future__ import annotations

import functools
import math
import platform
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.comparison import raised_text
from autograder.grading.failures import Failure, Settled
from autograder.output.inert import one_line
from autograder.results.model import Status
from autograder.sandbox.client import Question, Worker, WorkerLost, plots
from autograder.sandbox.forkserver import Client
from autograder.sandbox.messages import MAX_THREADS_LEFT
from autograder.sandbox.values import Answer, Raised
from autograder.submissions.other_files import only_graded
from autograder.submissions.reading import Submission

# The time limit of later checks of an exercise after a timeout; it is halved each time. An endless loop must not use up
# the full limit in every check, and 0.5 s is many times what a correct answer takes.
AFTER_TIMEOUT_SECONDS, LEAST_SECONDS = 2.0, 0.5
TOO_SLOW = "Stopped: your code did not return within the time for this check. Does every loop end?"
NOT_THERE = ("ModuleNotFoundError", "FileNotFoundError")
SYNTAX_ERRORS = ("SyntaxError", "IndentationError", "TabError")
_PYTHON = ".".join(platform.python_version_tuple()[:2])
MAX_STOPPED = 6  # cells of a notebook
WAITING = 4  # so many seconds of waiting while a submission is loaded count as one
MAX_SURPLUS = 20_000_000  # steps of the judge's work (see `decoding`) on answers that are larger than right ones
SHARED_BYTES = 128 * 2**20  # with a worker whose forward passes are timed; only what is used takes up memory


class Examiner:
    """The worker is started at the first question, and again whenever it is lost.

    The time that the student's code takes to answer is limited per check and for the whole submission, so sleeping just
    under every limit gains nothing. Loading it may take as much processor time, so the checks lose none of theirs if it
    is loaded often. A submission that starts threads gets a worker for each check: they must not disturb the next.
    """

    is_reference = False

    def __init__(self, client: Client, assignment: Assignment, submission: Submission) -> None:
        self._client = client
        self._solution = assignment.solution
        self._module = assignment.module
        self._exercises = tuple(assignment.exercises)
        self.only_graded = only_graded(assignment.other_files)
        self._submission = submission
        self._limits = limits = assignment.limits
        self._worker: Worker | None = None
        self._threads = 1
        self._started_threads = False
        self._left_in_total = self._left_to_load = limits.total_seconds
        self._surplus_left = MAX_SURPLUS
        self._left_in_check = limits.check_seconds
        self._afresh = False
        self._put_again = False
        self._timeouts: Counter[str] = Counter()
        self._exercise = ""
        self.unloadable: Failure | None = None
        self.names: set[str] = set()
        self.problems: list[str] = []
        self.read_as_notebook = False  # although it is a Python file
        self.stopped: dict[str, str] = {}  # cells left out because they never end or end the process, and why
        self.references: dict[str, list[str]] = {}
        self.layers: dict[str, str] = {}

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """Starts a new check, with its own time limit and torch's global settings as in a new process."""
        self._exercise = exercise
        self._left_in_check = seconds or self._limits.check_seconds
        if before := self._timeouts[exercise]:
            after = max(LEAST_SECONDS, AFTER_TIMEOUT_SECONDS / 2 ** (before - 1))
            self._left_in_check = min(self._left_in_check, after)
        self._afresh = True
        self._put_again = False
        self._end_threads()

    def ask(self, *questions: Question) -> list[Answer]:
        """The worker's answers: at least one, perhaps fewer than the questions.

        Raises:
            Settled: there is no answer; the failure says why.
        """
        try:
            answers = self._put(questions)
        except WorkerLost as lost:
            if lost.killed and not self._put_again:  # perhaps the machine was short of memory: does it happen again?
                self._put_again = True
                return self.ask(*questions)
            if lost.timed_out:
                self._timeouts[self._exercise] += 1
                raise Settled(self._too_slow(), lost.position) from None
            raise Settled(Failure(f"Your code did not return an answer: {lost}."), lost.position) from None
        self._afresh = False
        self._surplus_left -= sum(answer.surplus for answer in answers)
        last = answers[-1].work
        self._started_threads |= last.running > self._threads or any(answer.work.started for answer in answers)
        if last.running > self._threads + MAX_THREADS_LEFT:
            self._end_threads()
        return answers

    def _put(self, questions: Sequence[Question]) -> list[Answer]:
        self._load()
        worker = self._worker
        assert worker is not None
        allowed = min(self._left_in_check, self._left_in_total)
        try:
            return worker.ask(*questions, seconds=allowed, afresh=self._afresh)
        except WorkerLost:
            self._worker = None
            raise
        finally:
            self._left_in_check -= worker.spent
            self._left_in_total -= worker.spent

    def close(self) -> None:
        """Ends the worker; when this returns, no code of the submission is running."""
        self._stop()

    @property
    def remarks(self) -> tuple[str, ...]:
        return self._submission.remarks

    @property
    def several_files(self) -> bool:
        return len(self._submission.cells) > 1 or any(file.is_code for file in self._submission.files)

    def source_line(self, label: str, number: int) -> str:
        """A line of the submission, without surrounding white space; empty if there is no such line."""
        lines = self._lines.get(label, [])
        return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""

    @functools.cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {label: source.splitlines() for label, source in self._sources.items()}

    @functools.cached_property
    def _sources(self) -> dict[str, str]:
        submission = self._submission
        files = {file.name: file.source for file in submission.files}
        return files | {cell.label: cell.source for cell in submission.cells}

    def load_failure(self) -> Failure | None:
        """Loads the submission if it is not loaded yet, and says why nothing in it can be graded, if so."""
        try:
            self._load()
        except Settled:
            return self.unloadable
        return None

    def _end_threads(self) -> None:
        """Ends the worker if the submission has started threads in it, unless there is no time for another."""
        if self._started_threads and self._left_to_load >= self._limits.import_seconds:
            self._stop()

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        self._started_threads = False

    def _load(self) -> None:
        if self.unloadable is not None:
            raise Settled(self.unloadable)
        self._require_time()
        if self._surplus_left < 0:
            text = "Not run: your code returns far more than it is asked for, and not all of that can be looked at."
            raise Settled(Failure(text, Status.SKIPPED))
        if self._worker is not None:
            return
        # Each further cell that never ends costs less time, but a slow cell must still be able to finish.
        seconds = min(self._limits.import_seconds / 2 ** max(len(self.stopped) - 1, 0), self._left_to_load)
        started = time.monotonic()
        loaded: tuple[Worker, Answer] | None = None
        try:
            loaded = self._loaded(seconds)
        except WorkerLost as lost:
            if not self._left_out(lost):
                raise self._give_up(self._did_not_load(lost, seconds)) from None
        finally:
            self._charge(time.monotonic() - started, loaded[0] if loaded else None)
        if loaded is None:
            return self._load()
        worker, answer = loaded
        outcome = answer.outcome
        if isinstance(outcome, Raised):
            worker.stop()
            raise self._give_up(Failure(_load_text(outcome, self._submission, self.only_graded)))
        self._threads = answer.work.running
        self.names, self.problems, self.references, is_notebook = _what_was_loaded(outcome.value)
        self.read_as_notebook = is_notebook and not self._submission.is_notebook
        self._worker = worker

    def _require_time(self) -> None:
        if self._left_in_total <= 0 or (self._worker is None and self._left_to_load <= 0):
            total = f"{self._limits.total_seconds:.3g} s"
            raise Settled(
                Failure(f"Not run: your code had already used up its {total} for the whole file.", Status.SKIPPED)
            )

    def _did_not_load(self, lost: WorkerLost, seconds: float) -> Failure:
        name = self._submission.file_name
        if lost.timed_out:
            text = f"Running {name} took longer than {seconds:.3g} s and was stopped"
            return Failure(f"{text}. Is there a loop, or work that belongs in a function?", Status.TIMEOUT)
        return Failure(f"{name} failed while loading: {lost}.")

    def _left_out(self, lost: WorkerLost) -> bool:
        """Leaves out a notebook's cell that cost the process, so that the rest can be run without it. False if that
        has happened too often."""
        cells = list(self._submission.cells)
        if not self._submission.is_notebook or len(self.stopped) >= MAX_STOPPED or len(cells) < 2:
            return False
        self.stopped[cells.pop(lost.position).label] = lost.told
        self._submission = msgspec.structs.replace(self._submission, cells=tuple(cells))
        return True

    def another_worker(self, *, gpu: bool) -> Worker:
        """A second worker that has loaded the submission. The caller must stop it.

        Raises:
            Settled: the submission did not load this time.
        """
        try:
            worker, answer = self._loaded_again(gpu)
        except WorkerLost as lost:
            if not lost.timed_out:
                raise Settled(Failure(f"Your file could not be run again: {lost}.")) from None
            try:  # it has been loaded in time before, so perhaps the machine was busy
                worker, answer = self._loaded_again(gpu)
            except WorkerLost as again:
                status = Status.TIMEOUT if again.timed_out else Status.FAILED
                raise Settled(Failure(f"Your file could not be run again: {again}.", status)) from None
        if isinstance(answer.outcome, Raised):
            worker.stop()
            raise Settled(Failure(f"Your file could not be run again. {raised_text(answer.outcome)}"))
        return worker

    def _loaded_again(self, gpu: bool) -> tuple[Worker, Answer]:
        self._end_threads()  # the other worker's must not disturb this one
        self._require_time()
        started = time.monotonic()
        loaded: tuple[Worker, Answer] | None = None
        try:
            seconds = min(self._limits.import_seconds, self._left_to_load)
            loaded = self._loaded(seconds, gpu=gpu, shared_bytes=SHARED_BYTES)
            return loaded
        finally:
            self._charge(time.monotonic() - started, loaded[0] if loaded else None)

    def _charge(self, seconds: float, worker: Worker | None) -> None:
        """Takes the time of loading off the budget: the processor's, which is the same on a busy machine. Who waits
        pays as well, but less."""
        busy = worker.processor_seconds() if worker else math.nan
        self._left_to_load -= seconds if math.isnan(busy) else max(busy, seconds / WAITING)

    def reference_worker(self, *, gpu: bool) -> Worker:
        """As `another_worker`, but with the solution.

        Raises:
            EngineError: the solution does not load.
        """
        cells = [(self._solution.name, self._solution.read_text(encoding="utf-8"))]
        worker = Worker(self._client, memory_mb=self._limits.memory_mb, gpu=gpu, shared_bytes=SHARED_BYTES)
        try:
            answer = worker.load(self._module, cells, keep_going=False, seconds=self._limits.import_seconds)
        except WorkerLost as lost:
            raise EngineError(f"the solution does not run in a worker: {lost}") from lost
        if isinstance(answer.outcome, Raised):
            worker.stop()
            raise EngineError(f"the solution does not run in a worker: {raised_text(answer.outcome)}")
        return worker

    def _loaded(self, seconds: float, *, gpu: bool = False, shared_bytes: int = 0) -> tuple[Worker, Answer]:
        try:
            return self._loaded_once(seconds, gpu=gpu, shared_bytes=shared_bytes)
        except WorkerLost as lost:
            if not lost.killed:
                raise
        except EngineError:  # killed before it had said anything
            pass
        return self._loaded_once(seconds, gpu=gpu, shared_bytes=shared_bytes)

    def _loaded_once(self, seconds: float, *, gpu: bool, shared_bytes: int) -> tuple[Worker, Answer]:
        memory, notebook = self._limits.memory_mb, self._submission.is_notebook
        worker = Worker(
            self._client,
            memory_mb=memory,
            gpu=gpu,
            shared_bytes=shared_bytes,
            notebook=notebook,
            plots=plots(self._sources.values()),
        )
        self.layers = worker.layers
        cells = [(cell.label, cell.source) for cell in self._submission.cells]
        files = [(file.name, file.data) for file in self._submission.files]
        answer = worker.load(
            self._module, cells, keep_going=notebook, seconds=seconds, exercises=self._exercises, files=files
        )
        return worker, answer

    def _give_up(self, failure: Failure) -> Settled:
        if not self.names:  # else it has been loaded before: perhaps it can be again
            self.unloadable = failure
        return Settled(failure)

    def _too_slow(self) -> Failure:
        if self._left_in_total <= 0:
            text = f"Stopped: your code has used up its {self._limits.total_seconds:.3g} s for the whole file."
        else:
            text = TOO_SLOW
        return Failure(text, Status.TIMEOUT)


def _load_text(raised: Raised, submission: Submission, only_graded: str) -> str:
    file_name = submission.file_name
    if raised.type in SYNTAX_ERRORS and raised.frames:
        frame = raised.frames[-1]
        if frame.file in {file.name for file in submission.files}:
            file_name = frame.file
        if frame.text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
            return (
                f"{file_name} contains an unresolved merge conflict (line {frame.line}); resolve it and save it again."
            )
        where = f"{raised.message} (line {frame.line}).\n  {frame.text.strip()}"
        return f"{file_name} could not be read as Python {_PYTHON}: {where}"
    text = f"{file_name} raised an error while loading, so nothing in it could be graded. {raised_text(raised)}"
    return f"{text}\n  {only_graded}" if raised.type in NOT_THERE else text


def _what_was_loaded(value: object) -> tuple[set[str], list[str], dict[str, list[str]], bool]:
    """Reads the answer to a load request, which is as untrusted as any other."""
    parts = value if isinstance(value, dict) else {}
    names, problems, references = (parts.get(key) for key in ("names", "problems", "references"))
    return (
        {name for name in names if isinstance(name, str)} if isinstance(names, list) else set(),
        [_problem_text(problem) for problem in problems] if isinstance(problems, list) else [],
        {
            str(name): [other for other in others if isinstance(other, str)]
            for name, others in (references if isinstance(references, dict) else {}).items()
            if isinstance(others, list)
        },
        parts.get("notebook") is True,
    )


def _problem_text(problem: object) -> str:
    match problem:
        case [str() as kind, str() as message, str() as label, int() as line]:
            where = f"{label}, line {line}" if line else label
            said = f"{kind}: {message}" if message else kind
            rest = f", so Python {_PYTHON} ran nothing in this cell" if kind in SYNTAX_ERRORS else ""
            return one_line(f"{where} ({said}{rest})", 300)
    return "a line that cannot be told"
