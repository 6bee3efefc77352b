"""What must be true of an assignment's graders, checked with submissions whose score is known: the solution, the
skeleton, and the solution with one misconception in it."""

from __future__ import annotations

import random
import re
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from autograder.course import Assignment
from autograder.course.skeletons import skeleton
from autograder.errors import EngineError
from autograder.grading.marks import Misconception
from autograder.grading.reference import load_misconceptions, variant_source
from autograder.output.inert import one_line
from autograder.results.feedback import points_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell

ENOUGH_MISCONCEPTIONS = 5
SOLUTION, SKELETON = "solution", "skeleton"

# What Hypothesis adds to an exception: it differs every time and says nothing about the broken grader.
_EXAMPLE = re.compile(r"\s*F(?:ailing test case|alsifying example):.*\)(?= \()", re.DOTALL)

Signature = tuple[tuple[str, Status], ...]


@dataclass(frozen=True)
class Subject:
    """A submission whose score is known. `exercise` is where it should lose points: empty for solution and skeleton."""

    label: str
    submission: Submission
    exercise: str
    also: Mapping[str, str]


@dataclass(frozen=True)
class Problem:
    """What is wrong. `exercise` is the row of the table that it belongs to, empty if it belongs to none."""

    exercise: str
    text: str


@dataclass
class ExerciseQuality:
    """What is known about an exercise: `seconds` are the times of the solution's runs."""

    points: float
    checks: int = 0
    examples: int = 0
    seconds: list[float] = field(default_factory=list)
    misconceptions: list[str] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)

    @property
    def typical_seconds(self) -> float:
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def caught(self) -> int:
        return len(self.misconceptions) - len(self.missed)


class Verification:
    """The verdict on one assignment, built up with `add`. Results themselves are not kept, only what is listed here."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.rows = {name: ExerciseQuality(points) for name, points in assignment.exercises.items()}
        self.runs = 0
        self._partial = False
        self._problems: dict[Problem, set[str]] = defaultdict(set)  # with the salts that showed them
        self._ungraded: dict[Problem, list[str]] = defaultdict(list)  # with the labels of the submissions
        self._salts: set[str] = set()
        self._first: dict[tuple[str, str, str], Signature] = {}  # (label, salt, exercise) → how its checks ended
        self._excuses: dict[tuple[str, str], bool] = {}  # (label, exercise in `also`) → was it needed?

    def subjects(self, exercises: Collection[str] = (), most: int | None = None) -> list[Subject]:
        """All submissions to grade; one that cannot be built is a problem. Imports torch and the solution.

        Args:
            exercises: use only the misconceptions of these; none means all.
            most: at most this many misconceptions per exercise, chosen at random but always the same ones.

        Raises:
            EngineError: there is no solution.
            UsageError: no skeleton can be made from it.
        """
        assignment, self._partial = self.assignment, bool(exercises) or most is not None
        try:
            solution = assignment.solution.read_text(encoding="utf-8")
        except OSError as error:
            raise EngineError(f"{assignment.solution} cannot be read: {error.strerror}") from error
        found = [
            self._subject(SOLUTION, solution),
            self._subject(SKELETON, skeleton(solution, str(assignment.solution))),
        ]
        try:
            known = load_misconceptions(assignment)
        except EngineError as error:
            self._note("", str(error))
            return found
        for item in _some(known, most):
            if exercises and item.exercise not in exercises and item.exercise in self.rows:
                continue
            label = f"misconception {item.name} ({item.exercise})"
            if item.exercise not in self.rows:
                self._note("", f"{label}: assignment.toml has no such exercise")
                continue
            self.rows[item.exercise].misconceptions.append(label)
            self._excuses |= {(label, exercise): False for exercise in item.also}
            try:
                source = variant_source(assignment, item)
            except EngineError as error:
                self._miss(item.exercise, label)
                self._note(item.exercise, f"{label} cannot be built: {error}")
                continue
            found.append(self._subject(label, source, item.exercise, item.also))
        return found

    def _subject(
        self, label: str, source: str, exercise: str = "", also: Mapping[str, str] = MappingProxyType({})
    ) -> Subject:
        file = f"{self.assignment.module}.py"
        return Subject(label, Submission(label, file, (Cell(file, source),), False), exercise, also)

    def add(self, subject: Subject, salt: str, result: Result | EngineError) -> None:
        """Records one result."""
        self.runs += 1
        self._salts.add(salt)
        for problem in self._judge(subject, result):
            self._problems[problem].add(salt)
        if isinstance(result, Result):
            if changed := self._repeated(subject, salt, result):
                self._problems[changed].add(salt)
            if subject.label == SOLUTION:
                for exercise in result.exercises:
                    row = self.rows[exercise.name]
                    row.checks = len(exercise.checks)
                    row.examples = sum(check.examples for check in exercise.checks)
                    row.seconds.append(sum(check.seconds for check in exercise.checks))

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong; if only some salts show a problem, it says which."""
        order = ["", *self.rows]
        found = []
        for problem, labels in self._ungraded.items():
            first, *others = dict.fromkeys(labels)
            more = f" (nor could {len(others)} more submission{'s' * (len(others) > 1)})" if others else ""
            found.append(Problem(problem.exercise, f"{first} could not be graded{more}: {problem.text}"))
        for problem, salts in self._problems.items():
            found.append(Problem(problem.exercise, problem.text + self._only(salts)))
        return sorted(found, key=lambda problem: order.index(problem.exercise))

    @property
    def warnings(self) -> list[str]:
        few = [
            f"{name} has {len(row.misconceptions) or 'no'} misconception{'s' * (len(row.misconceptions) != 1)}; "
            f"write at least {ENOUGH_MISCONCEPTIONS}"
            for name, row in self.rows.items()
            if len(row.misconceptions) < ENOUGH_MISCONCEPTIONS and not self._partial
        ]
        idle = [
            f"{label} lists {exercise} in `also`, but loses nothing there"
            for (label, exercise), needed in self._excuses.items()
            if not needed
        ]
        return few + idle

    def _only(self, salts: set[str]) -> str:
        if salts >= self._salts or not salts:
            return ""
        return f" (only with salt {', '.join(sorted(map(repr, salts)))})"

    def _note(self, exercise: str, text: str) -> None:
        """A problem that does not depend on a salt."""
        self._problems.setdefault(Problem(exercise, text), set())

    def _miss(self, exercise: str, label: str) -> None:
        self.rows[exercise].missed.add(label)

    def _judge(self, subject: Subject, result: Result | EngineError) -> Iterable[Problem]:
        failure = _not_graded(result)
        if failure or isinstance(result, EngineError):
            if subject.exercise:
                self._miss(subject.exercise, subject.label)
            if failure:
                self._ungraded[failure].append(subject.label)
            return
        for exercise in result.exercises:
            lost = exercise.points < exercise.max_points
            if subject.label == SOLUTION:
                yield from (_loss(exercise.name, check) for check in exercise.checks if check.points < check.max_points)
            elif subject.label == SKELETON:
                yield from (_gain(exercise.name, check) for check in exercise.checks if check.points > 0)
            elif exercise.name == subject.exercise and not lost:
                self._miss(subject.exercise, subject.label)
                yield Problem(subject.exercise, f"{subject.label} keeps full points")
            elif exercise.name in subject.also:
                self._excuses[subject.label, exercise.name] |= lost
            elif exercise.name != subject.exercise and lost:
                text = f"{subject.label} also loses points in {exercise.name}: {_failing(exercise)}"
                yield Problem(subject.exercise, text)

    def _repeated(self, subject: Subject, salt: str, result: Result) -> Problem | None:
        """The first check that ended differently from before, on the same submission with the same salt."""
        for exercise in result.exercises:
            now = tuple((check.name, check.status) for check in exercise.checks)
            before = self._first.setdefault((subject.label, salt, exercise.name), now)
            for (name, was), (_, is_) in zip(before, now, strict=False):
                if was is not is_:
                    text = f"{subject.label} is not graded the same each time: check {name} of {exercise.name} was "
                    return Problem(exercise.name, f"{text}{was.value} once and {is_.value} another time")
            if before != now:
                return Problem("", f"{subject.label} is not graded the same each time: different checks were run")
        return None


def _some(known: list[Misconception], most: int | None) -> list[Misconception]:
    if most is None:
        return known
    chosen = []
    for exercise in dict.fromkeys(item.exercise for item in known):
        its = [item for item in known if item.exercise == exercise]
        chosen += its if len(its) <= most else random.Random(exercise).sample(its, most)
    return chosen


def _not_graded(result: Result | EngineError) -> Problem | None:
    """Why a result is not a grade, in one line; None if it is one."""
    if isinstance(result, EngineError):
        return Problem("", one_line(str(result), 300))
    errors = [check for check in result.checks if check.status is Status.ERROR]
    if result.state is State.GRADED and not errors:
        return None
    log = [_EXAMPLE.sub("", line) for line in result.log]
    named = [f"check {check.name} of {check.exercise} broke" for check in errors[:1]]
    why = one_line("; ".join([*named, *log[:1]]) or f"state {result.state.value}", 400)
    return Problem(errors[0].exercise if errors else "", why)


def _loss(exercise: str, check: CheckResult) -> Problem:
    lost = _points(check.max_points - check.points)
    message = one_line(check.message.split("\n")[0], 200) or check.status.value
    return Problem(exercise, f"{SOLUTION} loses {lost} in {exercise}: check {check.name}: {message}")


def _gain(exercise: str, check: CheckResult) -> Problem:
    return Problem(exercise, f"{SKELETON} earns {_points(check.points)} in {exercise}: check {check.name} passes")


def _points(value: float) -> str:
    return f"{points_text(value)} point{'' if value == 1 else 's'}"


def _failing(exercise: ExerciseResult) -> str:
    names = [check.name for check in exercise.checks if check.points < check.max_points]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"check{'s' * (len(names) > 1)} {', '.join(names[:3])}{more}"
