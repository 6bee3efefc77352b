"""The preprocessor that stands in the place of nbgrader's `Execute`: nothing of a student's runs in its process.

The hidden graders grade the notebook as it was handed in, exactly as `autograder grade` does; what its cells print and
show is found out by running them in a confined process of their own. A test cell gets what nbgrader makes a score of:
a plain number as its result, with the feedback above it.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Integer, Unicode

from autograder.course import Assignment, load_assignment
from autograder.course.skeletons import test_cell_id
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import Job, WarmUp
from autograder.notebooks.requests import Show
from autograder.platforms.nbgrader import outputs
from autograder.results.model import Result, State
from autograder.sandbox.processors import cores
from autograder.submissions.magics import without_magics
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError
from autograder.timing import devices

AHEAD = 4  # notebooks for each job that are graded before nbgrader comes to them
KEPT_RESULTS = 200  # of a tenth of a megabyte each


class Grade(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades a notebook and fills in the outputs of its cells."""

    salt = Unicode("", help="Other examples than usual: mixed into the secret seed.").tag(config=True)
    device = Unicode("auto", help="Where forward passes are timed: auto, cpu or cuda.").tag(config=True)
    timing = Bool(True, help="Time forward passes, or take them to be fast enough.").tag(config=True)
    jobs = Integer(0, help="How many notebooks are graded at a time; 0 is the cores there are.").tag(config=True)
    run_cells = Bool(True, help="Run the notebook's cells to show what they print and draw.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        converter = self.parent.parent
        folder = converter.coursedir
        student, slug, name = (resources["nbgrader"][key] for key in ("student", "assignment", "notebook"))
        assignment = _assignment(Path(folder.root), slug, name)
        path = Path(folder.format_path(folder.submitted_directory, student, slug), f"{name}.ipynb")
        try:
            result = self._graded(converter, assignment, path)
        except SubmissionError as error:
            result = outputs.ungraded(assignment, str(error))
        for line in result.log:
            self.log.info("%s: %s", student, line)
        if result.state is not State.GRADED:
            # Without a score nbgrader reports the student as not graded and goes on with the next one.
            raise EngineError(f"the grader itself failed on the notebook of {student}: {'; '.join(result.log)[:2000]}")
        tests = {test_cell_id(exercise.name): exercise for exercise in result.exercises}
        for cell in nb.cells:
            mark = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and mark.get("grade") and not mark.get("solution"):
                exercise = tests.get(mark.grade_id)
                if exercise is None:
                    raise UsageError(
                        f"The test cell {mark.grade_id} belongs to no exercise of {slug}: release it again."
                    )
                cell.outputs = outputs.of_test_cell(exercise, result.notice, float(mark.points))
        if self.run_cells:
            self._show(converter, assignment, nb, _sources(path, assignment, result.stopped))
        return nb, resources

    def _graded(self, converter: Any, assignment: Assignment, path: Path) -> Result:
        command = _command(converter, assignment, self.jobs)
        job = self._job(assignment, path)
        coming = list(_coming(converter, assignment, path))
        command.warm_up(WarmUp(job.course, job.slug, job.salt))
        mine = command.grade(job)
        # nbgrader takes one notebook after the other; while it is busy with this one, the next ones are graded.
        for other in coming[: AHEAD * command.jobs]:
            if other not in command.foreseen:
                command.foreseen.add(other)
                with contextlib.suppress(SubmissionError):
                    command.grade(self._job(assignment, other))
        return mine.result()

    def _job(self, assignment: Assignment, path: Path) -> Job:
        submission = read_submission(path, assignment.module)
        device = devices.choose(self.device) if self.timing else ""
        return Job(str(assignment.root), assignment.slug, submission, self.salt, device=device)

    def _show(self, converter: Any, assignment: Assignment, nb: Any, stopped: dict[str, str]) -> None:
        """Runs the cells, but for those that are known not to end, and puts in what they print and show."""
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and not _is_test(cell)]
        why = {number: stopped.get(without_magics(cell.source), "") for number, cell in enumerate(cells, 1)}
        show = Show(tuple(cell.source for cell in cells), why, assignment.limits)
        engine = _command(converter, assignment, self.jobs).engine
        for number, (cell, shown) in enumerate(zip(cells, engine.show(show), strict=True), 1):
            cell.outputs, cell.execution_count = outputs.of_cell(shown, number), number


def _sources(path: Path, assignment: Assignment, stopped: dict[str, str]) -> dict[str, str]:
    """The same by what stands in those cells of the notebook at `path`: there they have other numbers."""
    if not stopped:
        return {}
    cells = read_submission(path, assignment.module).cells
    return {cell.source: stopped[cell.label] for cell in cells if cell.label in stopped}


def _is_test(cell: Any) -> bool:
    mark = cell.metadata.get("nbgrader", {})
    return bool(mark.get("grade") and not mark.get("solution"))


def _assignment(root: Path, slug: str, notebook: str) -> Assignment:
    assignment = load_assignment(root, slug)
    if notebook != assignment.module:
        raise UsageError(f"There are no graders for the notebook {notebook} of {slug}; only {slug}.ipynb has some.")
    return assignment


def _coming(converter: Any, assignment: Assignment, path: Path) -> Iterator[Path]:
    """The notebooks that this command will come to after the one at `path`. It leaves out those that were graded."""
    folder = converter.coursedir
    for name in sorted(converter.assignments):
        student = Path(name).parent.name
        known = Path(folder.format_path(folder.submitted_directory, student, assignment.slug)) == Path(name)
        if not known or name <= str(path.parent):
            continue
        done = Path(folder.format_path(folder.autograded_directory, student, assignment.slug), path.name)
        if converter.force or not done.exists():
            yield Path(name, path.name)


class _Command:
    """One run of `nbgrader autograde`: its engine, started at the first notebook, and what that is grading."""

    def __init__(self, assignment: Assignment, jobs: int) -> None:
        self.engine = Engine(assignment.graders)
        self.engine.__enter__()
        self.jobs = jobs or cores()
        self._threads = ThreadPoolExecutor(self.jobs)
        self._rehearsed: set[WarmUp] = set()
        self.foreseen: set[Path] = set()
        self._begun: dict[tuple[str, ...], Future[Result]] = {}

    def warm_up(self, order: WarmUp) -> None:
        if order not in self._rehearsed:
            self._rehearsed.add(order)
            self.engine.warm_up(order)

    def grade(self, job: Job) -> Future[Result]:
        """Begins to grade, unless that has begun before: identical notebooks get the same result."""
        submission = job.submission
        same = (job.slug, submission.sha256, submission.file_name, job.salt, job.device)
        result = self._begun.get(same)
        if result is None or (result.done() and result.exception()):
            result = self._threads.submit(self.engine.grade, job)
            self._begun[same] = result
            if len(self._begun) > KEPT_RESULTS:
                del self._begun[next(iter(self._begun))]  # the oldest
        return result

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.__exit__()


# Of the converter that is at work now: nbgrader makes one for each command, and formgrader one for each click.
_current: list[tuple[weakref.ref[Any], weakref.finalize[..., Any], _Command]] = []


def _command(converter: Any, assignment: Assignment, jobs: int) -> _Command:
    if _current and _current[0][0]() is converter:
        return _current[0][2]
    while _current:
        _current.pop()[1]()
    command = _Command(assignment, jobs)
    # At the latest when the process ends; if it is killed, the engine notices that by itself.
    _current.append((weakref.ref(converter), weakref.finalize(converter, command.close), command))
    return command
