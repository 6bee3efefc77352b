"""The preprocessor that stands in the place of nbgrader's `Execute`: nothing of a student's runs in its process.

The hidden graders grade the notebook as it was handed in, exactly as `autograder grade` does; what its cells print and
show is found out by running them in a confined process of their own. A test cell gets what nbgrader makes a score of:
a plain number as its result, with the feedback above it.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from autograder.course import Assignment, load_assignment
from autograder.engine import Engine
from autograder.errors import EngineError, UsageError
from autograder.job import Job, Show, Stage
from autograder.nbgrader import outputs
from autograder.release import test_cell_id
from autograder.results.model import Result, State
from autograder.submission import SubmissionError, read_submission
from autograder.timing import devices

WORTH_A_REHEARSAL = 3  # submissions of one assignment in one command


class Grade(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades a notebook and fills in the outputs of its cells."""

    salt = Unicode("", help="Other examples than usual: mixed into the secret seed.").tag(config=True)
    device = Unicode("auto", help="Where forward passes are timed: auto, cpu or cuda.").tag(config=True)
    timing = Bool(True, help="Time forward passes, or take them to be fast enough.").tag(config=True)
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
            self._show(converter, assignment, nb)
        return nb, resources

    def _graded(self, converter: Any, assignment: Assignment, path: Path) -> Result:
        submission = read_submission(path, assignment.module)
        command = _command(converter)
        command.prepare(Stage(str(assignment.root), assignment.slug, self.salt), len(converter.assignments))
        device = devices.choose(self.device) if self.timing else ""
        return command.engine.grade(Job(str(assignment.root), assignment.slug, submission, self.salt, device=device))

    def _show(self, converter: Any, assignment: Assignment, nb: Any) -> None:
        """Runs the cells and puts in what they print and show."""
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and not _is_test(cell)]
        show = Show(tuple(cell.source for cell in cells), assignment.limits)
        for number, (cell, shown) in enumerate(zip(cells, _command(converter).engine.show(show), strict=True), 1):
            cell.outputs, cell.execution_count = outputs.of_cell(shown, number), number


def _is_test(cell: Any) -> bool:
    mark = cell.metadata.get("nbgrader", {})
    return bool(mark.get("grade") and not mark.get("solution"))


def _assignment(root: Path, slug: str, notebook: str) -> Assignment:
    assignment = load_assignment(root, slug)
    if notebook != assignment.module:
        raise UsageError(f"There are no graders for the notebook {notebook} of {slug}; only {slug}.ipynb has some.")
    return assignment


class _Command:
    """One run of `nbgrader autograde`: its engine, started at the first notebook, and what that is prepared for."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.engine.__enter__()
        self._graded: dict[Stage, int] = {}

    def prepare(self, stage: Stage, submissions: int) -> None:
        """Called before each notebook. That others will follow is only known when the second one comes: nbgrader skips
        those that have been graded."""
        seen = self._graded[stage] = self._graded.get(stage, 0) + 1
        if seen == 2 and submissions >= WORTH_A_REHEARSAL:
            self.engine.rehearse(stage)

    def close(self) -> None:
        self.engine.__exit__()


# Of the converter that is at work now: nbgrader makes one for each command, and formgrader one for each click.
_current: list[tuple[weakref.ref[Any], weakref.finalize[..., Any], _Command]] = []


def _command(converter: Any) -> _Command:
    if _current and _current[0][0]() is converter:
        return _current[0][2]
    while _current:
        _current.pop()[1]()
    command = _Command()
    # At the latest when the process ends; if it is killed, the engine notices that by itself.
    _current.append((weakref.ref(converter), weakref.finalize(converter, command.close), command))
    return command
