"""`autograder grade`: grades submissions one after another; each has a result file from the first moment."""

from __future__ import annotations

import contextlib
import difflib
import os
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autograder.course import Assignment, assignment_slugs, empty_result, find_course, load_assignment
from autograder.engine.devices import Device, choose
from autograder.errors import EngineError, UsageError
from autograder.jobs import Job, WarmUp
from autograder.output import atomic
from autograder.output.inert import inert, one_line
from autograder.output.workflow import commands_stopped
from autograder.results import github
from autograder.results.feedback import NOT_GRADED
from autograder.results.formats import ENCODERS, FILE_NAMES
from autograder.results.model import CheckResult, Result, State
from autograder.submissions.reading import infer_slug, read_submission
from autograder.submissions.sources import SubmissionError

if TYPE_CHECKING:
    from autograder.engine.client import Engine

NOT_FINISHED = "Grading has not finished. If you still see this after a few minutes, please tell your instructor."


@dataclass(frozen=True)
class _Task:
    path: Path
    assignment: Assignment
    output: Path


def run(
    submissions: tuple[Path, ...],
    slug: str | None,
    output: Path | None,
    *,
    form: str = "gradescope",
    device: str = "auto",
    timing: bool = True,
    salt: str = "",
    quiet: bool = False,
    explain_pass: str | None = None,
    course: Path | None = None,
) -> int:
    """Grades, reports and writes the results in the format `form`; returns the exit code. Of the checks called
    `explain_pass` it prints how close they were.

    Raises:
        UsageError: the request cannot be carried out and nothing was graded, or no check is called `explain_pass`.
    """
    where = choose(device if timing else "")
    if form == "classroom50" and len(submissions) > 1:
        raise UsageError("Classroom 50 has one result for each repository; name only one submission.")
    output = output or Path(FILE_NAMES[form] if len(submissions) == 1 else "results")
    paths = [_path(given) for given in submissions]
    root = find_course(course, paths, beside=[path.parent for path in paths])
    tasks = list(_tasks(submissions, slug, output, root, Path(FILE_NAMES[form]).suffix))
    for task in tasks:
        atomic.replace(task.output, ENCODERS[form](_empty(task, State.UNFINISHED, NOT_FINISHED)))
    with commands_stopped():
        results = _graded(tasks, form, salt, where, quiet, output, explain_pass)
    if form == "github":
        for line in (line for _, result in results for line in github.workflow_commands(result)):
            print(line, flush=True)
    return 1 if any(result.state is State.ERROR for _, result in results) else 0


def _graded(
    tasks: list[_Task], form: str, salt: str, where: Device, quiet: bool, output: Path, explain_pass: str | None
) -> list[tuple[str, Result]]:
    """The results by name, written and shown."""
    from autograder.engine.client import Engine

    with Engine(*(task.assignment for task in tasks)) as engine:  # imports torch while we import rich
        from rich.console import Console
        from rich.progress import track

        from autograder.results import terminal

        console = Console(quiet=quiet)
        many = len(tasks) > 1
        for name in dict.fromkeys(task.assignment.slug for task in tasks):
            with contextlib.suppress(EngineError):  # each result will say what is wrong
                engine.warm_up(WarmUp(str(tasks[0].assignment.root), name, salt))
        results = []
        for task in track(tasks, "Grading", console=console) if many else tasks:
            result = _grade(engine, task, salt, where, explain_pass or "")
            atomic.replace(task.output, ENCODERS[form](result))
            for line in result.for_instructor:
                print(f"autograder: {inert(task.path.name, 100)}: {inert(line, 3000)}", file=sys.stderr)
            results.append((task.path.name, result))
    try:
        if many:
            terminal.print_class(results, console)
        else:
            terminal.print_result(results[0][1], console)
        timed = any(check.timing for _, result in results for check in result.checks)
        if timed and where.remark:
            console.print(where.remark, style="dim", markup=False, highlight=False)
        console.print(f"Results: {output}", style="dim", markup=False, highlight=False)
        shown = next(filter(_has_program, results[0][1].checks), None)
        if shown and form == "gradescope" and not many:
            command = f"autograder reproduce {shlex.quote(str(output))} {shown.exercise}/{shown.name}"
            text = one_line(f"To see a failure yourself: {command}", 500)
            console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)
    except OSError:
        raise
    except Exception as error:
        why = one_line(f"{type(error).__name__}: {error}", 300)
        print(f"autograder: The results are written, but cannot be shown here: {why}", file=sys.stderr)
    if explain_pass is not None:
        _explain_passes(explain_pass, results)
    return results


def _explain_passes(name: str, results: list[tuple[str, Result]]) -> None:
    """Prints for each submission why the check called `name` ended as it did.

    Raises:
        UsageError: there is no such check.
    """
    from autograder.results.feedback import margin_text

    found = [
        f"{one_line(submission, 100)}: {margin_text(check)}"
        for submission, result in results
        for check in result.checks
        if name in (check.name, f"{check.exercise}/{check.name}")
    ]
    if not found and any(result.checks for _, result in results):
        known = [f"{check.exercise}/{check.name}" for _, result in results for check in result.checks]
        near = difflib.get_close_matches(name, known, 1)
        raise UsageError(f"There is no check {name}{f'; did you mean {near[0]}?' if near else '.'}")
    print("\n".join(found))


def _has_program(check: CheckResult) -> bool:
    return check.reproduction is not None and bool(check.reproduction.program)


def _tasks(submissions: tuple[Path, ...], slug: str | None, output: Path, course: Path, suffix: str) -> Iterator[_Task]:
    names = set()
    for given in submissions:
        path = _path(given)
        if not os.path.lexists(path):
            raise UsageError(f"There is no file or folder {given}.")
        found = slug or infer_slug(path, assignment_slugs(course), lambda one: load_assignment(course, one).other_files)
        if found is None:
            looked_for = ", ".join(f"{name}.py, {name}.ipynb" for name in assignment_slugs(course))
            raise UsageError(f"{given}: cannot tell which assignment it is (looked for {looked_for}); name it with -a.")
        assignment = load_assignment(course, found)
        if len(submissions) == 1:
            yield _Task(path, assignment, output)
            continue
        name = path.name
        if name in names:
            raise UsageError(f"Two submissions are called {name}; grade them in two runs.")
        names.add(name)
        output.mkdir(parents=True, exist_ok=True)
        yield _Task(path, assignment, output / f"{name}{suffix}")


def _path(given: Path) -> Path:
    """Absolute, but not resolved: a link to somebody else's file must stay a link, which is not followed."""
    return Path(os.path.normpath(Path.cwd() / given))


def _grade(engine: Engine, task: _Task, salt: str, device: Device, explain_pass: str) -> Result:
    started = time.monotonic()
    try:
        submission = read_submission(task.path, task.assignment.module, task.assignment.other_files)
    except SubmissionError as error:
        return _empty(task, State.GRADED, str(error))
    try:
        root, slug = str(task.assignment.root), task.assignment.slug
        return device.grade(engine, Job(root, slug, submission, salt, explain_pass=explain_pass))
    except EngineError as error:
        result = _empty(task, State.ERROR, NOT_GRADED, (str(error),))
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - started, 3))


def _empty(task: _Task, state: State, notice: str, log: tuple[str, ...] = ()) -> Result:
    return empty_result(task.assignment, state, submission=task.path.name, notice=notice, log=log)
