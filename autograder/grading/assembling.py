"""Puts a result together from the checks of one submission and what its examiner found out."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

import msgspec
import torch

import autograder
from autograder import fingerprint
from autograder.course import Assignment
from autograder.grading.examiner import Examiner
from autograder.grading.marks import Misconception
from autograder.grading.prepared import Prepared
from autograder.jobs import Job
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status


def assembled(
    job: Job, prepared: Prepared, examiner: Examiner, checks: Sequence[CheckResult], log: list[str], *, complete: bool
) -> Result:
    """The result; `complete` is false if an error of ours kept checks from being run. The caller adds the time."""
    assignment = prepared.assignment
    sound = complete and all(check.status is not Status.ERROR for check in checks)
    return Result(
        assignment=assignment.slug,
        title=assignment.title,
        submission=job.submission.name,
        state=State.GRADED if sound else State.ERROR,
        exercises=_with_causes(_by_exercise(assignment, job, checks), examiner.references),
        stopped=examiner.stopped,
        notice=_notice(examiner, assignment) if sound else "",
        log=tuple(log),
        missing_layers={name: why for name, why in examiner.layers.items() if why},
        environment=_environment(examiner.layers, job.device),
        fingerprint=fingerprint.of_job(prepared.digest, job),
    )


SAME_MISTAKE = "This is the same mistake as above."


def hinted(checks: Sequence[CheckResult], found: Mapping[tuple[str, str], Misconception]) -> list[CheckResult]:
    """The checks, each with the misconception that explains it. A hint is given once: at the first check."""
    given: set[tuple[str, str]] = set()
    results = []
    for check in checks:
        known = found.get((check.exercise, check.name))
        if known is not None:
            mistake = known.exercise, known.name
            text = SAME_MISTAKE if mistake in given else known.hint
            given.add(mistake)
            check = msgspec.structs.replace(check, hint=text, misconception=known.name)
        results.append(check)
    return results


def _by_exercise(assignment: Assignment, job: Job, checks: Sequence[CheckResult]) -> tuple[ExerciseResult, ...]:
    return tuple(
        ExerciseResult(name, points, tuple(check for check in checks if check.exercise == name))
        for name, points in assignment.exercises.items()
        if not job.exercises or name in job.exercises
    )


def _with_causes(exercises: tuple[ExerciseResult, ...], references: dict[str, list[str]]) -> tuple[ExerciseResult, ...]:
    """For each exercise that lost points, names the ones it builds on in the student's code that also lost points."""
    lost = [exercise.name for exercise in exercises if exercise.points < exercise.max_points]
    results = []
    for exercise in exercises:
        causes = [name for name in lost if name in references.get(exercise.name, ()) and name != exercise.name]
        if exercise.name in lost and causes:
            text = f"{exercise.name} depends on your {' and '.join(causes)}, which also lost points: look there first."
            checks = [_with_hint(check, text) for check in exercise.checks]
            exercise = msgspec.structs.replace(exercise, checks=tuple(checks), depends_on=tuple(causes))
        results.append(exercise)
    return tuple(results)


def _with_hint(check: CheckResult, text: str) -> CheckResult:
    if check.status not in (Status.FAILED, Status.TIMEOUT):
        return check
    return msgspec.structs.replace(check, hint=f"{check.hint} {text}".strip())


def _notice(examiner: Examiner, assignment: Assignment) -> str:
    """What a student needs to know about the file as a whole."""
    if examiner.unloadable is not None:
        return examiner.unloadable.message
    if not examiner.names & assignment.exercises.keys():
        return "The file defines none of the exercises. Was it saved before it was handed in?"
    notices = []
    if examiner.stopped:
        notices.append(
            "These cells were stopped because they did not finish or because they ended the process; the rest was "
            f"graded without them: {', '.join(examiner.stopped)}."
        )
    if examiner.problems:
        where = ", ".join(dict.fromkeys(where for _, _, where in examiner.problems if where))
        notices.append(f"These cells raised an error, so the rest of the code in them was not run: {where}.")
    return " ".join(notices)


def _environment(layers: dict[str, str], device: str) -> dict[str, str]:
    active = ", ".join(name for name, why in layers.items() if not why)
    return {
        "autograder": autograder.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "timed on": device or "nothing",
        "confinement": active or "none",
    }
