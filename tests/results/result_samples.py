"""Results made by hand, as grading would produce them."""

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

MATRIX = " 1.5000  -2.0000   0.2500\n-0.7500   3.0000  -1.0000\n 2.0000   0.5000  -0.1250"

POOLING_EXAMPLE = Counterexample(
    call="naive_pooling(feature_map, kernel_size, strides, padding)",
    inputs=(
        Shown("feature_map", "float32 tensor of shape (2, 2)", "-1.  -2.\n-3.  -4."),
        Shown("kernel_size", "int", "2"),
        Shown("strides", "int", "1"),
        Shown("padding", "int", "1"),
    ),
    expected=Shown("", "float32 tensor of shape (3, 3)", "-1.  -1.  -2.\n-1.  -1.  -2.\n-3.  -3.  -4."),
    got=Shown("", "float32 tensor of shape (3, 3)", " 0.   0.   0.\n 0.  -1.   0.\n 0.   0.   0."),
)

FAILED = CheckResult(
    exercise="naive_pooling",
    name="test_max_pooling",
    title="Max pooling equals the reference, for inputs of every sign.",
    status=Status.FAILED,
    max_points=6.0,
    points=1.5,
    message="8 of 9 entries differ, by up to 4.",
    hint="your windows are padded with 0; max pooling pads with −inf, because 0 beats every negative input.",
    counterexample=POOLING_EXAMPLE,
    misconception="pads_with_zero",
    seconds=0.21,
)
PASSED = CheckResult("naive_pooling", "test_shape", "The output has the right shape.", Status.PASSED, 4.0, 4.0)
TIMED_OUT = CheckResult(
    "naive_pooling",
    "test_strides",
    "Strides larger than the window work.",
    Status.TIMEOUT,
    3.0,
    message="No answer within 5 seconds, so your code was stopped. It was last in naive_pooling, line 41.",
)
BROKEN = CheckResult(
    "naive_pooling",
    "test_gradients",
    "Gradients flow back to the input.",
    Status.ERROR,
    5.0,
    message="KeyError in graders/pooling/test_naive_pooling.py with secret input 4711",
)
RAISED = CheckResult(
    "DepthPool",
    "test_groups",
    "Consecutive groups of channels are pooled.",
    Status.FAILED,
    12.0,
    message="A ValueError was expected, but a tensor was returned.",
    counterexample=Counterexample(
        call="DepthPool(pool_size=3)(x)",
        inputs=(Shown("x", "float64 tensor of shape (1, 2, 3, 3)", "[0, 0]\n" + MATRIX + "\n[0, 1]\n" + MATRIX),),
        expected=Shown("", "ValueError", ""),
        got=Shown("", "float64 tensor of shape (1, 0, 1, 1)", ""),
    ),
)
SKIPPED = CheckResult("DepthPool", "test_speed", "The forward pass is fast enough.", Status.SKIPPED, 3.0)

NAMES = ("naive_padding", "naive_pooling", "pool2d", "max_pool_2d", "avg_pool_2d", "GlobalAveragePooling")
NAMES += ("DepthPool", "MixedPooling", "LPPooling", "StochasticPooling")


def result(*exercises: ExerciseResult, **changes: object) -> Result:
    values: dict[str, object] = {
        "assignment": "pooling",
        "title": "Pooling from scratch",
        "submission": "ada.ipynb",
        "state": State.GRADED,
        "exercises": exercises,
        "fingerprint": "sha256:0123",
        "seconds": 3.21987,
    }
    return Result(**(values | changes))  # type: ignore[arg-type]


def typical(**changes: object) -> Result:
    """Some right, some wrong, one hanging, one broken grader."""
    padding = CheckResult("naive_padding", "test_border", "The border has the value.", Status.PASSED, 8.0, 8.0)
    return result(
        ExerciseResult("naive_padding", 8.0, (padding,)),
        ExerciseResult("naive_pooling", 18.0, (PASSED, FAILED, TIMED_OUT, BROKEN)),
        ExerciseResult("DepthPool", 15.0, (RAISED, SKIPPED)),
        **changes,
    )


def with_extras(cap: float | None = None, **changes: object) -> Result:
    """6 of 10 points, 3 of 3 bonus points, and 2.5 points off."""
    half = CheckResult("double", "values", "Twice the input.", Status.FAILED, 8.0, 4.0)
    in_place = CheckResult("double", "argument", "x stays.", Status.FAILED, 0.0, 0.0, "x is changed.", deduction=2.5)
    whole = CheckResult("triple", "values", "Three times the input.", Status.PASSED, 2.0, 2.0)
    extra = CheckResult("power", "values", "The square.", Status.PASSED, 3.0, 3.0)
    return result(
        ExerciseResult("double", 8.0, (half, in_place)),
        ExerciseResult("triple", 2.0, (whole,)),
        ExerciseResult("power", 3.0, (extra,), bonus=True),
        cap=cap,
        **changes,
    )


def unfinished() -> Result:
    return result(ExerciseResult("naive_padding", 8.0), ExerciseResult("pool2d", 10.0), state=State.UNFINISHED)


def hidden() -> Result:
    secret = CheckResult(
        "pool2d", "test_hidden", "Works.", Status.FAILED, 4.0, 1.0, visibility=Visibility.AFTER_DUE_DATE
    )
    return result(ExerciseResult("pool2d", 4.0, (secret,)))


def of_class(name: str, share: float, status: Status = Status.PASSED, **changes: object) -> Result:
    """A submission with ten exercises of ten points, each with `share` of its points."""
    exercises = []
    for i, exercise in enumerate(NAMES):
        points = round(10 * share * (i % 4 + 1) / 4, 2)
        check = CheckResult(exercise, "test", "Works.", status, 10.0, points)
        exercises.append(ExerciseResult(exercise, 10.0, (check,)))
    return result(*exercises, submission=name, **changes)
