"""Puts a result together from the checks of one submission and what its examiner found out."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

import msgspec
import torch

import autograder
from autograder import fingerprint
from autograder.course import Assignment
from autograder.grading.carried_forward import Carried
from autograder.grading.examiner import NOT_THERE, TOO_SLOW, Examiner
from autograder.grading.explaining import Check, Explaining
from autograder.grading.prepared import Prepared
from autograder.jobs import Job
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Visibility
from autograder.submissions.lines import definition_lines


def assembled(
    job: Job,
    prepared: Prepared,
    examiner: Examiner,
    checks: Sequence[CheckResult],
    found: Explaining,
    carried: Mapping[Check, Carried],
    log: list[str],
    *,
    complete: bool,
) -> Result:
    """The result; `found` explains failed checks, and `carried` are those that count in part nevertheless. `complete`
    is false if an error of ours kept checks from being run. The caller adds the time."""
    assignment, checks = prepared.assignment, [_credited(check, carried) for check in said_once(_hinted(checks, found))]
    sound = complete and all(check.status is not Status.ERROR for check in checks)
    return Result(
        assignment=assignment.slug,
        title=assignment.title,
        submission=job.submission.name,
        state=State.GRADED if sound else State.ERROR,
        exercises=_by_exercise(assignment, job, checks, found),
        stopped=examiner.stopped,
        notice=_notice(examiner, assignment) if sound else "",
        log=tuple(log),
        missing_layers={name: why for name, why in examiner.layers.items() if why},
        environment=_environment(examiner.layers, job.device),
        fingerprint=fingerprint.of_job(prepared.digest, job),
        file=job.submission.name,
        cap=assignment.cap,
        manual=0.0 if job.exercises else assignment.manual_points,
    )


MOST_PROBLEMS = 3
SAME_MISTAKE = "This is the same mistake as above."
STOPPED_AGAIN = "Stopped again, as above."


def _hinted(checks: Sequence[CheckResult], found: Explaining) -> list[CheckResult]:
    """The checks, each with what explains it. A hint is given once: at the first check."""
    given: set[tuple[str, str]] = set()
    results = []
    for check in checks:
        known, causes = found.mistakes.get((check.exercise, check.name)), found.causes.get((check.exercise, check.name))
        if known is not None:
            mistake = known.exercise, known.name
            text = SAME_MISTAKE if mistake in given else known.hint
            if check.visibility is Visibility.VISIBLE:  # else the student may not see it above
                given.add(mistake)
            check = msgspec.structs.replace(check, hint=text, misconception=known.name)
        elif causes:
            text = f"{check.exercise} depends on your {' and '.join(causes)}, which also lost points: look there first."
            check = msgspec.structs.replace(check, hint=f"{check.hint} {text}".strip())
        results.append(check)
    return results


def said_once(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """The checks. That code hangs is explained once for each mistake in an exercise, and later only called to mind; the
    calls stay."""
    explained: set[tuple[str, str]] = set()
    results = []
    for check in checks:
        if check.status is Status.TIMEOUT and check.message.startswith(TOO_SLOW):
            mistake = check.exercise, check.misconception
            if mistake in explained:
                message = check.message.replace(TOO_SLOW, STOPPED_AGAIN, 1)
                check = msgspec.structs.replace(check, message=message)
            elif check.visibility is Visibility.VISIBLE:
                explained.add(mistake)
        results.append(check)
    return results


def _credited(check: CheckResult, carried: Mapping[Check, Carried]) -> CheckResult:
    """The check with the points that it is worth because what it shows is the mistake of another exercise."""
    credit = carried.get((check.exercise, check.name))
    if credit is None:
        return check
    causes = " and ".join(credit.causes)
    verb = "returns" if len(credit.causes) == 1 else "return"
    text = (
        f"Your {check.exercise} does the right thing with what your {causes} {verb}, so you keep {credit.share:.0%} of "
        "these points."
    )
    points, deduction = round(check.max_points * credit.share, 4), round(check.deduction * (1 - credit.share), 4)
    hint = f"{check.hint} {text}".strip()
    return msgspec.structs.replace(check, points=points, deduction=deduction, hint=hint)


def _by_exercise(
    assignment: Assignment, job: Job, checks: Sequence[CheckResult], found: Explaining
) -> tuple[ExerciseResult, ...]:
    exercises, lines = [], definition_lines(job.submission)
    for name, points in assignment.exercises.items():
        if not job.exercises or name in job.exercises:
            causes = [cause for (exercise, _), some in found.causes.items() if exercise == name for cause in some]
            its_checks = tuple(check for check in checks if check.exercise == name)
            depends_on, line = tuple(dict.fromkeys(causes)), lines.get(name, 0)
            exercises.append(ExerciseResult(name, points, its_checks, depends_on, line, name in assignment.bonus))
    return tuple(exercises)


def _notice(examiner: Examiner, assignment: Assignment) -> str:
    """What a student needs to know about the file as a whole."""
    if examiner.unloadable is not None:
        return " ".join([*examiner.remarks, examiner.unloadable.message])
    notices = list(examiner.remarks)
    if not examiner.names & assignment.exercises.keys():
        notices.append("The file defines none of the exercises. Was it saved before it was handed in?")
    if examiner.read_as_notebook:
        notices.append("The file contains code for IPython, so it was read as a notebook.")
    if examiner.stopped:
        notices.append(
            "These cells were stopped because they did not finish or because they ended the process; the rest was "
            f"graded without them: {', '.join(examiner.stopped)}."
        )
    if examiner.problems:
        shown, more = "; ".join(examiner.problems[:MOST_PROBLEMS]), examiner.problems[MOST_PROBLEMS:]
        shown += "; and more" if more else ""
        notices.append(f"These lines raised an error and were left out; the rest was run: {shown}.")
        if any(f"({kind}: " in problem for problem in examiner.problems for kind in NOT_THERE):
            notices.append(examiner.only_graded)
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
