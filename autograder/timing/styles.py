"""Slow but accepted ways to write an exercise, by which its limits are set.

A style is a Python file with what differs from the solution; it is run after the solution's own code, so that its
definitions replace the solution's. A whole submission will do, too. The folder that it lies in is called as the
assignment, or as several of which it is a style: `modern+residual`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import UsageError
from autograder.results.model import CheckResult
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell, SubmissionError, python_source
from autograder.timing.calibration import Decisions

MARGIN = 1.5  # the limit for full points over the ratio of the slowest style


@dataclass(frozen=True)
class Style:
    """A name, and the solution with what differs from it."""

    name: str
    submission: Submission


def read_styles(folder: Path, assignment: Assignment) -> list[Style]:
    """The styles of an assignment, of which there may be none: the files `<folder>/<slug>/*.py`.

    Raises:
        UsageError: a file cannot be read.
    """
    solution = Cell(f"{assignment.module}.py", assignment.solution.read_text(encoding="utf-8"))
    found = []
    for path in sorted(folder.glob("*/*.py")):
        if assignment.slug not in path.parent.name.split("+"):
            continue
        try:
            source = python_source(path.read_bytes(), path.name)
        except (OSError, SubmissionError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from None
        found.append(Style(path.stem, Submission(path.name, path.name, (solution, Cell(path.name, source)), False)))
    return found


@dataclass
class StyleDecisions:
    """The results for one exercise, written in one style."""

    exercise: str
    style: str
    decisions: Decisions = field(default_factory=Decisions)

    @property
    def ratio(self) -> float:
        """The median; NaN if nothing could be measured."""
        return self.decisions.ratios[1]

    @property
    def limit(self) -> float:
        """The limit for full points as it is; NaN if nothing could be measured."""
        return next((timing.k_full for timing in self.decisions.timings), math.nan)

    @property
    def needed(self) -> int:
        """The smallest whole limit for full points that leaves the margin above this style."""
        return math.ceil(round(MARGIN * self.ratio, 2))

    @property
    def problem(self) -> str:
        """Why the limit does not suit this style, or why that is not known; empty if it does."""
        done, name = self.decisions, f"{self.exercise} in the style {self.style}"
        if done.deducted:
            return f"{name} loses points ({done.deducted} of {done.count} times): {done.trouble}"
        if not done.timings:
            return f"{name} could not be measured because of noise; try again"
        if self.ratio > self.limit:
            return f"{name} takes {self.ratio:.1f} times as long as the solution, and the limit is {self.limit:g}"
        return ""


def add(found: dict[tuple[str, str], StyleDecisions], style: str, checks: tuple[CheckResult, ...]) -> None:
    """Adds the timing checks of one submission to what was found out, by exercise and style."""
    for check in checks:
        key = check.exercise, style
        found.setdefault(key, StyleDecisions(*key)).decisions.add(check)


def slowest(found: Iterable[StyleDecisions]) -> list[StyleDecisions]:
    """The slowest style of each exercise, of those that could be measured."""
    kept: dict[str, StyleDecisions] = {}
    for one in sorted((one for one in found if one.decisions.timings), key=lambda one: one.ratio):
        kept[one.exercise] = one
    return list(kept.values())
