"""Who moves between two results of a class, by how much, through which checks, and why.

A grade falls if its share of the maximum falls: an assignment may be worth more points than before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from autograder.batch.store import Record
from autograder.fingerprint import Parts
from autograder.output.inert import one_line
from autograder.results.feedback import WORDS, points_text
from autograder.results.model import CheckResult, Result, State, Status

_LEAST = 1e-6  # a difference of points that is one
_MESSAGE = 400
REASONS = {
    "graders": "grader",
    "solution": "solution",
    "engine": "engine",
    "salt": "salt",
    "timing": "timing",
}
SUBMISSION, EARLIER_KIT, UNKNOWN = "submission", "earlier version of the kit", "no known reason"


class Kind(Enum):
    """What happened to a grade, as people read it; in the order in which it is of interest."""

    FALLS = "falls"
    RISES = "rises"
    FAILED = "could not be graded"
    GONE = "no result any more"
    NEW = "new"
    NONE = "no grade"
    SAME = "same"


@dataclass(frozen=True)
class Grade:
    points: float
    most: float

    @property
    def share(self) -> float:
        return self.points / self.most

    def __str__(self) -> str:
        return f"{points_text(self.points)} of {points_text(self.most)}"


@dataclass(frozen=True)
class CheckChange:
    """A check whose points differ, or that only one of the two results has. `message` is why it fails now."""

    exercise: str
    name: str
    title: str
    before: Status | None
    after: Status | None
    points: float
    message: str

    def __str__(self) -> str:
        was, is_ = (WORDS[status] if status else "" for status in (self.before, self.after))
        what = f"{was} → {is_}" if was != is_ else is_
        if not was or not is_:
            what = f"new, {is_}" if is_ else "gone"
        return f"{self.exercise}/{self.name} {what} ({signed(self.points)})"


@dataclass(frozen=True)
class Change:
    """`before` and `after` are None where there is no grade; `kind` says why."""

    label: str
    kind: Kind
    before: Grade | None
    after: Grade | None
    reasons: tuple[str, ...]
    checks: tuple[CheckChange, ...]

    @property
    def points(self) -> float:
        return round(self.after.points - self.before.points, 6) if self.before and self.after else 0.0

    @property
    def moves(self) -> bool:
        return self.kind is not Kind.SAME or bool(self.checks)


@dataclass
class CheckTotal:
    """How many a check moves, down and up, and by how many points in all."""

    exercise: str
    name: str
    title: str
    down: int = 0
    up: int = 0
    points: float = 0.0


@dataclass
class Comparison:
    """Two results of a class. `changes` are sorted: the largest fall first."""

    title: str
    before: str
    after: str
    changes: list[Change] = field(default_factory=list)

    @property
    def moved(self) -> list[Change]:
        return [change for change in self.changes if change.moves]

    @property
    def kinds(self) -> Counter[Kind]:
        return Counter(change.kind for change in self.changes)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why grades move, and how many of them."""
        return Counter(reason for change in self.moved for reason in change.reasons).most_common()

    @property
    def falls(self) -> int:
        return self.kinds[Kind.FALLS]

    def checks(self) -> list[CheckTotal]:
        """The checks behind it, the one that costs most first."""
        totals: dict[tuple[str, str], CheckTotal] = {}
        for each in (check for change in self.changes for check in change.checks):
            total = totals.setdefault(
                (each.exercise, each.name), CheckTotal(each.exercise, each.name, each.title or each.name)
            )
            total.down += each.points < -_LEAST
            total.up += each.points > _LEAST
            total.points = round(total.points + each.points, 6)
        return sorted(totals.values(), key=lambda total: (total.points, -total.down, total.exercise, total.name))


def compared(
    title: str, before: str, after: str, pairs: Iterable[tuple[str, Record | None, Record | None]]
) -> Comparison:
    """`before` and `after` are what the two are called; `pairs` are labels with both results."""
    changes = [change(*pair) for pair in pairs]
    order = list(Kind)
    changes.sort(key=lambda each: (order.index(each.kind), each.points, each.label.casefold()))
    return Comparison(title, before, after, changes)


def change(label: str, before: Record | None, after: Record | None) -> Change:
    results = [_result(each) for each in (before, after)]
    grades = [_grade(record, result) for record, result in zip((before, after), results, strict=True)]
    checks = tuple(_checks(*results)) if all(grades) else ()
    kind = _kind(after, grades)
    moves = kind is not Kind.SAME or bool(checks)
    why = reasons(before, after) if before and after and moves else ()
    return Change(label, kind, grades[0], grades[1], why, checks)


def same_submission(before: Record, after: Record) -> bool:
    """Whether both are about the same code. If nobody can tell, as with records of earlier versions, they are."""
    if before.made_from is None or after.made_from is None:
        return True
    first, second = before.made_from, after.made_from
    return first.submission == second.submission or first.handed_in == second.handed_in


def out_of_date(parts: Parts | None, now: Parts) -> list[str]:
    """What has changed since a result was made, apart from its submission."""
    if parts is None:
        return [EARLIER_KIT]
    return [word for name, word in REASONS.items() if getattr(parts, name) != getattr(now, name)]


def reasons(before: Record, after: Record) -> tuple[str, ...]:
    """Why two results may differ."""
    if before.made_from is None or after.made_from is None:
        return (EARLIER_KIT,)
    found = out_of_date(before.made_from, after.made_from)
    found += [] if same_submission(before, after) else [SUBMISSION]
    return tuple(found or [UNKNOWN])


def signed(points: float) -> str:
    return f"+{points_text(points)}" if points > _LEAST else points_text(points).replace("-", "−")


def _result(record: Record | None) -> Result | None:
    try:
        return record.whole() if record else None
    except msgspec.MsgspecError:
        return None


def _grade(record: Record | None, result: Result | None) -> Grade | None:
    if record is None or record.state is not State.GRADED:
        return None
    return Grade(record.points, result.max_points if result else 0.0)


def _kind(after: Record | None, grades: list[Grade | None]) -> Kind:
    first, second = grades
    if first is None or second is None:
        if second is not None:
            return Kind.NEW
        if after is not None:
            return Kind.FAILED
        return Kind.GONE if first is not None else Kind.NONE
    if first.most and second.most:
        difference = second.share - first.share
        least = _LEAST / max(first.most, second.most)
    else:  # a result that this version cannot read
        difference, least = second.points - first.points, _LEAST
    return Kind.FALLS if difference < -least else Kind.RISES if difference > least else Kind.SAME


def _checks(before: Result | None, after: Result | None) -> Iterator[CheckChange]:
    first, second = ({(c.exercise, c.name): c for c in result.checks} if result else {} for result in (before, after))
    for key in [*second, *(key for key in first if key not in second)]:
        was, is_ = first.get(key), second.get(key)
        first_points, second_points = (each.points - each.deduction if each else 0.0 for each in (was, is_))
        points = round(second_points - first_points, 6)
        if was is None or is_ is None or abs(points) > _LEAST:
            known: CheckResult = is_ or was  # type: ignore[assignment]
            failed = is_ is not None and is_.status not in (Status.PASSED, Status.EXCUSED, Status.ERROR)
            yield CheckChange(
                *key,
                known.title,
                was.status if was else None,
                is_.status if is_ else None,
                points,
                one_line(known.message, _MESSAGE) if failed else "",
            )
