"""What students may see already, for platforms that cannot hide single checks: all but Gradescope."""

from __future__ import annotations

import msgspec

from autograder.results.model import CheckResult, ExerciseResult, Result, Status, Visibility

NOT_SHOWN = "not shown yet"


def without_hidden(result: Result) -> Result:
    """`result` with one entry in the place of all checks that students must not see yet, and one for those that are
    a bonus. They have their points and say no more than the total does."""
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
    bonuses = {exercise.name for exercise in result.exercises if exercise.bonus}
    for bonus in (False, True):
        if its_checks := [check for check in hidden if (check.exercise in bonuses) is bonus]:
            exercises.append(_entry(its_checks, bonus))
    return msgspec.structs.replace(result, exercises=tuple(exercises))


def _entry(hidden: list[CheckResult], bonus: bool) -> ExerciseResult:
    name = f"bonus {NOT_SHOWN}" if bonus else NOT_SHOWN
    most = round(sum(check.max_points for check in hidden), 6)
    points = min(round(sum(check.points for check in hidden), 6), most)
    deduction = round(sum(check.deduction for check in hidden), 6)
    status = Status.PASSED if points == most and not deduction else Status.FAILED
    if any(check.status is Status.ERROR for check in hidden):
        status = Status.ERROR
    text, title = "The results of these checks are not shown yet.", "Checks that are not shown yet."
    entry = CheckResult(name, "checks", title, status, most, points, message=text, deduction=deduction)
    return ExerciseResult(name, most, (entry,), bonus=bonus)


def _is_shown(check: CheckResult) -> bool:
    return check.visibility is Visibility.VISIBLE
