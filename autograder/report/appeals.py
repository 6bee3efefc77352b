"""The checks at which a grader is probably wrong: where a class would appeal.

A failure is evidence against its check if no known mistake explains it, and the more so the better the student did in
everything else. Whoever answers nothing in an exercise has not begun it, which says nothing; unless that is most of the
class.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from dataclasses import dataclass, field

import msgspec
import numpy as np

from autograder.output.inert import one_line
from autograder.results.model import CheckResult, ExerciseResult, Result, Status

_FEW = 3  # fewer failures or equal answers than this say nothing
_MANY, _EXPLAINED = 0.1, 0.5  # shares: of the class that failed, and of the failures that are explained
_CLUSTERS = 3
_LABELS = 5
_COMMENT = 150
_FAILED = (Status.FAILED, Status.TIMEOUT)
_UNKNOWN = (Status.ERROR, Status.EXCUSED, Status.SKIPPED)


@dataclass
class Cluster:
    """Submissions that gave the same answer, which no known mistake explains. `check` is the first one's result."""

    check: CheckResult
    submissions: int = 1
    labels: list[str] = field(default_factory=list)

    @property
    def draft(self) -> str:
        """A misconception for the author to complete. What students had a hand in stands in comments only."""
        lines = [f'@misconception("{self.check.exercise}", hint="")  # to be written: a question that helps']
        if example := self.check.counterexample:
            call = one_line(example.call, _COMMENT)
            lines += [f"# {call}"] if call else []
            lines += [f"# expected {one_line(example.expected.text, _COMMENT)}"]
            lines += [f"# got      {one_line(example.got.text, _COMMENT)}"]
        names = one_line(", ".join(self.labels), _COMMENT)
        return "\n".join(
            [*lines, "def to_be_named(*arguments):  # or a class, like the exercise", f"    ...  # {names}"]
        )


@dataclass
class Suspect:
    """How a check went for those who began the exercise.

    `weight` adds up, over those whose failure nothing explains, which share of all other points they earned;
    `discrimination` is the correlation between the points for this check and all others.
    """

    exercise: str
    name: str
    title: str
    asked: int = 0
    failed: int = 0
    explained: int = 0
    unexplained: int = 0
    weight: float = 0.0
    blank: int = 0  # who have not begun the exercise
    blank_weight: float = 0.0
    discrimination: float = math.nan
    own: array[float] = field(default_factory=lambda: array("d"))
    rest: array[float] = field(default_factory=lambda: array("d"))
    seen: dict[bytes, str] = field(default_factory=dict)  # answers that one submission gave
    equal: dict[bytes, Cluster] = field(default_factory=dict)

    @property
    def clusters(self) -> list[Cluster]:
        return sorted(self.equal.values(), key=lambda cluster: -cluster.submissions)[:_CLUSTERS]

    @property
    def reasons(self) -> list[str]:
        """Why it is suspect, as an instructor reads it; nothing if it is not."""
        found = []
        many = self.unexplained >= max(_FEW, _MANY * self.asked)
        if many and self.explained <= _EXPLAINED * self.failed:
            explained = self.explained or "none"
            found.append(f"{self.failed} of {self.asked} failed it, and known mistakes explain {explained} of them.")
        if self.clusters and self.clusters[0].submissions >= _FEW:
            found.append(f"{self.clusters[0].submissions} gave the same answer, which no known mistake explains.")
        if self.failed >= _FEW and self.discrimination < 0:
            number = f"{self.discrimination:.2f}".replace("-", "−")
            found.append(f"Whoever failed it did better in everything else (discrimination {number}).")
        return found

    def add(self, label: str, check: CheckResult, exercise: ExerciseResult, result: Result) -> None:
        """Counts one submission."""
        most = result.max_points + result.max_bonus - check.max_points
        rest = (result.earned - check.points) / most if most > 0 else 0.0
        if not any(each.answered and each.status not in _UNKNOWN for each in exercise.checks):
            self.blank += 1
            self.blank_weight += rest
            return
        self.asked += 1
        self.own.append(check.points)
        self.rest.append(rest)
        if check.status not in _FAILED:
            return
        self.failed += 1
        if check.misconception or exercise.depends_on:
            self.explained += 1
            return
        self.unexplained += 1
        self.weight += rest
        if check.answered and check.status is Status.FAILED:
            self._remember(label, check)

    def _remember(self, label: str, check: CheckResult) -> None:
        """Keeps an example only of an answer that is given twice."""
        answer = msgspec.json.encode((check.counterexample, "" if check.counterexample else check.message))
        key = hashlib.blake2b(answer, digest_size=16).digest()
        if key in self.equal:
            self.equal[key].submissions += 1
            self.equal[key].labels += [label] if len(self.equal[key].labels) < _LABELS else []
        elif key in self.seen:
            self.equal[key] = Cluster(check, 2, [self.seen.pop(key), label])
        else:
            self.seen[key] = label

    def finish(self) -> None:
        if self.blank > self.asked:
            self.asked, self.failed = self.asked + self.blank, self.failed + self.blank
            self.unexplained, self.weight = self.unexplained + self.blank, self.weight + self.blank_weight
            self.blank, self.blank_weight = 0, 0.0
        own, rest = np.array(self.own), np.array(self.rest)
        if len(own) >= _FEW and own.std() > 1e-9 and rest.std() > 1e-9:
            self.discrimination = float(np.corrcoef(own, rest)[0, 1])


class Appeals:
    """Memory grows with the numbers of submissions and checks, and not with what was answered."""

    def __init__(self) -> None:
        self.checks: dict[tuple[str, str], Suspect] = {}

    def add(self, label: str, result: Result) -> None:
        for exercise in result.exercises:
            for check in exercise.checks:
                if check.status not in _UNKNOWN:
                    key = check.exercise, check.name
                    suspect = self.checks.setdefault(key, Suspect(*key, check.title or check.name))
                    suspect.add(label, check, exercise, result)

    def suspects(self) -> list[Suspect]:
        """Those with the most evidence against them first."""
        for check in self.checks.values():
            check.finish()
        found = [check for check in self.checks.values() if check.reasons]
        return sorted(found, key=lambda check: (-check.weight, check.exercise, check.name))
