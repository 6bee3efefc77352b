"""The submissions whose score is known: the solution, the skeleton, and the solution with one misconception in it."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from autograder.course import Assignment, did_you_mean
from autograder.course.skeletons import skeleton
from autograder.errors import EngineError
from autograder.grading.marks import Misconception
from autograder.grading.reference import load_misconceptions, variant_source
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell

SOLUTION, SKELETON = "solution", "skeleton"


@dataclass(frozen=True)
class Problem:
    """What is wrong. `exercise` is the row of the table that it belongs to, empty if it belongs to none."""

    exercise: str
    text: str


@dataclass(frozen=True)
class Subject:
    """A submission whose score is known; solution and skeleton have no misconception."""

    label: str
    submission: Submission
    misconception: Misconception | None = None

    @property
    def exercise(self) -> str:
        """Where it should lose points: empty for the solution and the skeleton."""
        return self.misconception.exercise if self.misconception else ""

    @property
    def also(self) -> Mapping[str, str]:
        return self.misconception.also if self.misconception else MappingProxyType({})


@dataclass(frozen=True)
class Known:
    """What was found for one assignment. `tried` are the misconceptions by the labels of their submissions, including
    those that cannot be built; `complete` are the exercises all of whose misconceptions are among them."""

    subjects: list[Subject]
    tried: dict[str, Misconception]
    complete: frozenset[str]
    problems: list[Problem]


def find(assignment: Assignment, exercises: Collection[str] = (), most: int | None = None) -> Known:
    """All submissions to grade; one that cannot be built is a problem. Imports torch and the solution.

    Args:
        exercises: use only the misconceptions of these; none means all.
        most: at most this many misconceptions per exercise, chosen at random but always the same ones.

    Raises:
        EngineError: there is no solution.
        UsageError: no skeleton can be made from it.
    """
    try:
        solution = assignment.solution.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{assignment.solution} cannot be read: {error.strerror}") from error
    stub = skeleton(solution, str(assignment.solution))
    found = [subject(assignment, SOLUTION, solution), subject(assignment, SKELETON, stub)]
    try:
        every = load_misconceptions(assignment)
    except EngineError as error:
        return Known(found, {}, frozenset(), [Problem("", str(error))])
    chosen = _some(every, most)
    wanted = frozenset(name for name in assignment.exercises if not exercises or name in exercises)
    complete = wanted - {item.exercise for item in every if item not in chosen}
    tried: dict[str, Misconception] = {}
    problems = []
    for item in chosen:
        label = f"misconception {item.name} ({item.exercise})"
        if item.exercise not in assignment.exercises:
            like = did_you_mean(item.exercise, assignment.exercises)
            problems.append(Problem("", f"{label}: assignment.toml has no exercise {item.exercise!r}{like}"))
        elif item.exercise in wanted:
            tried[label] = item
            try:
                found.append(subject(assignment, label, variant_source(assignment, item), item))
            except EngineError as error:
                problems.append(Problem(item.exercise, f"{label} cannot be built: {error}"))
    return Known(found, tried, complete, problems)


def subject(assignment: Assignment, label: str, source: str, misconception: Misconception | None = None) -> Subject:
    """A submission with this source."""
    file = f"{assignment.module}.py"
    return Subject(label, Submission(label, file, (Cell(file, source),), False), misconception)


def _some(known: list[Misconception], most: int | None) -> list[Misconception]:
    if most is None:
        return known
    chosen = []
    for exercise in dict.fromkeys(item.exercise for item in known):
        its = [item for item in known if item.exercise == exercise]
        chosen += its if len(its) <= most else random.Random(exercise).sample(its, most)
    return chosen
