"""What `run_autograder` becomes: grades this container's one submission and leaves a result whatever happens.

In this order: a result with score 0 is written before anything else; the folders are closed to other users; the
assignment is chosen and the course's policies decide whether to grade at all; grading runs until the deadline; every
process is killed; the final result replaces the first one in one step. What is printed is for the instructor: the
platform hides it from students.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import msgspec

from autograder.course import Assignment, assignment_slugs, empty_result, load_assignments
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import CACHE, Job, WarmUp
from autograder.output.inert import inert
from autograder.platforms.gradescope import policies
from autograder.platforms.gradescope.attempt import Attempt, failed, outcome
from autograder.platforms.gradescope.choosing import Choice, choose
from autograder.platforms.gradescope.lockdown import close_to_others, end_all, kills_for_memory, open_results
from autograder.platforms.gradescope.metadata import Metadata, read_metadata
from autograder.platforms.gradescope.settings import Settings, load_settings
from autograder.platforms.gradescope.tree import Tree
from autograder.results import gradescope
from autograder.results.gradescope import Settlement
from autograder.results.model import Result, State
from autograder.sandbox.confinement import adopt_orphans, refuse_debuggers
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError


def main(root: str, *options: str) -> NoReturn:
    """Exits with 0 if there is a score, whatever it is, and with 1 if we failed.

    With an option nothing is graded: `--check` says whether an image that is being built can grade; `--record` also
    records the reference's answers, so that grading starts sooner.
    """
    code = 1
    does = record if "--record" in options else check if "--check" in options else run
    try:
        code = does(Tree(Path(root)))
    except (OSError, UsageError, EngineError) as error:
        print(f"autograder: {error}", flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)  # without the interpreter's shutdown, which would wait for a thread


def run(tree: Tree) -> int:
    """Grades what is in `tree`; returns the exit code.

    Raises:
        UsageError, OSError: the result cannot be written.
    """
    started = time.monotonic()
    os.umask(0o022)
    tree.results.mkdir(parents=True, exist_ok=True)
    gradescope.write(_unassigned(State.UNFINISHED), tree.results_file)
    session = _Session(tree, started)
    try:
        result = session.grade()
    except Exception as error:  # whatever it is, it is our fault
        result = failed(session.assignment, session.metadata.title, error)
    session.clean_up()
    result = msgspec.structs.replace(result, seconds=round(time.monotonic() - started, 3))
    settings, metadata = session.settings, session.metadata
    settlement = session.refusal or policies.settle(result.points, settings, metadata)
    gradescope.write(result, tree.results_file, settlement, leaderboard_seconds=settings.leaderboard_seconds)
    open_results(tree)
    _tell(result, (*session.log, *result.for_instructor))
    return 1 if result.state is State.ERROR else 0


def _tell(result: Result, log: tuple[str, ...]) -> None:
    """Prints what only the instructor should see."""
    layers = result.environment.get("confinement")
    points = f"{result.points:g} of {result.max_points:g} points before policies"
    lines = [*log, *([f"layers around the submission: {layers}"] if layers else []), f"{result.state.value}, {points}"]
    for line in lines:
        print(f"autograder: {inert(line, 3000)}", flush=True)


def _unassigned(state: State, title: str = "", notice: str = "") -> Result:
    """A result while the assignment is not known."""
    return Result("", title or "Your submission", "", state, (), notice)


def check(tree: Tree) -> int:
    """Reads everything in which an instructor may have made a mistake.

    Raises:
        UsageError: there is a mistake.
    """
    assignments, _settings, default = _contents(tree)
    if default and default not in assignments:
        raise UsageError(f"The build argument ASSIGNMENT={default} is not one of: {', '.join(assignments)}.")
    print(f"autograder: can grade {', '.join(assignments)}", flush=True)
    return 0


def record(tree: Tree) -> int:
    """Does what `check` does, and records the answers of the reference and of the known wrong variants for all
    assignments, so that no student has to wait for them.

    Raises:
        UsageError: an instructor has made a mistake.
        EngineError: the graders of an assignment do not run.
    """
    check(tree)
    assignments, _settings, _default = _contents(tree)
    os.environ[CACHE] = str(tree.recordings)
    with Engine(*assignments.values()) as engine:
        for slug, assignment in assignments.items():
            engine.warm_up(WarmUp(str(assignment.root), slug, thorough=True))
            print(f"autograder: recorded the answers for {slug}", flush=True)
    return 0


def _contents(tree: Tree) -> tuple[dict[str, Assignment], dict[str, Settings], str]:
    """The assignments with their settings, and the assignment that the image was built for."""
    slugs = assignment_slugs(tree.source)
    if not slugs:
        raise UsageError(f"{tree.source} contains no graders/<assignment>/assignment.toml: package it again.")
    assignments = {assignment.slug: assignment for assignment in load_assignments(tree.source, slugs)}
    settings = {slug: load_settings(assignment) for slug, assignment in assignments.items()}
    place = tree.default_assignment
    return assignments, settings, place.read_text(encoding="utf-8").strip() if place.exists() else ""


@dataclass
class _Session:
    """What is known about this submission so far, for writing the result if a step fails."""

    tree: Tree
    started: float
    metadata: Metadata = field(default_factory=Metadata)
    assignment: Assignment | None = None
    settings: Settings = field(default_factory=Settings)
    log: list[str] = field(default_factory=list)
    refusal: Settlement | None = None
    scratch: Path | None = None

    def grade(self) -> Result:
        """The result; `refusal` is set if a policy forbids grading.

        Raises:
            EngineError: the folders cannot be closed.
            UsageError: there is a mistake in the course's files.
        """
        adopt_orphans()
        refuse_debuggers()
        self.metadata = read_metadata(self.tree.metadata)
        close_to_others(self.tree)
        self.log += self.metadata.problems
        choice = self._choose()
        self.log.append(choice.reason)
        assignment = self.assignment = choice.assignment
        if assignment is None:
            return _unassigned(State.GRADED, self.metadata.title, choice.refusal)
        if choice.refusal:
            return empty_result(assignment, State.GRADED, notice=choice.refusal)
        self._compare_points(assignment)
        gradescope.write(empty_result(assignment, State.UNFINISHED), self.tree.results_file)
        self.refusal = policies.refuse(self.settings, self.metadata)
        if self.refusal is not None:
            return empty_result(assignment, State.GRADED)
        try:
            submission = read_submission(self.tree.submission, assignment.module, assignment.other_files)
        except SubmissionError as error:
            return empty_result(assignment, State.GRADED, notice=str(error))
        self.scratch = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.scratch.chmod(0o711)  # each worker gets its own folder in it
        os.environ["TMPDIR"] = str(self.scratch)
        os.environ[CACHE] = str(self.tree.recordings)
        job = Job(str(assignment.root), assignment.slug, submission, device="cpu")  # the platform has no GPUs
        attempt = Attempt(job, assignment, self.started + self.settings.deadline_seconds)
        attempt.run()
        return outcome(attempt, self.settings.deadline_seconds)

    def clean_up(self) -> None:
        """Kills whatever is still running, and removes what it wrote."""
        try:
            end_all(self.tree)
        except EngineError as error:  # the folders are closed to it, so it cannot change the grade
            self.log.append(str(error))
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if kills := kills_for_memory():
            self.log.append(
                f"memory ran out, and the process that used most was killed {kills} time{'s' if kills > 1 else ''}: if "
                "this happens to correct submissions, choose a larger container on the platform"
            )

    def _choose(self) -> Choice:
        assignments, settings, default = _contents(self.tree)
        choice = choose(self.tree.submission, self.metadata.title, default, assignments, settings)
        if choice.assignment is not None:
            self.settings = settings[choice.assignment.slug]
            choice = Choice(choice.assignment, f"assignment {choice.assignment.slug}: {choice.reason}", choice.refusal)
        return choice

    def _compare_points(self, assignment: Assignment) -> None:
        ours, theirs = sum(assignment.exercises.values()), self.metadata.total_points
        if theirs is not None and abs(ours - theirs) > 1e-6:
            worth = f"{assignment.slug} is worth {ours:g} points here and {theirs:g} on the platform"
            self.log.append(f"{worth}: set it to {ours:g} there")
