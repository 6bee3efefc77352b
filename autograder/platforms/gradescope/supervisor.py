"""What `run_autograder` becomes: grades this container's one submission under the course's policies.

What is printed is for the instructor: the platform hides it from students.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from autograder.course import Assignment
from autograder.errors import UsageError
from autograder.platforms.gradescope import policies
from autograder.platforms.gradescope.metadata import Metadata, read_metadata
from autograder.platforms.gradescope.settings import Settings, load_settings
from autograder.platforms.places import Places
from autograder.platforms.supervisor import Platform, assignments_in, leave, record, supervise
from autograder.results import gradescope
from autograder.results.model import Result
from autograder.results.overview import Settlement

HOME = Path("/autograder")


def main(root: str, *options: str) -> NoReturn:
    """Exits with 0 if there is a score, whatever it is, and with 1 if we failed.

    With an option nothing is graded: `--check` says whether an image that is being built can grade; `--record` also
    records the reference's answers, so that grading starts sooner.
    """
    place = Path(root)

    def does() -> int:
        if not options:
            return supervise(Gradescope(place))
        check(place)
        if "--record" in options:
            record(place / "source", places_in(place).recordings)
        return 0

    leave(does)


def places_in(root: Path) -> Places:
    """The platform recreates everything in `root`, which is /autograder, except `source` for every run. The root can be
    another folder, so that everything runs in tests."""
    source, results, submission = (root / name for name in ("source", "results", "submission"))
    secret = (source, results, submission, root / "submission_metadata.json", root / "run_autograder")
    return Places(root, source, submission, results, secret, is_container=root == HOME)


def check(root: Path) -> None:
    """Reads everything in which an instructor may have made a mistake; raises UsageError if there is one."""
    assignments = assignments_in(root / "source")
    for assignment in assignments.values():
        load_settings(assignment)
    default = _default(root)
    if default and default not in assignments:
        raise UsageError(f"The build argument ASSIGNMENT={default} is not one of: {', '.join(assignments)}.")
    print(f"autograder: can grade {', '.join(assignments)}", flush=True)


def _default(root: Path) -> str:
    """The assignment that the image was built for, if it was built for one."""
    place = root / "source" / "default_assignment"
    return place.read_text(encoding="utf-8").strip() if place.exists() else ""


class Gradescope(Platform):
    """`settlement` is what the policies make of a submission that they keep from being graded."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings()
        super().__init__(places_in(root), self.settings.deadline_seconds)
        self.metadata = Metadata()
        self.settlement: Settlement | None = None

    def prepare(self) -> None:
        root = self.places.root
        self.metadata = read_metadata(root / "submission_metadata.json")
        self.title = self.metadata.title
        self.log += self.metadata.problems
        self.default = _default(root)

    def titles(self, assignments: Mapping[str, Assignment]) -> Mapping[str, tuple[str, ...]]:
        return {slug: load_settings(assignment).titles for slug, assignment in assignments.items()}

    def chosen(self, assignment: Assignment) -> None:
        super().chosen(assignment)
        self.settings = load_settings(assignment)
        self.deadline_seconds = self.settings.deadline_seconds

    def refuses(self) -> bool:
        assert self.assignment is not None
        ours, theirs = self.assignment.max_points, self.metadata.total_points
        with_manual = ours + self.assignment.manual_points
        if theirs is not None and min(abs(ours - theirs), abs(with_manual - theirs)) > 1e-6:
            worth = f"{self.assignment.slug} is worth {ours:g} points here and {theirs:g} on the platform"
            self.log.append(f"{worth}: set it to {ours:g} there")
        self.settlement = policies.refuse(self.settings, self.metadata)
        return self.settlement is not None

    def write(self, result: Result) -> None:
        settlement = self.settlement or policies.settle(result.points, self.settings, self.metadata)
        seconds = self.settings.leaderboard_seconds
        gradescope.write(result, self.places.root / "results/results.json", settlement, leaderboard_seconds=seconds)
