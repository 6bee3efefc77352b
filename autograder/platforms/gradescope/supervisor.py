"""What `run_autograder` becomes: grades the one submission of this container and leaves a result in any case.

In this order: a result with score 0 is written before anything else; the folders are closed to other users; the
assignment is chosen and the course's policies asked whether to grade at all; it is graded until the deadline; every
process is ended; the result is replaced by the final one in one step. What is printed is for the instructor: the
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

from autograder.course import Assignment, assignment_slugs, load_assignment
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import ARCHIVE, Job, WarmUp
from autograder.output.inert import inert
from autograder.platforms.gradescope import policies
from autograder.platforms.gradescope.attempt import Attempt, empty, failed, outcome
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
    """Exits with 0 when there is a score, whatever it is, and with 1 when we failed.

    With an option nothing is graded: `--check` says whether an image that is being built can grade, and `--rehearse`
    lets it grade sooner, too.
    """
    code = 1
    does = rehearse if "--rehearse" in options else check if "--check" in options else run
    try:
        code = does(Tree(Path(root)))
    except (OSError, UsageError, EngineError) as error:
        print(f"autograder: {error}", flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)  # not by way of an interpreter that waits for a thread


def run(tree: Tree) -> int:
    """Grades what is in `tree`; returns the exit code.

    Raises:
        UsageError, OSError: no result can be written.
    """
    started = time.monotonic()
    os.umask(0o022)
    tree.results.mkdir(parents=True, exist_ok=True)
    gradescope.write(empty(None, "Your submission", State.UNFINISHED), tree.results_file)
    session = _Session(tree, started)
    try:
        result = session.grade()
    except Exception as error:  # whatever it is, it is ours
        result = failed(session.assignment, session.metadata.title, error)
    session.clean_up()
    result = msgspec.structs.replace(result, seconds=round(time.monotonic() - started, 3))
    settings, metadata = session.settings, session.metadata
    settlement = session.refusal or policies.settle(result.points, settings, metadata)
    gradescope.write(result, tree.results_file, settlement, leaderboard_seconds=settings.leaderboard_seconds)
    open_results(tree)
    _tell(result, (*session.log, *result.log))
    return 1 if result.state is State.ERROR else 0


def _tell(result: Result, log: tuple[str, ...]) -> None:
    """Says on stdout what only the instructor is to know."""
    layers = result.environment.get("confinement")
    points = f"{result.points:g} of {result.max_points:g} points before policies"
    lines = [*log, *([f"layers around the submission: {layers}"] if layers else []), f"{result.state.value}, {points}"]
    for line in lines:
        print(f"autograder: {inert(line, 3000)}", flush=True)


def check(tree: Tree) -> int:
    """Reads everything that an instructor may have written a mistake into.

    Raises:
        UsageError: there is one.
    """
    assignments, _settings, default = _contents(tree)
    if default and default not in assignments:
        raise UsageError(f"The build argument ASSIGNMENT={default} is none of: {', '.join(assignments)}.")
    print(f"autograder: can grade {', '.join(assignments)}", flush=True)
    return 0


def rehearse(tree: Tree) -> int:
    """Does what `check` does, and writes down what the reference answers to the examples of all assignments, so that no
    student has to wait for that.

    Raises:
        UsageError: an instructor has made a mistake.
        EngineError: the graders of an assignment do not run.
    """
    check(tree)
    assignments, _settings, _default = _contents(tree)
    os.environ[ARCHIVE] = str(tree.recordings)
    with Engine(*(assignment.graders for assignment in assignments.values())) as engine:
        for slug, assignment in assignments.items():
            engine.warm_up(WarmUp(str(assignment.root), slug))
            print(f"autograder: {slug} is rehearsed", flush=True)
    return 0


def _contents(tree: Tree) -> tuple[dict[str, Assignment], dict[str, Settings], str]:
    """The assignments that are there with their settings, and what the image was built for."""
    slugs = assignment_slugs(tree.source)
    if not slugs:
        raise UsageError(f"{tree.source} holds no graders/<assignment>/assignment.toml: package it again.")
    assignments = {slug: load_assignment(tree.source, slug) for slug in slugs}
    settings = {slug: load_settings(assignment) for slug, assignment in assignments.items()}
    place = tree.default_assignment
    return assignments, settings, place.read_text(encoding="utf-8").strip() if place.exists() else ""


@dataclass
class _Session:
    """What has become known about this submission, for whoever has to write the result if a step fails."""

    tree: Tree
    started: float
    metadata: Metadata = field(default_factory=Metadata)
    assignment: Assignment | None = None
    settings: Settings = field(default_factory=Settings)
    log: list[str] = field(default_factory=list)
    refusal: Settlement | None = None
    scratch: Path | None = None

    def grade(self) -> Result:
        """The result, with `refusal` set where the policies keep it from being graded.

        Raises:
            EngineError: the folders cannot be closed.
            UsageError: the course has a mistake.
        """
        adopt_orphans()
        refuse_debuggers()
        self.metadata = read_metadata(self.tree.metadata)
        close_to_others(self.tree)
        self.log += self.metadata.problems
        choice = self._choose()
        self.log.append(choice.reason)
        assignment = self.assignment = choice.assignment
        if assignment is None or choice.refusal:
            return empty(assignment, self.metadata.title or "Your submission", State.GRADED, choice.refusal)
        self._compare_points(assignment)
        gradescope.write(empty(assignment, "", State.UNFINISHED), self.tree.results_file)
        self.refusal = policies.refuse(self.settings, self.metadata)
        if self.refusal is not None:
            return empty(assignment, "", State.GRADED)
        try:
            submission = read_submission(self.tree.submission, assignment.module)
        except SubmissionError as error:
            return empty(assignment, "", State.GRADED, str(error))
        self.scratch = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.scratch.chmod(0o711)  # workers get folders of their own in it
        os.environ["TMPDIR"] = str(self.scratch)
        os.environ[ARCHIVE] = str(self.tree.recordings)
        job = Job(str(assignment.root), assignment.slug, submission, device="cpu")  # the platform has no GPUs
        attempt = Attempt(job, self.started + self.settings.deadline_seconds)
        attempt.run()
        return outcome(attempt, assignment, self.settings.deadline_seconds)

    def clean_up(self) -> None:
        """Ends whatever still runs, and removes what it wrote."""
        try:
            end_all(self.tree)
        except EngineError as error:  # the folders are closed to it, so the grade is none the worse
            self.log.append(str(error))
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if kills := kills_for_memory():
            self.log.append(
                f"memory ran out, and {kills} time{'s' if kills > 1 else ''} the process that used most was killed: if "
                "that happens to correct submissions, choose a larger container on the platform"
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
