"""What a reader sees above all checks, whatever the form: the total, why there is none, and the policies' remarks."""

from __future__ import annotations

import math

import msgspec

from autograder.output.inert import inert, one_line
from autograder.results.feedback import GRADER_FAILED, NOT_YOUR_FAULT, account, exercise_name, points_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Visibility

TEXT_LIMIT = 10_000  # characters of one text; Gradescope cuts at ten times this
NAME_LIMIT = 200

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


def overview(result: Result, settlement: Settlement | None = None) -> str:
    """The text above all checks."""
    title = one_line(result.title or result.assignment, NAME_LIMIT)
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
        score = result.points if settlement is None else clamp(settlement.score, result.limit)
        total = f"{points_text(score)} of {points_text(result.max_points)} points"
        parts = [
            f"{title}: {total}",
            notice,
            remarks,
            "\n".join(account(result)),
            sums,
            _points_table(result.exercises),
            f"{passed} of {len(checks)} checks passed." if checks else "",
            failures,
        ]
    return inert("\n\n".join(filter(None, parts)), TEXT_LIMIT)


def _points_table(exercises: tuple[ExerciseResult, ...]) -> str:
    rows = [
        (exercise_name(exercise), points_text(exercise.points), points_text(exercise.max_points))
        for exercise in exercises
    ]
    if not rows:
        return ""
    name, points, most = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"  {a:<{name}}   {b:>{points}} / {c:>{most}}" for a, b, c in rows)


def check_heading(check: CheckResult) -> str:
    """The exercise and what is checked, as one phrase."""
    exercise, name = one_line(check.exercise, NAME_LIMIT), one_line(check.name, NAME_LIMIT)
    return f"{exercise}: {_as_clause(one_line(check.title, NAME_LIMIT) or name)}"


def _as_clause(title: str) -> str:
    """The title as it continues after a colon: "Max pooling …" becomes "max pooling …", "ReLU …" stays."""
    title = title.removesuffix(".")
    first = title.split(" ", 1)[0]
    is_word = first == "A" or (first.isalpha() and first[1:].islower())
    return title[0].lower() + title[1:] if is_word else title


def clamp(points: float, most: float) -> float:
    return min(finite(points), finite(most))


def finite(number: float) -> float:
    return max(float(number), 0.0) if math.isfinite(number) else 0.0
