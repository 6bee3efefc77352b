"""Reads `submission_metadata.json`: who handed in, when, for which assignment, and the earlier submissions.

The platform writes the file and decides its format: whatever is missing or odd is left out and reported in `problems`
for the instructor. No policy may punish a student for it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

MAX_BYTES = 64 * 2**20  # it includes the results of the previous submission


@dataclass(frozen=True)
class Previous:
    """An earlier submission by the same student or group. `failed`: the autograder failed, not the student."""

    at: datetime
    score: float
    failed: bool = False


@dataclass(frozen=True)
class Metadata:
    """`previous` is in order of time and contains only what was handed in before this submission."""

    title: str = ""
    created: datetime | None = None
    due: datetime | None = None
    total_points: float | None = None
    users: tuple[str, ...] = ()
    previous: tuple[Previous, ...] = ()
    problems: tuple[str, ...] = ()


def read_metadata(path: Path) -> Metadata:
    """Never raises, whatever the file contains and even if it does not exist."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        fields = json.loads(data)
        if not isinstance(fields, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        return Metadata(problems=(f"{path.name} cannot be used: {error}",))
    return _interpret(fields)


def _interpret(fields: dict[str, Any]) -> Metadata:
    problems: list[str] = []
    assignment = fields.get("assignment")
    if not isinstance(assignment, dict):
        problems.append("the metadata does not name an assignment")
        assignment = {}
    created = _moment(fields.get("created_at"))
    if created is None:
        problems.append("the metadata does not say when this was handed in: no late penalty or rate limit is applied")
    due = _moment(assignment.get("due_date"))
    if due is None and assignment.get("due_date") is not None:
        problems.append("the due date in the metadata cannot be read: no late penalty is applied")
    title = assignment.get("title")
    return Metadata(
        title=title if isinstance(title, str) else "",
        created=created,
        due=due,
        total_points=_number(assignment.get("total_points")),
        users=tuple(_name(user) for user in _dicts(fields.get("users"))),
        previous=_previous(fields.get("previous_submissions"), created),
        problems=tuple(problems),
    )


def _previous(value: object, created: datetime | None) -> tuple[Previous, ...]:
    """A regrade may run later: submissions that came after this one are left out."""
    found = []
    for entry in _dicts(value):
        at, score = _moment(entry.get("submission_time")), _number(entry.get("score"))
        if at is not None and (created is None or at < created):
            failed = bool(entry.get("autograder_error")) or score is None
            found.append(Previous(at, score or 0.0, failed))
    return tuple(sorted(found, key=lambda previous: previous.at))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _name(user: dict[str, Any]) -> str:
    return next((str(user[key]) for key in ("name", "email", "id") if user.get(key)), "somebody")


def _moment(value: object) -> datetime | None:
    """A time with an offset; a time without one is taken as UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = msgspec.convert(value, datetime)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        aware.astimezone(timezone.utc)  # overflows at the ends of time
    except (msgspec.ValidationError, OverflowError, ValueError):
        return None
    return aware


def _number(value: object) -> float | None:
    """The platform writes some numbers as strings."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
