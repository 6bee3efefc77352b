"""The public tests of an assignment: every exercise has some, they pass on the solution, and they fail where nothing is
written yet. Each run is in a process of its own, as on a student's machine."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import EngineError, UsageError
from autograder.output.inert import one_line
from autograder.quality.subjects import SOLUTION, Problem, Subject
from autograder.selfcheck.events import TestStatus
from autograder.selfcheck.running import Outcome, run_tests
from autograder.submissions.magics import as_python
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell

Ran = Outcome | EngineError | UsageError


def file_of(assignment: Assignment) -> Path:
    return assignment.release / f"test_{assignment.module}.py"


def run(assignment: Assignment, subject: Subject, stopped: Callable[[], bool]) -> Ran:
    """The public tests on this submission; an error if they cannot be run. They end soon after `stopped` says so."""
    tests = file_of(assignment)

    def watch(*_: object) -> None:
        if stopped():
            raise EngineError("they were stopped")

    if not tests.is_file():
        return UsageError("it is missing")
    try:
        # In the folder that students have, where tests may find other files.
        file = tests.with_name(f"{assignment.module}.py")
        return run_tests(file, subject.submission, assignment.module, tests, watch)
    except (EngineError, UsageError) as error:
        return error


def why_not_loaded(module: str, source: str) -> str:
    """Why this source does not load as the module of this name, tried in a process of its own; empty if it does.

    Raises:
        EngineError: nothing can be run here.
    """
    name = f"{module}.py"
    with tempfile.TemporaryDirectory(prefix="autograder-load-", ignore_cleanup_errors=True) as folder:
        file, tests = Path(folder) / name, Path(folder) / "test_nothing.py"
        file.write_text(source, encoding="utf-8")
        tests.touch()
        trouble = run_tests(file, Submission(name, name, (Cell(name, source),), False), module, tests).broken
    if trouble is None:
        return ""
    where = f" ({trouble.places[-1].where})" if trouble.places else ""
    return one_line(f"{trouble.message.rstrip('.')}{where}", 300)


def problems(assignment: Assignment, subject: Subject, ran: Ran) -> Iterator[Problem]:
    """What this run shows; the one on the solution also shows which exercises have no tests."""
    name = file_of(assignment).relative_to(assignment.root).as_posix()
    solved = subject.label == SOLUTION
    if not isinstance(ran, Outcome):
        if solved and not (assignment.without_public_tests.keys() >= assignment.exercises.keys()):
            yield Problem("", f"public tests cannot be run: {name}: {_reason(ran)}")
        return
    if ran.broken is not None:
        if solved:
            yield Problem("", f"public tests cannot be run: the solution does not load: {ran.broken.message}")
        return  # for the skeleton, grading says so
    stubs = set[str]().union(*(stubs_of(as_python(cell.source)) for cell in subject.submission.cells))
    for test in ran.tests:
        ended = ran.ended.get(test.id)
        status = ended.status if ended else TestStatus.ENDED
        exercise = test.exercise if test.exercise in assignment.exercises else ""
        if solved and status not in (TestStatus.PASSED, TestStatus.SKIPPED):
            why = one_line(ended.trouble.message, 200) if ended and ended.trouble else status.value
            yield Problem(exercise, f"public test {test.id} fails on the solution: {why}")
        meant = test.id in assignment.passes_unwritten
        if not solved and status is TestStatus.PASSED and exercise in stubs and not meant:
            text = f"public test {test.id} passes on the skeleton, where {exercise} is not written yet"
            yield Problem(exercise, f"{text}; let it ask for more, or say why in [passes_unwritten]")
    if solved:
        tested = {test.exercise for test in ran.tests}
        for exercise in assignment.exercises:
            if exercise not in tested and exercise not in assignment.without_public_tests:
                text = f"{exercise} has no public test in {name}; write one called test_{exercise}__…"
                yield Problem(exercise, f"{text}, or say why not in [without_public_tests]")


def warnings(assignment: Assignment, solved: Ran | None, unsolved: Ran | None) -> Iterator[str]:
    """Declarations in assignment.toml that are not needed."""
    if isinstance(solved, Outcome):
        tested = {test.exercise for test in solved.tests}
        for exercise in assignment.without_public_tests.keys() & tested:
            yield f"[without_public_tests] names {exercise}, which has public tests"
    if isinstance(unsolved, Outcome) and unsolved.broken is None:
        passed = {name for name, ended in unsolved.ended.items() if ended.status is TestStatus.PASSED}
        for name in sorted(assignment.passes_unwritten.keys() - passed):
            yield f"[passes_unwritten] names {name}, which is not a public test that passes on the skeleton"


def stubs_of(skeleton: str) -> set[str]:
    """The functions and classes of which a skeleton defines nothing but stubs, besides docstrings and the call of a
    base class's `__init__`."""
    found = set()
    for node in ast.parse(skeleton).body:
        if isinstance(node, ast.FunctionDef) and _is_stub(node.body):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if not _is_prose(part)]
            if methods and all(isinstance(part, ast.FunctionDef) and _is_stub(part.body) for part in methods):
                found.add(node.name)
    return found


def _is_stub(body: Collection[ast.stmt]) -> bool:
    rest = [ast.unparse(part) for part in body if not _is_prose(part)]
    return [text for text in rest if text != "super().__init__()"] == ["raise NotImplementedError()"]


def _is_prose(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def _reason(error: Exception) -> str:
    """Why the tests cannot be run: of pytest's report, the line that names the exception."""
    lines = [line[1:].strip() for line in str(error).splitlines() if line.startswith("E ")]
    return one_line(lines[-1] if lines else str(error), 200)
