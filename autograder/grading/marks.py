"""The names that graders and files of misconceptions use to say what they are about. Most are ordinary pytest marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from autograder.results.model import Visibility

F = TypeVar("F", bound=Callable[..., Any])


def exercise(name: str) -> pytest.MarkDecorator:
    """The exercise (a key of `[exercises]` in assignment.toml) that a check, or every check in a file, belongs to."""
    return pytest.mark.exercise(name)


def points(value: float) -> pytest.MarkDecorator:
    """What a check is worth. The points of an exercise's checks must add up to those of the exercise."""
    return pytest.mark.points(float(value))


def forbids(*families: tuple[str, ...]) -> pytest.MarkDecorator:
    """Fails a check as soon as the submission dispatches an operator of these families (see `operators`)."""
    return pytest.mark.forbids(*(pattern for family in families for pattern in family))


def visibility(value: str) -> pytest.MarkDecorator:
    """Who sees a check: "visible" (the default), "after_due_date", "after_published" or "hidden"."""
    return pytest.mark.visibility(Visibility(value))


def time_limit(seconds: float) -> pytest.MarkDecorator:
    """A time limit for one check, for all its examples together, that replaces `limits.check_seconds`."""
    return pytest.mark.time_limit(float(seconds))


@dataclass(frozen=True)
class Misconception:
    """A known wrong way to do an exercise: `variant` replaces what the solution defines under the exercise's name."""

    exercise: str
    name: str
    hint: str
    variant: Callable[..., Any]
    also: Mapping[str, str] = field(default_factory=dict)


def misconception(exercise: str, hint: str, also: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Declares the decorated function or class to be a known wrong variant of `exercise`.

    Args:
        exercise: the name whose definition in the solution it replaces, as graders see it. If that is data, decorate
            a function without parameters that returns the wrong data.
        hint: what to tell a student whose answers equal this variant's; it should teach without giving the answer away.
        also: other exercises that lose points too, because the solution builds them on this one, each with the reason.
    """

    def declare(variant: F) -> F:
        variant.misconception = Misconception(exercise, variant.__name__, hint, variant, also or {})  # type: ignore[attr-defined]
        return variant

    return declare


# --- how the kit reads them ------------------------------------------------------------------------------------------


def mark(item: pytest.Item, name: str) -> Any:
    """The first argument of a check's mark; None if it does not have the mark."""
    found = item.get_closest_marker(name)
    return found.args[0] if found and found.args else None


def name_of(item: pytest.Item) -> str:
    """A check's name, without the parameters in brackets if those only say which exercise it is."""
    name = item.name.removeprefix("test_")
    return name.replace(f"[{mark(item, 'exercise')}]", "")


def title_of(item: pytest.Item) -> str:
    text = re.sub(r"\s+", " ", (item.obj.__doc__ or "")).strip()  # type: ignore[attr-defined]
    return text or name_of(item).replace("_", " ")
