"""Writes a result as the `results.json` of a PrairieLearn external grader.

The platform shows texts as they are, with ANSI colours, which ours never contain. What is not gradable (our own failure
included) costs the student neither points nor an attempt.
"""

from __future__ import annotations

import json

from autograder.output.inert import inert, one_line
from autograder.results.feedback import WORDS, check_text, points_text
from autograder.results.model import CheckResult, Result, State
from autograder.results.overview import TEXT_LIMIT, check_heading, clamp, finite, overview
from autograder.results.withheld import without_hidden

MAX_BYTES = 1_000_000  # a larger file is refused
_LIMITS = (TEXT_LIMIT, 2_000, 400, 0)  # characters of each text; the first with which the file is small enough


def encode(result: Result) -> bytes:
    result = without_hidden(result)
    texts = [check_text(check) for check in result.checks]
    for limit in _LIMITS:
        document = _document(result, [inert(text, limit) for text in texts])
        data = json.dumps(document, allow_nan=False, indent=1).encode("ascii") + b"\n"
        if len(data) <= MAX_BYTES:
            break
    return data


def _document(result: Result, texts: list[str]) -> dict[str, object]:
    gradable = result.state is State.GRADED and bool(result.checks)
    text = overview(result)
    if not gradable:
        why = one_line(result.notice, 2_500) if result.state is State.GRADED else text
        return {"gradable": False, "score": 0.0, "message": text, "format_errors": [why or text]}
    most = finite(result.max_points)
    return {
        "gradable": True,
        "score": round(clamp(result.points, most) / most, 6) if most else 0.0,
        "message": text,
        "tests": [_test(check, text) for check, text in zip(result.checks, texts, strict=True)],
    }


def _test(check: CheckResult, text: str) -> dict[str, object]:
    points, most = clamp(check.points, check.max_points), finite(check.max_points)
    message = f"{WORDS[check.status]}, {points_text(points)} of {points_text(most)} points"
    return {
        "name": check_heading(check),
        "points": points,
        "max_points": most,
        "message": message[0].upper() + message[1:],
        "output": text,
    }
