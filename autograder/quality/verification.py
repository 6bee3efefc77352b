"""What must be true of an assignment's graders, checked with submissions whose score is known (`subjects`), and with
the public tests."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.comparison import NOT_IMPLEMENTED
from autograder.grading.marks import Misconception
from autograder.grading.operators import unknown_patterns
from autograder.jobs import Declared
from autograder.output.inert import one_line
from autograder.quality import feedback, public_tests, reproductions
from autograder.quality.costs import Costs, median
from autograder.quality.proof import Proof
from autograder.quality.subjects import SKELETON, SOLUTION, Problem, Subject, find
from autograder.results.feedback import count_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status

ENOUGH_MISCONCEPTIONS = 5

# What Hypothesis adds to an exception: it differs every time and says nothing about the broken grader.
_EXAMPLE = re.compile(r"\s*F(?:ailing test case|alsifying example):.*\)(?= \()", re.DOTALL)

Signature = tuple[tuple[str, Status], ...]


@dataclass
class ExerciseQuality:
    """What is known about an exercise: `seconds` are the times of the solution's runs, `unproven` counts the checks
    that no misconception fails, `hinted` the misconceptions whose own code is shown their hint, `rendered` those whose
    feedback is fit to be read, `reproduced` those whose failure some program shows, and `costs` are the shares of its
    points that they cost."""

    points: float
    checks: int = 0
    examples: int = 0
    seconds: list[float] = field(default_factory=list)
    misconceptions: list[str] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)
    unproven: int = 0
    hinted: int = 0
    rendered: set[str] = field(default_factory=set)
    reproduced: set[str] = field(default_factory=set)
    costs: list[float] = field(default_factory=list)

    @property
    def typical_seconds(self) -> float:
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def median_cost(self) -> float:
        return median(self.costs)

    @property
    def largest_cost(self) -> float:
        return max(self.costs, default=0.0)

    @property
    def caught(self) -> int:
        return len(self.misconceptions) - len(self.missed)


class Verification:
    """The verdict on one assignment, built up with `add`. Results themselves are not kept, only what is listed here."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._graders = feedback.graders(assignment.graders, assignment.solution)
        self.rows = {name: ExerciseQuality(points) for name, points in assignment.exercises.items()}
        self.runs = 0
        self._partial = False
        self._complete: frozenset[str] = frozenset()
        tried: dict[str, Misconception] = {}
        self._proof, self._costs = Proof(tried), Costs(tried)
        self._declared: list[Declared] = []
        self._public: dict[str, public_tests.Ran] = {}
        self._shown: list[reproductions.Shown] = []
        self._problems: dict[Problem, set[str]] = defaultdict(set)  # with the salts that showed them
        self._ungraded: dict[Problem, list[str]] = defaultdict(list)  # with the labels of the submissions
        self._salts: set[str] = set()
        self._first: dict[tuple[str, str, str], Signature] = {}  # (label, salt, exercise) → how its checks ended
        self._excuses: dict[tuple[str, str], bool] = {}  # (label, exercise in `also`) → was it needed?

    def subjects(self, exercises: Collection[str] = (), most: int | None = None) -> list[Subject]:
        """All submissions to grade (see `subjects.find`); what cannot be built is a problem."""
        self._partial = bool(exercises) or most is not None
        known = find(self.assignment, exercises, most)
        self._complete, self._proof, self._costs = known.complete, Proof(known.tried), Costs(known.tried)
        for problem in known.problems:
            self._note(problem.exercise, problem.text)
        built = {subject.label for subject in known.subjects}
        for label, item in known.tried.items():
            self.rows[item.exercise].misconceptions.append(label)
            self._excuses |= {(label, exercise): False for exercise in item.also}
            if label not in built:
                self._miss(item.exercise, label)
        return known.subjects

    def declare(self, declared: list[Declared]) -> None:
        """Notes what the graders declare about their checks."""
        self._declared = declared
        where: dict[str, tuple[str, str]] = {}
        for one in declared:
            for pattern in one.forbids:
                where.setdefault(pattern, (one.exercise, one.check))
        unknown = unknown_patterns(where)
        for pattern in unknown:
            if pattern not in self.assignment.forbids_nothing:
                exercise, check = where[pattern]
                text = f"check {check} of {exercise} forbids {pattern!r}, which matches nothing in this PyTorch"
                self._note(exercise, f"{text}; correct the pattern, or say why in [forbids_nothing]")

    def add_public(self, subject: Subject, ran: public_tests.Ran) -> None:
        """Notes how the public tests ended on the solution or the skeleton."""
        self._public[subject.label] = ran
        for problem in public_tests.problems(self.assignment, subject, ran):
            self._note(problem.exercise, problem.text)

    def add(self, subject: Subject, salt: str, result: Result | EngineError, *, explained: bool = False) -> None:
        """Records one result; `explained` says whether failed checks were explained in it."""
        self.runs += 1
        self._salts.add(salt)
        for problem in self._judge(subject, result):
            self._problems[problem].add(salt)
        if isinstance(result, Result):
            if changed := self._repeated(subject, salt, result):
                self._problems[changed].add(salt)
            if subject.label == SOLUTION:
                self._proof.add_solution(result)
                for exercise in result.exercises:
                    row = self.rows[exercise.name]
                    row.checks = len(exercise.checks)
                    row.examples = sum(check.examples for check in exercise.checks)
                    row.seconds.append(sum(check.seconds for check in exercise.checks))
            elif subject.misconception and not _not_graded(result):
                self._proof.add(subject.label, result, explained=explained)
                self._costs.add(subject.label, result)
            if explained:
                self._read(subject, result)

    def _read(self, subject: Subject, result: Result) -> None:
        """Reads the feedback as a student would."""
        found = list(feedback.troubles(result, self._graders))
        for trouble in found:
            self._note(subject.exercise, f"{subject.label}: {trouble}")
        if subject.misconception and not found and not _not_graded(result):
            self.rows[subject.exercise].rendered.add(subject.label)
        for check in result.checks:
            program = check.reproduction.program if check.reproduction else ""
            if program and subject.misconception and check.exercise == subject.exercise:
                self._shown.append(reproductions.Shown(subject, check.name, program))

    def try_programs(self, solution: Subject) -> None:
        """Runs the programs that show failures, each on its submission and on the solution."""
        try:
            found = list(reproductions.problems(self.assignment.module, solution, self._shown))
        except EngineError as error:
            self._note("", str(error))
            return
        for problem in found:
            self._note(problem.exercise, problem.text)
        for one in self._shown:
            self.rows[one.subject.exercise].reproduced.add(one.subject.label)

    def conclude(self) -> None:
        """To be called when everything is added: what only all runs together show."""
        for problem in (*self._proof.unproven(self._declared, self._complete), *self._proof.problems(self._complete)):
            self._note(problem.exercise, problem.text)
        for name, row in self.rows.items():
            row.unproven = self._proof.count_unproven(name)
            row.hinted = sum(map(self._proof.own_hint, row.misconceptions))
            row.costs = self._costs.of(name)

    @property
    def severe(self) -> list[str]:
        """The mistakes that cost more than half of their exercise, with the reasons."""
        return self._costs.severe

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
        declared = [
            f"[forbids_nothing] names {pattern!r}, which no check forbids in vain"
            for pattern in self.assignment.forbids_nothing
            if pattern not in unknown_patterns(pattern for one in self._declared for pattern in one.forbids)
        ]
        public = public_tests.warnings(self.assignment, self._public.get(SOLUTION), self._public.get(SKELETON))
        return [*few, *idle, *self._proof.warnings(self._declared), *self._costs.warnings(), *declared, *public]

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
        if subject.label == SKELETON and result.notice:
            question = " Is a solution outside any function?" if result.notice.endswith(NOT_IMPLEMENTED) else ""
            yield Problem("", f"{SKELETON} does not load: {one_line(result.notice, 300)}{question}")
        for exercise in result.exercises:
            lost = exercise.lost > 0
            if subject.label == SOLUTION:
                yield from (_loss(exercise.name, check) for check in exercise.checks if check.lost > 0)
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
    lost = count_text(check.lost)
    message = one_line(check.message.split("\n")[0], 200) or check.status.value
    return Problem(exercise, f"{SOLUTION} loses {lost} in {exercise}: check {check.name}: {message}")


def _gain(exercise: str, check: CheckResult) -> Problem:
    return Problem(exercise, f"{SKELETON} earns {count_text(check.points)} in {exercise}: check {check.name} passes")


def _failing(exercise: ExerciseResult) -> str:
    names = [check.name for check in exercise.checks if check.lost > 0]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"check{'s' * (len(names) > 1)} {', '.join(names[:3])}{more}"
