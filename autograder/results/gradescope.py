"""Writes a result as Gradescope's `results.json`; the other commands keep the same file for each submission."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from autograder.output import atomic
from autograder.output.inert import inert, one_line
from autograder.results.feedback import check_text, reproduction_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Visibility
from autograder.results.overview import NAME_LIMIT, TEXT_LIMIT, Settlement, check_heading, clamp, finite, overview

_ENTRY_LIMIT = 100  # of a name on the leaderboard


def to_gradescope(
    result: Result, settlement: Settlement | None = None, *, leaderboard_seconds: bool = False
) -> dict[str, object]:
    """`result` in Gradescope's schema, without the instructor's log and environment: students read it."""
    unfinished = result.state is State.UNFINISHED
    score = result.points if settlement is None else settlement.score
    board = [] if result.state is not State.GRADED else leaderboard(result.checks, seconds=leaderboard_seconds)
    tests = [
        _test(check, f"{i}.{j}")
        for i, exercise in enumerate(result.exercises, 1)
        for j, check in enumerate(exercise.checks, 1)
    ]
    return {
        "score": 0.0 if unfinished else clamp(score, result.limit),
        "execution_time": round(finite(result.seconds), 3),
        "output": overview(result, settlement),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [] if unfinished else tests,
        **({"leaderboard": board} if board else {}),
        "extra_data": {
            "assignment": one_line(result.assignment, NAME_LIMIT),
            "file": one_line(result.file, NAME_LIMIT),
            "state": result.state.value,
            "fingerprint": one_line(result.fingerprint, NAME_LIMIT),
            "max_score": finite(result.max_points),
            **({"manual": finite(result.manual)} if result.manual else {}),
            "exercises": {
                one_line(exercise.name, NAME_LIMIT): _exercise(exercise, unfinished) for exercise in result.exercises
            },
        },
    }


def encode(result: Result, settlement: Settlement | None = None, *, leaderboard_seconds: bool = False) -> bytes:
    """The file's content. If an explanation cannot be shown, stderr says so and no check has one: a text is never
    worth a grade."""
    try:
        document = to_gradescope(result, settlement, leaderboard_seconds=leaderboard_seconds)
    except Exception as error:
        why = one_line(f"{type(error).__name__}: {error}", 300)
        text = "The result is written without explanations, because they cannot be shown"
        print(f"autograder: {one_line(result.submission, 100)}: {text}: {why}", file=sys.stderr)
        document = to_gradescope(_unexplained(result), settlement, leaderboard_seconds=leaderboard_seconds)
    return (json.dumps(document, allow_nan=False, indent=1) + "\n").encode("ascii")


def write(
    result: Result, path: Path, settlement: Settlement | None = None, *, leaderboard_seconds: bool = False
) -> None:
    """Writes `result` to `path` atomically: a reader sees either the old file or the new one.

    Whatever is at `path`, a link included, is replaced and never written through.

    Raises:
        UsageError: nothing can be written there.
    """
    atomic.replace(path, encode(result, settlement, leaderboard_seconds=leaderboard_seconds))


def _unexplained(result: Result) -> Result:
    replace = msgspec.structs.replace
    exercises = (
        replace(
            exercise,
            checks=tuple(
                replace(check, message="", hint="", counterexample=None, reproduction=None) for check in exercise.checks
            ),
        )
        for exercise in result.exercises
    )
    return replace(result, exercises=tuple(exercises), notice="")


def _test(check: CheckResult, number: str) -> dict[str, object]:
    exercise, name = one_line(check.exercise, NAME_LIMIT), one_line(check.name, NAME_LIMIT)
    return {
        "name": check_heading(check),
        "number": number,
        "score": clamp(check.points, check.max_points),
        "max_score": finite(check.max_points),
        "status": "passed" if check.status in (Status.PASSED, Status.EXCUSED) else "failed",
        "output": "\n\n".join(filter(None, [inert(check_text(check), TEXT_LIMIT), reproduction_text(check)])),
        "output_format": "text",
        "tags": [exercise],
        "visibility": check.visibility.value,
        "extra_data": {
            "exercise": exercise,
            "check": name,
            "status": check.status.value,
            "seconds": round(finite(check.seconds), 4),
            "misconception": one_line(check.misconception, NAME_LIMIT),
            **(msgspec.to_builtins(check.reproduction) if check.reproduction else {}),
        },
    }


def _exercise(exercise: ExerciseResult, unfinished: bool) -> dict[str, object]:
    score = 0.0 if unfinished else clamp(exercise.points, exercise.max_points)
    extra = {"bonus": True} if exercise.bonus else {}
    return {"score": score, "max_score": finite(exercise.max_points), **extra}


def leaderboard(checks: Iterable[CheckResult], *, seconds: bool = False) -> list[dict[str, object]]:
    """For every timed check its time as a multiple of the reference's and, if asked for, the seconds.

    Only checks that earned points and could be measured count, because wrong code is fast; and only those that
    students may already see.
    """
    entries: list[dict[str, object]] = []
    for check in checks:
        timing = check.timing
        if timing is None or check.visibility is not Visibility.VISIBLE:
            continue
        if check.status is Status.EXCUSED or not check.points > 0:
            continue
        name = one_line(f"{check.exercise} ({check.name})", _ENTRY_LIMIT)
        entries += _entry(f"{name}: time, as a multiple of the reference", timing.ratio)
        if seconds:
            entries += _entry(f"{name}: seconds", timing.seconds)
    return entries


def _entry(name: str, value: float | None) -> list[dict[str, object]]:
    if value is None or not math.isfinite(value) or value < 0:
        return []
    return [{"name": name, "value": float(f"{value:.4g}"), "order": "asc"}]
