"""What an instructor may choose for Gradescope: `[gradescope]` in assignment.toml, with defaults for the whole course
in `graders/gradescope.toml`. Every policy is off until it is written down there."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec

from autograder.course import Assignment
from autograder.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class LatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every day begun after the due date costs a share of the points earned; up to `grace_minutes` late is in time."""

    percent_per_day: Percent
    grace_minutes: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    at_most_percent: Percent = 100.0


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many graded submissions in any stretch of so many hours."""

    submissions: Annotated[int, msgspec.Meta(ge=1)]
    hours: Annotated[float, msgspec.Meta(gt=0, le=24 * 366)] = 24.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`titles` are further names that the assignment has on the platform; `largest_group` is how many may hand in
    together."""

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
    fields: dict[str, Any] = {}
    try:
        if path.exists():
            fields = tomllib.loads(path.read_text(encoding="utf-8"))
            msgspec.convert(fields, Settings)
        path = assignment.graders / "assignment.toml"
        return msgspec.convert(fields | assignment.gradescope, Settings)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        where = " under [gradescope]" if path.name == "assignment.toml" else ""
        raise UsageError(f"Correct {path}{where}: {error}.") from error
