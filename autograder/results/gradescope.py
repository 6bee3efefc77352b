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
from autograder.results.feedback import GRADER_FAILED, NOT_YOUR_FAULT, check_text, points_text, reproduction_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Visibility

TEXT_LIMIT = 10_000  # Gradescope cuts at ten times this
_NAME_LIMIT = 200
_ENTRY_LIMIT = 100  # of a name on the leaderboard

UNFINISHED = (
    "Your submission has arrived, but grading is not finished, so there is no score yet. "
    "If you still see this in an hour, submit again or tell your instructor; what you handed in is safe."
)
_LATER = "Some of the grading is not shown here yet, so this text does not give a total."


class Settlement(msgspec.Struct, frozen=True):
    """What a course's policies make of a result: the `score` that counts, and what the student is told about it.

    `sums` state points and are left out while some of the grading is not shown. With `graded` false the policies kept
    the submission from being graded, and `remarks` say why.
    """

    score: float
    remarks: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    graded: bool = True


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
        "score": 0.0 if unfinished else _clamp(score, result.max_points),
        "execution_time": round(_finite(result.seconds), 3),
        "output": _overview(result, settlement),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [] if unfinished else tests,
        **({"leaderboard": board} if board else {}),
        "extra_data": {
            "assignment": one_line(result.assignment, _NAME_LIMIT),
            "file": one_line(result.file, _NAME_LIMIT),
            "state": result.state.value,
            "fingerprint": one_line(result.fingerprint, _NAME_LIMIT),
            "max_score": _finite(result.max_points),
            "exercises": {
                one_line(exercise.name, _NAME_LIMIT): _exercise(exercise, unfinished) for exercise in result.exercises
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


def _overview(result: Result, settlement: Settlement | None = None) -> str:
    """The text above all checks."""
    title = one_line(result.title or result.assignment, _NAME_LIMIT)
    notice = inert(result.notice, TEXT_LIMIT // 4).strip()
    if result.state is State.UNFINISHED:
        return inert("\n\n".join(filter(None, [f"{title}: not finished", UNFINISHED, notice])), TEXT_LIMIT)
    if result.state is State.ERROR:
        return inert("\n\n".join(filter(None, [f"{title}: not graded", GRADER_FAILED, notice])), TEXT_LIMIT)
    remarks = "\n".join(one_line(remark, 500) for remark in settlement.remarks) if settlement else ""
    sums = "\n".join(one_line(line, 500) for line in settlement.sums) if settlement else ""
    if settlement is not None and not settlement.graded:
        return inert("\n\n".join(filter(None, [f"{title}: not graded", remarks, notice])), TEXT_LIMIT)
    checks = result.checks
    broken = sum(check.status is Status.ERROR for check in checks)
    count = f"{broken} check{'s' if broken > 1 else ''}"
    failures = f"{count} could not be graded: the grader itself failed. {NOT_YOUR_FAULT}" if broken else ""
    if any(check.visibility is not Visibility.VISIBLE for check in checks):
        parts = [title, notice, remarks, _LATER, failures]
    else:
        passed = sum(check.status is Status.PASSED for check in checks)
        score = result.points if settlement is None else _clamp(settlement.score, result.max_points)
        total = f"{points_text(score)} of {points_text(result.max_points)} points"
        parts = [
            f"{title}: {total}",
            notice,
            remarks,
            sums,
            _points_table(result.exercises),
            f"{passed} of {len(checks)} checks passed." if checks else "",
            failures,
        ]
    return inert("\n\n".join(filter(None, parts)), TEXT_LIMIT)


def _points_table(exercises: tuple[ExerciseResult, ...]) -> str:
    rows = [
        (one_line(exercise.name, 60), points_text(exercise.points), points_text(exercise.max_points))
        for exercise in exercises
    ]
    if not rows:
        return ""
    name, points, most = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"  {a:<{name}}   {b:>{points}} / {c:>{most}}" for a, b, c in rows)


def _test(check: CheckResult, number: str) -> dict[str, object]:
    exercise, name = one_line(check.exercise, _NAME_LIMIT), one_line(check.name, _NAME_LIMIT)
    return {
        "name": f"{exercise}: {_as_clause(one_line(check.title, _NAME_LIMIT) or name)}",
        "number": number,
        "score": _clamp(check.points, check.max_points),
        "max_score": _finite(check.max_points),
        "status": "passed" if check.status in (Status.PASSED, Status.EXCUSED) else "failed",
        "output": "\n\n".join(filter(None, [inert(check_text(check), TEXT_LIMIT), reproduction_text(check)])),
        "output_format": "text",
        "tags": [exercise],
        "visibility": check.visibility.value,
        "extra_data": {
            "exercise": exercise,
            "check": name,
            "status": check.status.value,
            "seconds": round(_finite(check.seconds), 4),
            "misconception": one_line(check.misconception, _NAME_LIMIT),
            **(msgspec.to_builtins(check.reproduction) if check.reproduction else {}),
        },
    }


def _exercise(exercise: ExerciseResult, unfinished: bool) -> dict[str, float]:
    score = 0.0 if unfinished else _clamp(exercise.points, exercise.max_points)
    return {"score": score, "max_score": _finite(exercise.max_points)}


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


def _as_clause(title: str) -> str:
    """The title as it continues after a colon: "Max pooling …" becomes "max pooling …", "ReLU …" stays."""
    title = title.removesuffix(".")
    first = title.split(" ", 1)[0]
    is_word = first == "A" or (first.isalpha() and first[1:].islower())
    return title[0].lower() + title[1:] if is_word else title


def _clamp(points: float, most: float) -> float:
    return min(_finite(points), _finite(most))


def _finite(number: float) -> float:
    return max(float(number), 0.0) if math.isfinite(number) else 0.0
