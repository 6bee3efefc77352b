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


def forbids(*families: str | tuple[str, ...]) -> pytest.MarkDecorator:
    """Fails a check as soon as the submission uses an operator, function or layer of PyTorch's that matches one of the
    patterns. Each argument is a pattern or a family of patterns (see `operators`)."""
    patterns = [pattern for family in families for pattern in ((family,) if isinstance(family, str) else family)]
    return pytest.mark.forbids(*patterns)


def visibility(value: str) -> pytest.MarkDecorator:
    """Who sees a check: "visible" (the default), "after_due_date", "after_published" or "hidden"."""
    return pytest.mark.visibility(Visibility(value))


def time_limit(seconds: float) -> pytest.MarkDecorator:
    """A time limit for one check, for all its examples together, that replaces `limits.check_seconds`."""
    return pytest.mark.time_limit(float(seconds))


def unproven(because: str) -> pytest.MarkDecorator:
    """Says why no misconception fails a check, on purpose. Without this, `verify` reports such a check."""
    return pytest.mark.unproven(because)


@dataclass(frozen=True)
class Misconception:
    """A known wrong way to do an exercise: `variant` replaces what the solution defines under the exercise's name.
    The other fields are what `misconception` takes."""

    exercise: str
    name: str
    hint: str
    variant: Callable[..., Any]
    also: Mapping[str, str] = field(default_factory=dict)
    crashes: bool = False
    as_good_as: str = ""
    severe: str = ""
    includes: tuple[str, ...] = ()


def misconception(
    exercise: str,
    hint: str,
    also: Mapping[str, str] | None = None,
    *,
    crashes: bool = False,
    as_good_as: str = "",
    severe: str = "",
    includes: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Declares the decorated function or class to be a known wrong variant of `exercise`.

    Args:
        exercise: the name whose definition in the solution it replaces, as graders see it. If that is data, decorate
            a function without parameters that returns the wrong data.
        hint: what to tell a student whose answers equal this variant's; it should teach without giving the answer away.
        also: other exercises that lose points too, because the solution builds them on this one, each with the reason.
        crashes: the variant answers no question of the exercise's checks: it raises, does not end or does not load.
        as_good_as: where this one's hint is not shown, the misconception of the exercise whose hint is shown instead
            and helps as much; or the check, if that has a hint of its own.
        severe: why it costs more than half of the exercise.
        includes: other misconceptions of the exercise that are part of this one, so that their hints do not mislead.
    """

    def declare(variant: F) -> F:
        declared = Misconception(
            exercise, variant.__name__, hint, variant, also or {}, crashes, as_good_as, severe, includes
        )
        variant.misconception = declared  # type: ignore[attr-defined]
        return variant

    return declare


# --- how the kit reads them ------------------------------------------------------------------------------------------


def mark(item: pytest.Item, name: str) -> Any:
    """The first argument of a check's mark; None if it does not have the mark."""
    found = item.get_closest_marker(name)
    return found.args[0] if found and found.args else None


def forbidden(item: pytest.Item) -> tuple[str, ...]:
    """The patterns of everything that a check forbids."""
    return tuple(pattern for families in item.iter_markers("forbids") for pattern in families.args)


def name_of(item: pytest.Item) -> str:
    """A check's name, without the parameters in brackets if those only say which exercise it is."""
    name = item.name.removeprefix("test_")
    return name.replace(f"[{mark(item, 'exercise')}]", "")


def title_of(item: pytest.Item) -> str:
    text = re.sub(r"\s+", " ", (item.obj.__doc__ or "")).strip()  # type: ignore[attr-defined]
    return text or name_of(item).replace("_", " ")
