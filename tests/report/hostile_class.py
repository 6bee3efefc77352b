"""Results made by hand of a class in which one student tries their luck with names and messages."""

from __future__ import annotations

from autograder.results.model import (
    CheckResult,
    Counterexample,
    ExerciseResult,
    Result,
    Shown,
    State,
    Status,
    Visibility,
)

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{7*7}}"
EXAMPLE = Counterexample(
    "pool(x, size=2)",
    (Shown("x", "2×2 float32", "-0.5   1\n   2  nan"), Shown("size", "int", "2")),
    Shown("expected", "2×2 float32", "1  -2\n3   4"),
    Shown("got", "2×2 float32", " 1   0*\n 3  40*"),
)
SECRET = "only-for-the-instructor"


def _check(exercise: str, name: str, status: Status, **changes: object) -> CheckResult:
    points = 5.0 if status is Status.PASSED else 0.0
    return CheckResult(exercise, name, f"Sentence of {name}.", status, 5.0, points, **changes)


def result_of(number: int, label: str) -> Result:
    """The better the student, the more passes."""
    pool = Status.PASSED if number % 2 else Status.FAILED
    failed = {"message": HOSTILE, "hint": "Look at the border.", "misconception": "pads", "counterexample": EXAMPLE}
    checks = (
        _check("pool", "plain", Status.PASSED, seconds=0.1),
        _check("pool", "padded", pool, **({} if number % 2 else failed)),
    )
    norm = (
        _check("norm", "mean", Status.PASSED if number % 4 == 1 else Status.TIMEOUT),
        _check("norm", "secret", Status.FAILED, message=SECRET, visibility=Visibility.HIDDEN),
    )
    exercises = (ExerciseResult("pool", 10, checks), ExerciseResult("norm", 10, norm))
    return Result("tiny", "Tiny & small", label, State.GRADED, exercises, log=(SECRET,), seconds=0.1 * number)
