"""What an instructor can set for Gradescope: `[gradescope]` in assignment.toml, with defaults for the whole course in
`graders/gradescope.toml`. Every policy is off until it is set there."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from autograder.course import Assignment, read_toml
from autograder.errors import UsageError

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class LatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each started day after the due date costs a share of the points earned; up to `grace_minutes` late is on time."""

    percent_per_day: Percent
    grace_minutes: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    at_most_percent: Percent = 100.0


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `submissions` graded submissions within any period of `hours`."""

    submissions: Annotated[int, msgspec.Meta(ge=1)]
    hours: Annotated[float, msgspec.Meta(gt=0, le=24 * 366)] = 24.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`titles` are other names of the assignment on the platform; `largest_group` is how many may hand in together."""

    deadline_seconds: Annotated[float, msgspec.Meta(ge=10, le=2400)] = 480.0
    titles: tuple[str, ...] = ()
    leaderboard_seconds: bool = False
    best_of_previous: bool = False
    largest_group: Annotated[int, msgspec.Meta(ge=1)] | None = None
    late: LatePolicy | None = None
    rate_limit: RateLimit | None = None


def load_settings(assignment: Assignment) -> Settings:
    """The course's settings with the assignment's own on top, key by key.

    Raises:
        UsageError: one of the files has a mistake.
    """
    path = assignment.root / "graders" / "gradescope.toml"
    fields = read_toml(path) if path.exists() else {}
    _converted(fields, str(path))
    return _converted(fields | assignment.gradescope, f"{assignment.graders / 'assignment.toml'} under [gradescope]")


def _converted(fields: dict[str, Any], where: str) -> Settings:
    try:
        return msgspec.convert(fields, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"Correct {where}: {error}.") from error
