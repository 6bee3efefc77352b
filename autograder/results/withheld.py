"""What students may see already, for platforms that cannot hide single checks: all but Gradescope."""

from __future__ import annotations

import msgspec

from autograder.results.model import CheckResult, ExerciseResult, Result, Status, Visibility

NOT_SHOWN = "not shown yet"


def without_hidden(result: Result) -> Result:
    """`result` with one entry in the place of all checks that students must not see yet. It has their points and says
    no more than the total does."""
    hidden = [check for check in result.checks if not _is_shown(check)]
    if not hidden:
        return result
    exercises = []
    for exercise in result.exercises:
        shown = tuple(filter(_is_shown, exercise.checks))
        worth = sum(check.max_points for check in exercise.checks) - sum(check.max_points for check in shown)
        if shown or exercise.max_points > worth:
            left = round(exercise.max_points - worth, 6)
            exercises.append(msgspec.structs.replace(exercise, max_points=left, checks=shown))
    most = round(sum(check.max_points for check in hidden), 6)
    points = min(round(sum(check.points for check in hidden), 6), most)
    status = Status.PASSED if points == most else Status.FAILED
    if any(check.status is Status.ERROR for check in hidden):
        status = Status.ERROR
    text = "The results of these checks are not shown yet."
    entry = CheckResult(NOT_SHOWN, "checks", "Checks that are not shown yet.", status, most, points, message=text)
    return msgspec.structs.replace(result, exercises=(*exercises, ExerciseResult(NOT_SHOWN, most, (entry,))))


def _is_shown(check: CheckResult) -> bool:
    return check.visibility is Visibility.VISIBLE
