"""Writes a result for GitHub: a job summary in Markdown, annotations as workflow commands, and the body of a check run.

Whatever a student may have written is in code blocks and code spans, where Markdown, HTML and mentions mean nothing.
"""

from __future__ import annotations

import json
import re

from autograder.output.inert import inert, one_line
from autograder.results.feedback import SYMBOLS, WORDS, account, check_text, exercise_name, points_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.results.overview import NAME_LIMIT, TEXT_LIMIT, check_heading, clamp, finite, overview
from autograder.results.withheld import without_hidden

_MOST_BYTES = 60_000  # of a summary: a check run takes 65,535 characters, a job's summary 1 MiB
_MOST_ANNOTATIONS = 50  # in one request
_PASSED = (Status.PASSED, Status.EXCUSED)


def encode(result: Result) -> bytes:
    """The summary in Markdown."""
    return _summary(without_hidden(result)).encode()


def encode_check(result: Result) -> bytes:
    """The field `output` of a check run, as its API takes it."""
    result = without_hidden(result)
    document = {
        "title": _total(result),
        "summary": _summary(result),
        "annotations": [
            {
                "path": path,
                "start_line": line,
                "end_line": line,
                "annotation_level": "failure",
                "title": check_heading(check),
                "message": check_text(check),
            }
            for path, line, check in _places(result)[:_MOST_ANNOTATIONS]
        ],
    }
    return (json.dumps(document, allow_nan=False, indent=1) + "\n").encode("ascii")


def workflow_commands(result: Result) -> list[str]:
    """An annotation for each check that did not pass, at the line where the exercise begins in the student's file.
    GitHub shows the first ten of a step."""
    lines = []
    for path, line, check in _places(without_hidden(result)):
        place = f"file={_property(path)},line={line},title={_property(check_heading(check))}"
        lines.append(f"::error {place}::{_data(check_text(check))}")
    return lines


def _places(result: Result) -> list[tuple[str, int, CheckResult]]:
    """Checks that did not pass, with file and line: the first line where it cannot be told, as in a notebook."""
    path = one_line(result.file, NAME_LIMIT)
    if result.state is not State.GRADED or not path:
        return []
    return [
        (path, max(exercise.line, 1), check)
        for exercise in result.exercises
        for check in exercise.checks
        if check.status not in _PASSED
    ]


def _total(result: Result) -> str:
    if result.state is not State.GRADED:
        return "Not graded"
    return f"{points_text(clamp(result.points, result.limit))} of {points_text(finite(result.max_points))} points"


def _summary(result: Result) -> str:
    """As many texts as there is room for."""
    parts = [f"## {_code(result.title or result.assignment)}", _fenced(overview(result))]
    notice = inert(result.notice, TEXT_LIMIT // 4).strip()
    if result.state is State.GRADED and result.checks:
        parts = [parts[0], f"**{_total(result)}**", *([_fenced(notice)] if notice else [])]
        parts += [_fenced("\n".join(lines))] if (lines := account(result)) else []
        parts += [_table(result.exercises)]
    shown = [check for check in result.checks if check.status is not Status.PASSED] if len(parts) > 2 else []
    room = _MOST_BYTES - sum(len(part.encode()) for part in parts)
    for number, check in enumerate(shown):
        points = f"{points_text(clamp(check.points, check.max_points))} of {points_text(check.max_points)} points"
        heading = f"### {SYMBOLS[check.status]} {_code(check_heading(check))}"
        part = f"{heading}\n\n{WORDS[check.status]}, {points}\n\n{_fenced(check_text(check))}"
        room -= len(part.encode()) + 2
        if room < 100:
            parts.append(f"{len(shown) - number} more checks did not pass; there is no room for them here.")
            break
        parts.append(part)
    return "\n\n".join(parts) + "\n"


def _table(exercises: tuple[ExerciseResult, ...]) -> str:
    rows = [
        f"| {_code(exercise_name(exercise))} | {points_text(clamp(exercise.points, exercise.max_points))} of "
        f"{points_text(finite(exercise.max_points))} | {sum(check.status in _PASSED for check in exercise.checks)} of "
        f"{len(exercise.checks)} |"
        for exercise in exercises
    ]
    return "\n".join(["| exercise | points | checks passed |", "|---|--:|--:|", *rows])


def _code(text: str) -> str:
    """A code span on one line, which also fits into a table."""
    return f"`{one_line(text, NAME_LIMIT).replace('`', chr(39)).replace('|', '¦') or ' '}`"


def _fenced(text: str) -> str:
    """A code block that nothing in `text` can end."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}text\n{text.strip()}\n{fence}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
