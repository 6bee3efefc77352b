"""Item analysis of a class: reads one result after the other and keeps only numbers, a row for the table, and the
first example of each misconception."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np

from autograder.batch.changes import Change, change
from autograder.batch.contents import Graded
from autograder.batch.discovery import Found
from autograder.batch.store import Record, Roll
from autograder.report.appeals import Appeals, Suspect
from autograder.results.model import CheckResult, Counterexample, Result, State, Status

_FEW = 3  # fewer submissions than this say nothing about a correlation


@dataclass(frozen=True)
class Row:
    """One line of the report's table."""

    name: str
    label: str
    state: State
    points: float
    scores: tuple[float, ...]
    seconds: float
    graded: Graded
    handed_in: str
    at: str
    note: str
    change: Change | None  # since the result before this one


@dataclass
class MisconceptionCount:
    """How often a known mistake was recognised, with the first example of it."""

    name: str
    exercise: str
    submissions: int = 0
    hint: str = ""
    title: str = ""
    message: str = ""
    example: Counterexample | None = None


@dataclass
class Check:
    exercise: str
    name: str
    title: str
    most: float
    statuses: Counter[Status] = field(default_factory=Counter)
    down: int = 0  # whom it gives fewer points than the result before this one
    up: int = 0

    @property
    def success(self) -> float:
        """Share of submissions that pass, leaving out our errors and what could not be measured."""
        asked = self.statuses.total() - self.statuses[Status.ERROR] - self.statuses[Status.EXCUSED]
        return self.statuses[Status.PASSED] / asked if asked else math.nan


@dataclass
class Exercise:
    """`success` is the mean share of the points; `discrimination` the correlation between this exercise's points and
    those of all others: near 0 or below, it does not predict who can do the rest."""

    name: str
    most: float
    success: float = math.nan
    full: float = math.nan
    discrimination: float = math.nan
    ratios: list[float] = field(default_factory=list)
    seconds: float = 0.0


class Analysis:
    """Analysis of one class. Memory grows with the table: names and numbers, never with what submissions answered."""

    def __init__(self, roll: Roll) -> None:
        self.roll = roll
        self.exercises = {name: Exercise(name, most) for name, most in roll.exercises.items()}
        self.checks: dict[tuple[str, str], Check] = {}
        self.misconceptions: dict[tuple[str, str], MisconceptionCount] = {}
        self.rows: list[Row] = []
        self.missing: list[Found] = []
        self.troubles: Counter[str] = Counter()
        self.environments: Counter[str] = Counter()
        self.copies = 0
        self.appeals = Appeals()
        self.suspects: list[Suspect] = []

    @property
    def most(self) -> float:
        return self.roll.max_points

    @property
    def graded(self) -> list[Row]:
        return [row for row in self.rows if row.state is State.GRADED]

    @property
    def changed(self) -> bool:
        """Whether anybody was graded again."""
        return any(row.change for row in self.rows)

    def add(self, found: Found, record: Record | None, result: Result | None, previous: Record | None = None) -> None:
        """Counts one submission; `result` is the full result in `record`, decoded, and `previous` what it replaced."""
        if record is None or result is None:
            self.missing.append(found)
            self.troubles["not graded yet"] += 1
            return
        scores = tuple(record.scores.get(name, 0.0) for name in self.roll.exercises)
        note = ", ".join(part for part in (record.graded.choice, record.note) if part)
        row = Row(
            found.name,
            found.label,
            record.state,
            record.points,
            scores,
            record.seconds,
            record.graded,
            found.handed_in,
            record.at,
            note,
            change("", previous, record) if previous else None,
        )
        self.rows.append(row)
        self.copies += bool(record.same_as)
        self.troubles.update(_troubles(record, result))
        if result.environment:
            self.environments[", ".join(f"{key} {value}" for key, value in result.environment.items())] += 1
        seen: set[tuple[str, str]] = set()
        for check in result.checks:
            self._add_check(check, seen)
        for each in row.change.checks if row.change else ():
            if check_ := self.checks.get((each.exercise, each.name)):
                check_.down += each.points < 0
                check_.up += each.points > 0
        if record.state is State.GRADED:
            self.appeals.add(found.label, result)

    def _add_check(self, check: CheckResult, seen: set[tuple[str, str]]) -> None:
        key = check.exercise, check.name
        if key not in self.checks:
            self.checks[key] = Check(check.exercise, check.name, check.title, check.max_points)
        self.checks[key].statuses[check.status] += 1
        if exercise := self.exercises.get(check.exercise):
            exercise.seconds += check.seconds
            ratio = timing_ratio(check)
            if ratio is not None:
                exercise.ratios.append(ratio)
        known = check.exercise, check.misconception
        if check.misconception and known not in seen:
            seen.add(known)
            entry = self.misconceptions.setdefault(known, MisconceptionCount(check.misconception, check.exercise))
            entry.submissions += 1
            if entry.example is None:
                entry.hint, entry.title, entry.message = check.hint, check.title, check.message
                entry.example = check.counterexample

    def finish(self) -> None:
        """Computes what needs all submissions. One that could not be graded is not a zero: it does not count."""
        self.suspects = self.appeals.suspects()
        graded = self.graded
        if not graded:
            return
        points = np.array([row.scores for row in graded])
        totals = points.sum(axis=1)
        for column, exercise in enumerate(self.exercises.values()):
            own = points[:, column]
            exercise.success = float(own.mean() / exercise.most)
            exercise.full = float((own >= exercise.most - 1e-6).mean())
            rest = totals - own
            if len(graded) >= _FEW and own.std() > 1e-9 and rest.std() > 1e-9:
                exercise.discrimination = float(np.corrcoef(own, rest)[0, 1])

    def discrimination(self, check: Check) -> float:
        """The correlation between the points for a check and all others."""
        asked = self.appeals.checks.get((check.exercise, check.name))
        return asked.discrimination if asked else math.nan

    def frequent(self, count: int) -> list[MisconceptionCount]:
        return sorted(self.misconceptions.values(), key=lambda each: (-each.submissions, each.exercise, each.name))[
            :count
        ]


def whole(record: Record | None) -> Result | None:
    """The full result; None if there is none that this version can read."""
    try:
        return record.whole() if record else None
    except msgspec.MsgspecError:
        return None


def timing_ratio(check: CheckResult) -> float | None:
    """How much longer than the reference a timed check took; None for every other check."""
    ratio = check.timing.ratio if check.timing else math.nan
    return ratio if math.isfinite(ratio) and ratio > 0 else None


def _troubles(record: Record, result: Result) -> list[str]:
    kinds = []
    if record.state is State.ERROR:
        kinds.append("the grader failed")
    elif not result.checks:
        kinds.append("no gradable file")
    elif result.notice:
        kinds.append("problem with the whole file")
    statuses = {check.status for check in result.checks}
    if Status.TIMEOUT in statuses:
        kinds.append("time-outs")
    if Status.SKIPPED in statuses:
        kinds.append("total time used up")
    if Status.EXCUSED in statuses:
        kinds.append("not measured")
    if record.same_as:
        kinds.append("identical to another")
    return kinds
