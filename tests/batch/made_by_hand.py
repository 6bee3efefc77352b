"""Results of a class without an engine: what a submission is worth stands in it."""

from __future__ import annotations

import re
from concurrent.futures import Future
from pathlib import Path

from autograder.batch.discovery import discover
from autograder.batch.runner import Run
from autograder.batch.store import Roll, Store
from autograder.course import Assignment, load_assignment
from autograder.errors import EngineError
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.submissions.reading import Submission
from toy_course import toy_course


def result_of(worth: dict[str, dict[str, float]], most: float = 2.0) -> Result:
    """A result with these points per exercise and check."""
    exercises = []
    for exercise, checks in worth.items():
        found = tuple(
            CheckResult(
                exercise, name, f"Sentence of {name}.", Status.PASSED if points else Status.FAILED, most, points
            )
            for name, points in checks.items()
        )
        exercises.append(ExerciseResult(exercise, most * len(found), found))
    return Result("tiny", "Tiny", "somebody", State.GRADED, tuple(exercises))


class Marker:
    """A grader that gives what `FIRST = 2` and `SECOND = 1` in a submission say, times `factor`, and 0 for more than 2
    points. With `dies`, it fails."""

    device, capacity = "", 1  # one after the other, in the order of their names

    def __init__(self, factor: float = 1.0, *, dies: bool = False) -> None:
        self._factor = factor
        self._dies = dies
        self.graded = 0

    def submit(self, submission: Submission) -> Future[Result]:
        self.graded += 1
        future: Future[Result] = Future()
        if self._dies:
            future.set_exception(EngineError("the judge died"))
            return future
        said = re.findall(r"(\w+) = (\d)", submission.cells[0].source)
        found = {name.lower(): float(points) * self._factor for name, points in said}
        future.set_result(result_of({"both": {name: points * (points <= 2) for name, points in found.items()}}))
        return future


class HandGraded:
    """A class of `sources` by name, graded again and again into the same folder."""

    def __init__(self, root: Path, sources: dict[str, str]) -> None:
        self.course = toy_course(
            root / "course", "tiny", exercises={"both": 4}, salt="pepper", solution="#\n", checks="#\n"
        )
        self.folder = root / "class"
        self.folder.mkdir()
        self.store = Store(root / "out")
        self.said: list[str] = []
        for name, source in sources.items():
            self.hands_in(name, source)

    @property
    def assignment(self) -> Assignment:
        return load_assignment(self.course, "tiny")

    def hands_in(self, name: str, source: str) -> None:
        (self.folder / f"{name}.py").write_text(source)

    def change_graders(self) -> None:
        with (self.course / "graders/tiny/test_tiny.py").open("a") as file:
            file.write("# changed\n")

    def run(self, grader: Marker | None = None, salt: str = "", **options: bool) -> Run:
        """One run of `autograder batch`."""
        roster = discover(self.folder, "tiny")
        self.said.clear()
        with self.store as store:
            store.call(Roll("tiny", "Tiny", self.assignment.exercises, tuple(roster.found)))
            run = Run(
                self.assignment,
                grader or Marker(),
                store,
                salt,
                lambda name, line: self.said.append(f"{name}: {line}"),
                lambda *_: None,
                **options,
            )
            run(roster.found)
        return run

    def points(self, name: str) -> float | None:
        """What counts; None if it could not be graded."""
        record = self.store.record(name)
        return record.points if record and record.state is State.GRADED else None
