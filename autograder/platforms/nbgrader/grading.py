"""The preprocessor that replaces nbgrader's `Execute`: no student code runs in nbgrader's process.

The hidden graders grade the notebook as it was handed in, exactly as `autograder grade` does; to find out what its
cells print and show, they run in a separate confined process. A test cell gets what nbgrader turns into a score: a
plain number as its result, with the feedback above it.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Integer, Unicode

from autograder.batch.local import LocalGrader
from autograder.course import Assignment, empty_result, load_assignment
from autograder.course.skeletons import test_cell_id
from autograder.engine.devices import Device, choose
from autograder.errors import EngineError, UsageError
from autograder.notebooks.requests import Show
from autograder.platforms.nbgrader import outputs
from autograder.results.model import Result, State
from autograder.sandbox.processors import cores
from autograder.submissions.other_files import OtherFile
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError

AHEAD = 4  # notebooks per job that are graded before nbgrader reaches them
KEPT_RESULTS = 200  # of a tenth of a megabyte each
EXTRA_CREDIT = "autograder_extra_credit"  # for the preprocessor that writes it into the gradebook
_OURS = "_autograder_command"  # the attribute of a converter that holds our command


class Grade(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades a notebook and fills in the outputs of its cells."""

    salt = Unicode("", help="Mixed into the secret seed, to get different examples.").tag(config=True)
    device = Unicode("auto", help="Where forward passes are timed: auto, cpu or cuda.").tag(config=True)
    timing = Bool(True, help="Time forward passes; if False, timing checks count as passed.").tag(config=True)
    jobs = Integer(0, help="Notebooks graded in parallel; 0 means the number of cores.").tag(config=True)
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
            result = empty_result(assignment, State.GRADED, notice=str(error))
        for line in result.for_instructor:
            self.log.info("%s: %s", student, line)
        if result.state is not State.GRADED:
            # Without a score, nbgrader reports the student as not graded and continues with the next one.
            raise EngineError(f"the grader itself failed on the notebook of {student}: {'; '.join(result.log)[:2000]}")
        tests = {test_cell_id(each[0].name): each for each in zip(result.exercises, result.counted, strict=True)}
        for cell in nb.cells:
            mark = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and mark.get("grade") and not mark.get("solution"):
                if mark.grade_id not in tests:
                    raise UsageError(
                        f"The test cell {mark.grade_id} matches no exercise of {slug}: release the assignment again."
                    )
                exercise, points = tests[mark.grade_id]
                cell.outputs = outputs.of_test_cell(exercise, points, result.notice, float(mark.points))
        resources["nbgrader"][EXTRA_CREDIT] = {
            mark: points for mark, (exercise, points) in tests.items() if exercise.bonus
        }
        if self.run_cells:
            self._show(converter, assignment, nb, path, result.stopped)
        if next(_coming(converter, assignment, path), None) is None:  # an engine holds hundreds of megabytes
            self._command(converter, assignment).close()
            delattr(converter, _OURS)
        return nb, resources

    def _graded(self, converter: Any, assignment: Assignment, path: Path) -> Result:
        command = self._command(converter, assignment)
        mine = command.grade(path)
        # nbgrader takes one notebook at a time; while it is busy with this one, we grade the next ones.
        command.grade_ahead(_coming(converter, assignment, path))
        result = mine.result()
        if command.told != command.device.remark:
            command.told = command.device.remark
            self.log.info("%s", command.told)
        return result

    def _command(self, converter: Any, assignment: Assignment) -> _Command:
        """What this run of nbgrader shares. It lives as long as the converter, which nbgrader makes for each command
        and formgrader for each click."""
        command: _Command | None = getattr(converter, _OURS, None)
        if command is None:
            command = _Command(assignment, self.salt, self.jobs or cores(), choose(self.device if self.timing else ""))
            setattr(converter, _OURS, command)
            weakref.finalize(converter, command.close)  # at the latest when this process ends
        return command

    def _show(self, converter: Any, assignment: Assignment, nb: Any, path: Path, stopped: dict[str, str]) -> None:
        """Runs the cells, except those that are known never to end, and inserts what they print and show. `stopped` has
        the labels of cells in the notebook at `path`."""
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and not _is_test(cell)]
        why: dict[int, str] = {}
        files: tuple[OtherFile, ...] = ()
        if stopped or assignment.other_files:
            with contextlib.suppress(SubmissionError):
                submission = read_submission(path, assignment.module, assignment.other_files)
                files = submission.files
                never_end = {cell.source: stopped[cell.label] for cell in submission.cells if cell.label in stopped}
                why = {number: never_end.get(cell.source, "") for number, cell in enumerate(cells, 1)}
        show = Show(tuple(cell.source for cell in cells), why, assignment.limits, files)
        shown_cells = self._command(converter, assignment).show(show)
        for number, (cell, shown) in enumerate(zip(cells, shown_cells, strict=True), 1):
            cell.outputs, cell.execution_count = outputs.of_cell(shown, number), number


def _is_test(cell: Any) -> bool:
    mark = cell.metadata.get("nbgrader", {})
    return bool(mark.get("grade") and not mark.get("solution"))


def _assignment(root: Path, slug: str, notebook: str) -> Assignment:
    assignment = load_assignment(root, slug)
    if notebook != assignment.module:
        raise UsageError(f"There are no graders for the notebook {notebook} of {slug}; only {slug}.ipynb is graded.")
    return assignment


def _coming(converter: Any, assignment: Assignment, path: Path) -> Iterator[Path]:
    """The notebooks that this command will reach after the one at `path`, without those already graded."""
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
    """One run of `nbgrader autograde`: the engine, and the notebooks that are being graded or were graded ahead."""

    def __init__(self, assignment: Assignment, salt: str, jobs: int, device: Device) -> None:
        self._assignment = assignment
        self._grader = LocalGrader(assignment, salt, jobs, device)
        self.device = device
        self.told = ""  # what the log says about the device
        self._ahead = AHEAD * jobs
        self._foreseen: set[Path] = set()
        self._begun: dict[tuple[str, str], Future[Result]] = {}
        self.show = self._grader.show
        self.close = self._grader.close

    def grade(self, path: Path) -> Future[Result]:
        """Starts grading unless an identical notebook was started before: both get the same result.

        Raises:
            SubmissionError: the notebook cannot be read.
        """
        submission = read_submission(path, self._assignment.module, self._assignment.other_files)
        same = (submission.sha256, submission.file_name)
        result = self._begun.get(same)
        if result is None or (result.done() and result.exception()):
            result = self._begun[same] = self._grader.submit(submission)
            if len(self._begun) > KEPT_RESULTS:
                del self._begun[next(iter(self._begun))]  # the oldest
        return result

    def grade_ahead(self, coming: Iterable[Path]) -> None:
        for path in itertools.islice(coming, self._ahead):
            if path not in self._foreseen:
                self._foreseen.add(path)
                with contextlib.suppress(SubmissionError):
                    self.grade(path)
