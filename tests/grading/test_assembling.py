"""What the checks of one exercise have in common is told once."""

from __future__ import annotations

from autograder.grading.assembling import STOPPED_AGAIN, said_once
from autograder.grading.examiner import TOO_SLOW
from autograder.results.model import CheckResult, Status, Visibility


def hanging(name: str, exercise: str = "total", misconception: str = "", visible: bool = True) -> CheckResult:
    message = f"{TOO_SLOW}\n  The call was: total({name})"
    seen = Visibility.VISIBLE if visible else Visibility.HIDDEN
    kind = Status.TIMEOUT
    return CheckResult(exercise, name, "", kind, 1.0, message=message, misconception=misconception, visibility=seen)


def test_a_hanging_function_is_explained_once_for_each_mistake_that_a_student_sees():
    wrong = CheckResult("total", "values", "", Status.FAILED, 1.0, message="That is not the sum.")
    checks = [
        hanging("a", visible=False),
        hanging("b"),
        wrong,
        hanging("c"),
        hanging("d", misconception="loops"),
        hanging("e", exercise="double"),
        hanging("f"),
    ]
    told = said_once(checks)
    assert [check.name for check in told if check.message.startswith(STOPPED_AGAIN)] == ["c", "f"]
    assert told[3].message == f"{STOPPED_AGAIN}\n  The call was: total(c)"
    assert [check for check in told if check in checks] == [checks[index] for index in (0, 1, 2, 4, 5)]
