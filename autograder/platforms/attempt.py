"""One grading run with a deadline: whatever is finished when time runs out counts.

The platform kills a container that takes too long and discards our result, so we stop before it does.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import msgspec

from autograder.course import Assignment, empty_result
from autograder.engine.client import Engine
from autograder.errors import EngineError
from autograder.jobs import Job
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status


@dataclass
class Attempt:
    """`run` returns no later than the deadline; processes may still be running then, and the caller must end them."""

    job: Job
    assignment: Assignment
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
            with Engine(self.assignment) as engine:
                result = engine.grade(self.job, self.checks.append)
            self.result = result
        except Exception as error:  # in a thread, nobody else would see it
            self.failure = f"{type(error).__name__}: {error}"


def outcome(attempt: Attempt, seconds: float) -> Result:
    """The whole result, or a partial one if time ran out or the engine failed."""
    assignment, result, failure = attempt.assignment, attempt.result, attempt.failure
    if result is not None:
        return result
    checks = list(attempt.checks)
    if failure:
        notice, log = "", f"the engine failed: {failure}"
    else:
        notice = (
            f"Grading was stopped after {seconds / 60:.3g} minutes. The {len(checks)} checks that had finished by "
            "then count; the rest were not reached."
        )
        log = f"the deadline of {seconds:g} s was reached after {len(checks)} checks"
    is_error = bool(failure) or any(check.status is Status.ERROR for check in checks)
    state = State.ERROR if is_error else State.GRADED
    empty = empty_result(assignment, state, submission=attempt.job.submission.name, notice=notice, log=(log,))
    exercises = tuple(
        _with_rest(exercise, tuple(check for check in checks if check.exercise == exercise.name))
        for exercise in empty.exercises
    )
    return msgspec.structs.replace(empty, exercises=exercises, seconds=seconds)


def failed(assignment: Assignment | None, title: str, error: BaseException) -> Result:
    """The result when something on our side went wrong before there was any other result."""
    text = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
    if assignment is None:
        return Result("", title, "", State.ERROR, (), log=(text,))
    return empty_result(assignment, State.ERROR, log=(text,))


def _with_rest(exercise: ExerciseResult, checks: tuple[CheckResult, ...]) -> ExerciseResult:
    """Only the judge knows which checks are missing, so a single entry represents all of them."""
    name, left = exercise.name, round(exercise.max_points - sum(check.max_points for check in checks), 6)
    if left > 0:
        which = "The remaining checks" if checks else "The checks"
        text = "Not reached: the time for grading this submission ran out."
        rest = CheckResult(name, "not_reached", f"{which} of {name}.", Status.SKIPPED, left, message=text)
        checks = (*checks, rest)
    return msgspec.structs.replace(exercise, checks=checks)
