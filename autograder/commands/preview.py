"""`autograder preview`: what a student will see, before there is one."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from autograder.batch.contents import Graded
from autograder.batch.discovery import Found
from autograder.batch.store import record_of
from autograder.course import did_you_mean, find_course, load_assignment
from autograder.engine.client import Engine
from autograder.errors import UsageError
from autograder.jobs import Job, WarmUp
from autograder.output import atomic
from autograder.output.inert import inert
from autograder.quality.subjects import SKELETON, find
from autograder.report.pages import Pages
from autograder.results import terminal
from autograder.results.formats import ENCODERS
from autograder.results.model import State


def run(
    slug: str,
    misconception: str = "",
    output: Path | None = None,
    *,
    form: str = "gradescope",
    html: Path | None = None,
    course: Path | None = None,
) -> int:
    """Grades the solution with this known mistake in it (default: the skeleton), and prints the feedback. Also writes
    the result to `output` in the format `form`, and a student's page to `html`. Returns the exit code.

    Raises:
        UsageError: there is no such assignment or misconception, or a file cannot be written.
        EngineError: the graders do not run.
    """
    root = find_course(course)
    assignment = load_assignment(root, slug)
    known = find(assignment)
    if misconception:
        found = [one for one in known.subjects if one.misconception and one.misconception.name == misconception]
    else:
        found = [one for one in known.subjects if one.label == SKELETON]
    if not found:
        broken = next((one.text for one in known.problems), "")
        names = [one.misconception.name for one in known.subjects if one.misconception]
        end = f": {broken}." if broken else did_you_mean(misconception, names) or "."
        raise UsageError(f"There is no misconception {misconception!r} in {slug}{end}")
    with Engine(assignment) as engine:
        engine.warm_up(WarmUp(str(root), slug))
        result = engine.grade(Job(str(root), slug, found[0].submission))
    terminal.print_result(result, Console(highlight=False))
    for line in result.for_instructor:
        print(f"For you only: {inert(line, 3000)}")
    if output:
        atomic.replace(output, ENCODERS[form](result))
    if html:
        who = Found(slug, misconception or SKELETON, "", ())
        atomic.replace(html, Pages().feedback(who, record_of(result, "", Graded(result.file)), result))
    return 1 if result.state is State.ERROR else 0
