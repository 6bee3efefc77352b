"""Writes a result as Autolab reads it from standard output: feedback, and as its last line the scores.

If we failed there is no such line: Autolab then says that grading failed and keeps the scores that it has.
"""

from __future__ import annotations

import json
import re

from autograder.output.inert import one_line
from autograder.results.feedback import WORDS, check_text, points_text
from autograder.results.model import Result, State, Status
from autograder.results.overview import NAME_LIMIT, clamp, overview
from autograder.results.withheld import without_hidden

# So that no line of the feedback could be read as scores, even if the platform cuts the output there.
_BRACE = re.compile(r"^ *[{\[]", re.MULTILINE)


def encode(result: Result) -> bytes:
    result = without_hidden(result)
    parts = [overview(result)]
    if result.state is not State.GRADED:
        return f"{parts[0]}\n".encode()
    for check in result.checks:
        if check.status is not Status.PASSED:
            points = f"{points_text(clamp(check.points, check.max_points))} of {points_text(check.max_points)} points"
            heading = f"{one_line(check.exercise, NAME_LIMIT)}: {WORDS[check.status]}, {points}"
            parts.append(f"{heading}\n{check_text(check)}")
    return (_BRACE.sub(r"· \g<0>", "\n\n".join(parts)) + f"\n\n{_scores(result)}\n").encode()


def _scores(result: Result) -> str:
    """One problem for each exercise; the scoreboard has a column for each, and one for the total.

    Autolab puts quotation marks around any word before a colon, so no name may contain one.
    """
    counted = zip(result.counted, result.exercises, strict=True)
    points = [round(clamp(points, exercise.max_points), 4) for points, exercise in counted]
    names = [json.dumps(one_line(exercise.name, NAME_LIMIT)).replace(":", r"\u003a") for exercise in result.exercises]
    scores = ", ".join(f"{name}: {json.dumps(number)}" for name, number in zip(names, points, strict=True))
    board = json.dumps([*points, round(clamp(result.points, result.limit), 4)])
    return f'{{"scores": {{{scores}}}, "scoreboard": {board}}}'
