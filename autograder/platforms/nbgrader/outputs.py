"""The outputs of cells, as nbgrader expects them. They may contain a student's text, which is made inert."""

from __future__ import annotations

import base64
from typing import Any

import nbformat

from autograder.notebooks.requests import ShownCell
from autograder.output.inert import inert, one_line
from autograder.results.feedback import (
    SYMBOLS,
    WORDS,
    check_text,
    count_text,
    exercise_name,
    points_text,
    reproduction_text,
)
from autograder.results.model import ExerciseResult, Status, Visibility

WIDTH = 100
_make: Any = nbformat.v4.new_output


def of_test_cell(exercise: ExerciseResult, points: float, notice: str, worth: float) -> list[Any]:
    """The feedback, and below it the score, in the one form that nbgrader cannot mistake for something else. `points`
    is what counts of the exercise's points."""
    # If the points were changed after the release, the score is scaled to what the gradebook says the cell is worth.
    score = points if worth == exercise.max_points else points / exercise.max_points * worth
    score = min(max(float(score), 0.0), float(worth))
    text = _make("stream", name="stdout", text=feedback(exercise, points, notice) + "\n")
    return [text, _make("execute_result", data={"text/plain": repr(score)}, execution_count=None)]


def feedback(exercise: ExerciseResult, counted: float, notice: str) -> str:
    """What a student reads about one exercise; `counted` is what counts of its points."""
    points = f"{points_text(exercise.points)} / {points_text(exercise.max_points)} points"
    passed = sum(check.status is Status.PASSED for check in exercise.checks)
    parts = [f"{exercise_name(exercise)}: {points}"]
    if exercise.checks:
        parts[0] += f", {passed} of {len(exercise.checks)} checks passed"
    if counted < exercise.points:
        parts.append(f"{count_text(exercise.points - counted)} of these are taken off by penalties or the cap.")
    if notice and exercise.points < exercise.max_points:
        parts.append(inert(notice, 2_500))
    for check in exercise.checks:
        if check.status is Status.PASSED or check.visibility is Visibility.HIDDEN:
            continue
        earned = f"{points_text(check.points)} / {points_text(check.max_points)} points"
        head = f"{SYMBOLS[check.status]} {one_line(check.name, 60)}   {WORDS[check.status]}, {earned}"
        body = "\n".join(f"  {line}".rstrip() for line in check_text(check, WIDTH).split("\n"))
        parts += filter(None, [f"{head}\n{body}", reproduction_text(check)])
    return "\n\n".join(parts)


def of_cell(shown: ShownCell, number: int) -> list[Any]:
    """What a student's cell printed, showed and raised."""
    made: list[Any] = []
    for part in shown.parts:
        if part.kind in ("stdout", "stderr"):
            made.append(_make("stream", name=part.kind, text=inert(part.text, 20_000)))
        elif part.kind == "png":
            data = {"image/png": base64.b64encode(part.png).decode(), "text/plain": "<Figure>"}
            made.append(_make("display_data", data=data))
        elif part.kind == "result":
            data = {"text/plain": inert(part.text, 20_000)}
            made.append(_make("execute_result", data=data, execution_count=number))
        elif part.kind == "display":
            made.append(_make("display_data", data={"text/plain": inert(part.text, 20_000)}))
    if shown.error:
        lines = inert(shown.error, 10_000).split("\n")
        name, _, message = lines[-1].partition(": ")
        made.append(_make("error", ename=name, evalue=message, traceback=lines))
    return made
