"""Reads what each assignment says about itself (`graders/<slug>/assignment.toml`)."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from autograder.errors import UsageError
from autograder.results.model import ExerciseResult, Result, State, Visibility
from autograder.submissions.other_files import mistake_in

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one submission may use. A check means all the examples of one hidden test."""

    check_seconds: float = 5.0
    import_seconds: float = 10.0
    total_seconds: float = 120.0
    memory_mb: int = 2048


SUBMISSION = "submission.toml"  # what `autograder release` writes for `autograder check`: a `Submitted`


class Submitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a submission may hold. `files` are patterns of files that may lie beside the one that is graded."""

    files: tuple[str, ...] = ()


Preload = Literal["optimizers", "meta device"]


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`assignment.toml`, plus where it was found. `exercises` maps each exercise to its points, in reading order; those
    in `bonus` are the last of them, and are not in the maximum. `penalties` is what a check ("naive_padding/no_loops")
    takes off the total if it fails, and `cap` the largest total. `manual` maps questions that a person grades to their
    points, which are in no total.

    `visibility` says who sees the checks of an exercise ("naive_padding") or one check ("naive_padding/zeros"); it
    overrides the grader's own mark. `builds_on` names for an exercise those on which students build it, each with the
    share of its points that stays lost if the student's own is wrong there. `gradescope` is read by the package of that
    name. The last three say why something that `verify` reports is meant: exercises without public tests, public tests
    that pass on the skeleton, and patterns of `forbids` that match nothing in this version of PyTorch; each with the
    reason.
    """

    slug: str
    root: Path
    title: str
    exercises: dict[str, float]
    bonus: dict[str, float] = {}
    penalties: dict[str, float] = {}
    cap: float | None = None
    manual: dict[str, float] = {}
    salt: str = ""
    examples: int = 20
    limits: Limits = Limits()
    visibility: dict[str, Visibility] = {}
    builds_on: dict[str, dict[str, float]] = {}
    gradescope: dict[str, Any] = {}
    submission: Submitted = Submitted()
    preload: tuple[Preload, ...] = ()
    without_public_tests: dict[str, str] = {}
    passes_unwritten: dict[str, str] = {}
    forbids_nothing: dict[str, str] = {}

    @property
    def module(self) -> str:
        """The name of the module that a student hands in."""
        return self.slug

    @property
    def file_names(self) -> tuple[str, str]:
        return f"{self.module}.py", f"{self.module}.ipynb"

    @property
    def max_points(self) -> float:
        return round(sum(points for name, points in self.exercises.items() if name not in self.bonus), 6)

    @property
    def manual_points(self) -> float:
        return round(sum(self.manual.values()), 6)

    @property
    def other_files(self) -> tuple[str, ...]:
        """Patterns of the files that a submission may hold beside the one that is graded."""
        return self.submission.files

    def visibility_of(self, exercise: str, check: str) -> Visibility | None:
        """Who sees a check, if this file says so."""
        return self.visibility.get(f"{exercise}/{check}") or self.visibility.get(exercise)

    @property
    def graders(self) -> Path:
        return self.root / "graders" / self.slug

    @property
    def solution(self) -> Path:
        return self.root / "solutions" / self.slug / f"{self.module}.py"

    @property
    def release(self) -> Path:
        """What students receive."""
        return self.root / "assignments" / self.slug


def assignment_slugs(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("graders/*/assignment.toml"))


def load_assignment(root: Path, slug: str) -> Assignment:
    """Reads `graders/<slug>/assignment.toml`.

    Raises:
        UsageError: there is no such assignment, or its file has a mistake.
    """
    path = root / "graders" / slug / "assignment.toml"
    if slug not in assignment_slugs(root):
        known = ", ".join(assignment_slugs(root))
        raise UsageError(f"There is no assignment {slug!r} in {root}; choose one of: {known}.")
    fields = {"slug": slug, "root": str(root), **read_toml(path)}
    try:
        assignment = msgspec.convert(fields, Assignment, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        raise UsageError(f"Correct {path}: {error}.") from error
    if mistake := _mistake_in_extras(assignment):
        raise UsageError(f"Correct {path}: {mistake}.")
    assignment = msgspec.structs.replace(assignment, exercises=assignment.exercises | assignment.bonus)
    wrong = [name for name, points in assignment.exercises.items() if not 0 < points < float("inf")]
    if wrong or not assignment.exercises:
        raise UsageError(f"Correct {path}: [exercises] must give each exercise a positive number of points.")
    unknown = [key for key in assignment.visibility if key.split("/")[0] not in assignment.exercises]
    if unknown:
        raise UsageError(f"Correct {path}: [visibility] names {unknown[0]!r}, which is not one of its exercises.")
    if mistake := _mistake_in_worth(assignment.builds_on, assignment.exercises):
        raise UsageError(f"Correct {path}: [builds_on] {mistake}.")
    for pattern in assignment.other_files:
        if mistake := mistake_in(pattern, assignment.module):
            raise UsageError(f"Correct {path}: [submission] files: {pattern!r} {mistake}.")
    unknown = [key for key in assignment.without_public_tests if key not in assignment.exercises]
    if unknown:
        text = f"[without_public_tests] names {unknown[0]!r}, which is not one of its exercises"
        raise UsageError(f"Correct {path}: {text}.")
    return assignment


def _mistake_in_extras(assignment: Assignment) -> str:
    """What is wrong with bonus, penalties, cap and manual; empty if nothing is."""
    exercises, bonus = assignment.exercises, assignment.bonus
    for name, points in bonus.items():
        if name in exercises:
            return f"{name} is both in [exercises] and in [bonus]; leave one of them out"
        if not 0 < points < float("inf"):
            return f"[bonus] must give {name} a positive number of points"
    for key, points in assignment.penalties.items():
        if "/" not in key or key.split("/")[0] not in exercises | bonus:
            return f'[penalties] names {key!r}; write a check of one of its exercises as "exercise/check"'
        if not 0 < points < float("inf"):
            return f"[penalties] must give {key} a positive number of points, which are taken off"
    if assignment.cap is not None and not sum(exercises.values()) <= assignment.cap < float("inf"):
        return f"cap must be at least the {sum(exercises.values()):g} points of [exercises]"
    for name, points in assignment.manual.items():
        if name in exercises | bonus:
            return f"[manual] names {name}, which is an exercise; give the question another name"
        if not 0 < points < float("inf"):
            return f"[manual] must give {name} a positive number of points"
    return ""


def _mistake_in_worth(builds_on: Mapping[str, Mapping[str, float]], exercises: Collection[str]) -> str:
    """What is wrong with `builds_on`; empty if nothing is."""
    for exercise, worth in builds_on.items():
        for name in (exercise, *worth):
            if name not in exercises:
                return f"names {name!r}, which is not one of its exercises"
        for other, share in worth.items():
            if not 0 < share <= 1:
                return f"says that {other} is worth {share} of {exercise}; give a share above 0, and at most 1"
            if other == exercise:
                return f"says that {exercise} builds on itself"
    return ""


def load_assignments(root: Path, slugs: Iterable[str] = ()) -> list[Assignment]:
    """These assignments, each once; without `slugs`, all of the course.

    Raises:
        UsageError: as for `load_assignment`.
    """
    return [load_assignment(root, slug) for slug in dict.fromkeys(slugs) or assignment_slugs(root)]


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file; raises UsageError if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"Correct {path}: {error}.") from error


def empty_result(
    assignment: Assignment, state: State, *, submission: str = "", notice: str = "", log: tuple[str, ...] = ()
) -> Result:
    """A result for this assignment without checks, and so without points."""
    exercises = tuple(
        ExerciseResult(name, points, bonus=name in assignment.bonus) for name, points in assignment.exercises.items()
    )
    return Result(
        assignment.slug,
        assignment.title,
        submission,
        state,
        exercises,
        notice,
        log,
        cap=assignment.cap,
        manual=assignment.manual_points,
    )


def require_exercises(exercises: tuple[str, ...], assignments: list[Assignment]) -> None:
    """Raises UsageError unless each of `exercises` belongs to one of `assignments`."""
    known = [name for assignment in assignments for name in assignment.exercises]
    if unknown := [name for name in exercises if name not in known]:
        raise UsageError(f"There is no exercise {unknown[0]!r} here; choose from: {', '.join(known)}.")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that does not exist; empty if no known one is like it."""
    alike = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {alike[0]}?" if alike else ""


def _to_path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
