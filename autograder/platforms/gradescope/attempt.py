"""One grading run against a deadline: what is finished when the time is up counts.

The platform ends a container that takes too long and throws our result away, so we stop earlier by ourselves.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Assignment
from autograder.engine.client import Engine
from autograder.errors import EngineError
from autograder.jobs import Job
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status


@dataclass
class Attempt:
    """`run` returns at the deadline at the latest; processes may then still be running, and are the caller's to end."""

    job: Job
    deadline: float
    checks: list[CheckResult] = field(default_factory=list)
    result: Result | None = None
    failure: str = ""

    def run(self) -> None:
        thread = threading.Thread(target=self._grade, daemon=True)
        thread.start()
        thread.join(max(0.0, self.deadline - time.monotonic()))

    def _grade(self) -> None:
        try:
            with Engine(Path(self.job.course, "graders", self.job.slug)) as engine:
                result = engine.grade(self.job, self.checks.append)
            self.result = result
        except Exception as error:  # in a thread nobody else would hear of it
            self.failure = f"{type(error).__name__}: {error}"


def outcome(attempt: Attempt, assignment: Assignment, seconds: float) -> Result:
    """The whole result, or a partial one where the time was up or the engine broke down."""
    result, failure = attempt.result, attempt.failure
    if result is not None:
        return result
    checks = list(attempt.checks)
    if failure:
        notice, log = "", f"the engine broke down: {failure}"
    else:
        notice = (
            f"Grading was stopped after {seconds / 60:.3g} minutes. The {len(checks)} checks that were finished by "
            "then count; the rest was not reached."
        )
        log = f"the deadline of {seconds:g} s was reached after {len(checks)} checks"
    is_error = bool(failure) or any(check.status is Status.ERROR for check in checks)
    exercises = tuple(
        _with_rest(name, points, tuple(check for check in checks if check.exercise == name))
        for name, points in assignment.exercises.items()
    )
    state = State.ERROR if is_error else State.GRADED
    name = attempt.job.submission.name
    return Result(assignment.slug, assignment.title, name, state, exercises, notice, (log,), seconds=seconds)


def failed(assignment: Assignment | None, title: str, error: BaseException) -> Result:
    """The result when something of ours went wrong before there was any other."""
    text = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
    return empty(assignment, title, State.ERROR, log=(text,))


def empty(
    assignment: Assignment | None, title: str, state: State, notice: str = "", log: tuple[str, ...] = ()
) -> Result:
    """A result without checks; before the assignment is known also without exercises."""
    if assignment is None:
        return Result("", title, "", state, (), notice, log)
    exercises = tuple(ExerciseResult(name, points) for name, points in assignment.exercises.items())
    return Result(assignment.slug, assignment.title, "", state, exercises, notice, log)


def _with_rest(name: str, points: float, checks: tuple[CheckResult, ...]) -> ExerciseResult:
    """Which checks there would have been only the judge knows: one stands for all of them."""
    left = round(points - sum(check.max_points for check in checks), 6)
    if left > 0:
        which = "The remaining checks" if checks else "The checks"
        text = "Not reached: the time for grading this submission was over."
        rest = CheckResult(name, "not_reached", f"{which} of {name}.", Status.SKIPPED, left, message=text)
        checks = (*checks, rest)
    return ExerciseResult(name, points, checks)
