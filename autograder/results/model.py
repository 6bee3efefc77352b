"""The result model: assignment → exercise → check. All writers of results read it; it does not know how it was made."""

from __future__ import annotations

import enum
import math

import msgspec


class Status(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # our fault: reported to the instructor, never scored as the student's failure
    TIMEOUT = "timeout"
    SKIPPED = "skipped"  # not reached: the time for the whole submission was used up
    EXCUSED = "excused"  # could not be measured: counts as passed, and the message says so


class Visibility(enum.Enum):
    """Who sees a check, in Gradescope's words."""

    VISIBLE = "visible"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    HIDDEN = "hidden"


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value as people read it: `name` is what it is called, `kind` its type and shape, `text` its value."""

    name: str
    kind: str
    text: str


class Counterexample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The smallest input found on which submission and reference differ."""

    call: str
    inputs: tuple[Shown, ...]
    expected: Shown
    got: Shown


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a forward pass takes, as a multiple of the reference's on the same machine at the same time.

    `ratio` is the median of `quadruples` comparisons and `bound` its lower bound with 99.9% confidence; full points up
    to `k_full`, no points from `k_zero`. `seconds` and `reference_seconds` are for one call, peak bytes for a GPU.
    """

    ratio: float
    bound: float
    k_full: float
    k_zero: float
    device: str
    quadruples: int
    seconds: float
    reference_seconds: float
    peak_bytes: int = 0
    reference_peak_bytes: int = 0


class Reproduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to see a failure outside of grading: a `program` to run beside the student's file, or `why_not`."""

    program: str = ""
    why_not: str = ""


class Margin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How close a check was: of `compared` answers so many were `wrong`, and `exceptions` had to be exceptions.
    `largest` is the largest error of a number as a multiple of what the tolerance allows, None if none has one."""

    compared: int
    wrong: int
    exceptions: int
    largest: float | None
    relative: float
    absolute: float


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check: `title` is the sentence that the student reads, `message` what was found, `hint` what to do.
    `examples` is the number of questions that the submission was asked, and `answered` is false for a check that failed
    because it did not answer them with values: it raised, was stopped, or could not be loaded. `deduction` is what this
    failure takes off the total."""

    exercise: str
    name: str
    title: str
    status: Status
    max_points: float
    points: float = 0.0
    message: str = ""
    hint: str = ""
    counterexample: Counterexample | None = None
    misconception: str = ""
    visibility: Visibility = Visibility.VISIBLE
    seconds: float = 0.0
    examples: int = 0
    answered: bool = True
    timing: Timing | None = None
    reproduction: Reproduction | None = None
    margin: Margin | None = None
    deduction: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.max_points) and 0 <= self.points <= self.max_points):
            raise ValueError(f"{self.exercise}/{self.name}: {self.points} of {self.max_points} points is not a score")
        if not 0 <= self.deduction < math.inf:
            raise ValueError(f"{self.exercise}/{self.name}: {self.deduction} points cannot be taken off")

    @property
    def lost(self) -> float:
        return self.max_points - self.points + self.deduction


class ExerciseResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`depends_on` names exercises that also lost points and that the student's code for this one builds on. `line` is
    where it begins in the student's file, or 0 if that cannot be told. The points of a `bonus` do not count in the
    maximum.
    """

    name: str
    max_points: float
    checks: tuple[CheckResult, ...] = ()
    depends_on: tuple[str, ...] = ()
    line: int = 0
    bonus: bool = False

    @property
    def points(self) -> float:
        # Sums of thirds and tenths must not be shown as 7.999999.
        return min(round(sum(check.points for check in self.checks), 6), self.max_points)

    @property
    def deduction(self) -> float:
        return round(sum(check.deduction for check in self.checks), 6)

    @property
    def lost(self) -> float:
        return self.max_points - self.points + self.deduction


class State(enum.Enum):
    UNFINISHED = "unfinished"
    GRADED = "graded"
    ERROR = "error"


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of one submission.

    `notice` is for the student (why there is no score, what was wrong with the file as a whole). `log` and
    `missing_layers` (of confinement on this machine, with the reasons) are for the instructor and are never shown to
    the student. `fingerprint` is the hash of everything that determined the score. `stopped` are cells of a notebook
    that did not finish and were left out, with the reason. `file` is the one that was graded. `cap` is the largest
    total, if that is less than the maximum and the bonus. `manual` points are given by a person, and are in no total.
    """

    assignment: str
    title: str
    submission: str
    state: State
    exercises: tuple[ExerciseResult, ...]
    notice: str = ""
    log: tuple[str, ...] = ()
    missing_layers: dict[str, str] = msgspec.field(default_factory=dict)
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    fingerprint: str = ""
    seconds: float = 0.0
    stopped: dict[str, str] = msgspec.field(default_factory=dict)
    file: str = ""
    cap: float | None = None
    manual: float = 0.0

    @property
    def points(self) -> float:
        """The total: what was earned without what is taken off, at least 0 and at most the cap."""
        return min(max(round(self.earned - self.deduction, 6), 0.0), self.limit)

    @property
    def earned(self) -> float:
        return round(sum(exercise.points for exercise in self.exercises), 6)

    @property
    def deduction(self) -> float:
        return round(sum(exercise.deduction for exercise in self.exercises), 6)

    @property
    def max_points(self) -> float:
        return round(sum(exercise.max_points for exercise in self.exercises if not exercise.bonus), 6)

    @property
    def bonus(self) -> float:
        return round(sum(exercise.points for exercise in self.exercises if exercise.bonus), 6)

    @property
    def max_bonus(self) -> float:
        return round(sum(exercise.max_points for exercise in self.exercises if exercise.bonus), 6)

    @property
    def limit(self) -> float:
        """The largest total possible."""
        most = round(self.max_points + self.max_bonus, 6)
        return most if self.cap is None else min(self.cap, most)

    @property
    def counted(self) -> tuple[float, ...]:
        """The total, shared out among the exercises, for platforms that add them up: no share is negative. What is
        taken off comes from the exercise itself as far as it can, then from bonuses, then from the last exercises."""
        exercises, left = self.exercises, self.earned - self.points
        shares = [exercise.points for exercise in exercises]
        numbers = range(len(exercises))
        others = sorted(numbers, key=lambda number: (not exercises[number].bonus, -number))
        for number, most in [*((i, exercises[i].deduction) for i in numbers), *((i, math.inf) for i in others)]:
            taken = min(shares[number], most, left)
            shares[number], left = round(shares[number] - taken, 6), round(left - taken, 6)
        return tuple(shares)

    @property
    def for_instructor(self) -> tuple[str, ...]:
        """Lines for the instructor: the log, and which layers of confinement this machine lacks."""
        return (*self.log, *(missing_layer(name, why) for name, why in self.missing_layers.items()))

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        return tuple(check for exercise in self.exercises for check in exercise.checks)


def missing_layer(name: str, why: str) -> str:
    """What an instructor reads about a layer of confinement that could not be applied."""
    return f"confinement without {name}: {why}"


def encode(result: Result) -> bytes:
    """The model as JSON, for passing between our own processes. Surrogates, which UTF-8 lacks, become "?"."""
    try:
        return msgspec.json.encode(result)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(result)))


def decode(data: bytes) -> Result:
    """The inverse of `encode`; raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(data, type=Result)


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value
