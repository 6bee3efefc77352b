"""What runs in the container of any platform: grades one submission, and leaves a result whatever happens.

In this order: a result without points is written before anything else; the folders are closed to other users; the
assignment is chosen, and the platform's policies decide whether to grade at all; grading runs until the deadline; every
process is killed; the final result replaces the first one in one step.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import msgspec

from autograder.course import Assignment, assignment_slugs, empty_result, load_assignments
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import CACHE, Job, WarmUp
from autograder.output.inert import inert
from autograder.platforms.attempt import Attempt, failed, outcome
from autograder.platforms.choosing import choose
from autograder.platforms.lockdown import close_to_others, end_all, kills_for_memory, open_results
from autograder.platforms.places import Places
from autograder.results.model import Result, State
from autograder.sandbox.confinement import adopt_orphans, refuse_debuggers
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError


@dataclass
class Platform:
    """A platform on which one submission is graded. `default` is the assignment if neither the file's name nor the
    `title` on the platform says which one it is; `assignment` is the chosen one; `log` is for the instructor."""

    places: Places
    deadline_seconds: float
    default: str = ""
    title: str = ""
    assignment: Assignment | None = None
    log: list[str] = field(default_factory=list)

    def write(self, result: Result) -> None:
        """Leaves `result` where the platform finds it. Called several times; the last one counts."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Reads what the platform says about the submission, before anything of it is looked at."""

    def titles(self, assignments: Mapping[str, Assignment]) -> Mapping[str, tuple[str, ...]]:
        """Further titles that assignments have on the platform; raises UsageError if a setting is wrong."""
        return dict.fromkeys(assignments, ())

    def chosen(self, assignment: Assignment) -> None:
        """Called as soon as it is known."""
        self.assignment = assignment

    def refuses(self) -> bool:
        """Whether a policy keeps the submission from being graded."""
        return False

    def tell(self, line: str) -> None:
        """Shows the instructor a line that students do not see."""
        print(f"autograder: {inert(line, 3000)}", flush=True)


def leave(does: Callable[[], int]) -> NoReturn:
    """Ends the process with the exit code that `does` returns, or with 1 if we failed."""
    code = 1
    try:
        code = does()
    except (OSError, UsageError, EngineError) as error:
        print(f"autograder: {error}", flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)  # without the interpreter's shutdown, which would wait for a thread


def supervise(platform: Platform) -> int:
    """Grades the submission; returns the exit code: 0 if there is a score, whatever it is, and 1 if we failed.

    Raises:
        UsageError, OSError: the result cannot be written.
    """
    run = _Run(platform, time.monotonic())
    os.umask(0o022)
    if platform.places.results is not None:
        platform.places.results.mkdir(parents=True, exist_ok=True)
    platform.write(_unassigned(State.UNFINISHED))
    try:
        result = run.grade()
    except Exception as error:  # whatever it is, it is our fault
        result = failed(platform.assignment, platform.title, error)
    run.clean_up()
    result = msgspec.structs.replace(result, seconds=round(time.monotonic() - run.started, 3))
    platform.write(result)
    open_results(platform.places)
    layers = result.environment.get("confinement")
    points = f"{result.points:g} of {result.max_points:g} points before policies"
    around = [f"layers around the submission: {layers}"] if layers else []
    for line in (*platform.log, *result.for_instructor, *around, f"{result.state.value}, {points}"):
        platform.tell(line)
    return 1 if result.state is State.ERROR else 0


def assignments_in(course: Path) -> dict[str, Assignment]:
    """Raises UsageError if there is none, or if one has a mistake."""
    slugs = assignment_slugs(course)
    if not slugs:
        raise UsageError(f"{course} contains no graders/<assignment>/assignment.toml: package it again.")
    return {assignment.slug: assignment for assignment in load_assignments(course, slugs)}


def record(course: Path, recordings: Path) -> None:
    """Records the answers of the reference and of the known wrong variants for all assignments, so that no student
    waits for them.

    Raises:
        UsageError: an instructor has made a mistake.
        EngineError: the graders of an assignment do not run.
    """
    assignments = assignments_in(course)
    os.environ[CACHE] = str(recordings)
    with Engine(*assignments.values()) as engine:
        for slug, assignment in assignments.items():
            engine.warm_up(WarmUp(str(assignment.root), slug, thorough=True))
            print(f"autograder: recorded the answers for {slug}", flush=True)


def _unassigned(state: State, title: str = "", notice: str = "") -> Result:
    """A result while the assignment is not known."""
    return Result("", title or "Your submission", "", state, (), notice)


@dataclass
class _Run:
    """One submission on its way through the steps."""

    platform: Platform
    started: float
    scratch: Path | None = None

    def grade(self) -> Result:
        """The result.

        Raises:
            EngineError: the folders cannot be closed.
            UsageError: there is a mistake in the course's files.
        """
        platform, places = self.platform, self.platform.places
        adopt_orphans()
        refuse_debuggers()
        platform.prepare()
        close_to_others(places)
        assignments = assignments_in(places.course)
        titles = platform.titles(assignments)
        choice = choose(places.submission, platform.title, platform.default, assignments, titles)
        assignment = choice.assignment
        if assignment is None:
            platform.log.append(choice.reason)
            return _unassigned(State.GRADED, platform.title, choice.refusal)
        platform.chosen(assignment)
        platform.log.append(f"assignment {assignment.slug}: {choice.reason}")
        if choice.refusal:
            return empty_result(assignment, State.GRADED, notice=choice.refusal)
        platform.write(empty_result(assignment, State.UNFINISHED))
        if platform.refuses():
            return empty_result(assignment, State.GRADED)
        try:
            submission = read_submission(places.submission, assignment.module, assignment.other_files)
        except SubmissionError as error:
            return empty_result(assignment, State.GRADED, notice=str(error))
        self.scratch = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.scratch.chmod(0o711)  # each worker gets its own folder in it
        os.environ["TMPDIR"] = str(self.scratch)
        os.environ[CACHE] = str(places.recordings)
        job = Job(str(assignment.root), assignment.slug, submission, device="cpu")  # the platforms have no GPUs
        attempt = Attempt(job, assignment, self.started + platform.deadline_seconds)
        attempt.run()
        return outcome(attempt, platform.deadline_seconds)

    def clean_up(self) -> None:
        """Kills whatever is still running, and removes what it wrote."""
        log = self.platform.log
        try:
            end_all(self.platform.places)
        except EngineError as error:  # the folders are closed to it, so it cannot change the grade
            log.append(str(error))
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if kills := kills_for_memory():
            log.append(
                f"memory ran out, and the process that used most was killed {kills} time{'s' if kills > 1 else ''}: if "
                "this happens to correct submissions, choose a larger container on the platform"
            )
