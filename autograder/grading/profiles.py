"""How the known wrong variants of an assignment do in the checks of their exercises. This is found out once, when a
submission first fails in an exercise, and kept with the recordings."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec
import pytest

from autograder.errors import EngineError
from autograder.grading.archive import Profiles
from autograder.grading.children import in_parallel, isolated
from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import mark
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
from autograder.grading.trusted import Variant
from autograder.jobs import Job, WarmUp
from autograder.submissions.reading import Submission

_PROFILES = msgspec.msgpack.Decoder(dict[str, Profiles])
_PROFILE = msgspec.msgpack.Decoder(dict[str, Profile])


def complete(order: WarmUp, prepared: Prepared, checks: Sequence[pytest.Item]) -> None:
    """Finds out now what `of_exercise` would find out later, for all exercises."""

    def some(share: list[str]) -> dict[str, Profiles]:
        return {exercise: of_exercise(order, prepared, checks, exercise) for exercise in share}

    exercises = list(prepared.assignment.exercises)
    prepared.archive.learn_profiles(in_parallel(some, exercises, 1, msgspec.msgpack.encode, _PROFILES.decode))


def of_exercise(order: WarmUp, prepared: Prepared, checks: Sequence[pytest.Item], exercise: str) -> Profiles:
    """How each misconception of this exercise does, by name and check; one that cannot be built is left out."""

    def find_out() -> Profiles:
        found = {}
        for one in prepared.variants.of(exercise):
            with contextlib.suppress(EngineError):  # it does not run, as `verify` says
                found[one.name] = of(order, prepared, checks, exercise, prepared.variants.stand_in(one))
        return found

    return prepared.archive.profiles(exercise, find_out)


def of(
    order: WarmUp, prepared: Prepared, checks: Sequence[pytest.Item], exercise: str, variant: Variant
) -> dict[str, Profile]:
    """How one variant does in the checks of an exercise. It is asked in a process of its own, since some variants leave
    traces in PyTorch, and some end their process.

    Raises:
        EngineError: it does.
    """

    def work() -> bytes:
        return msgspec.msgpack.encode(of_harmless(order, prepared, checks, exercise, variant))

    return _PROFILE.decode(isolated(work))


def of_harmless(
    order: WarmUp, prepared: Prepared, checks: Sequence[pytest.Item], exercise: str, variant: Variant
) -> dict[str, Profile]:
    """The same, in this process."""
    return {name: its for name, (its, _) in heard(order, prepared, checks, exercise, variant).items()}


def heard(
    order: WarmUp, prepared: Prepared, checks: Sequence[pytest.Item], exercise: str, variant: Variant
) -> dict[str, tuple[Profile, Heard]]:
    """What a variant answers in the checks of an exercise, by check."""
    job = Job(order.course, order.slug, Submission("a variant", "", (), False), order.salt, explain=False)
    plugin = GradingPlugin(job, prepared, variant)
    plugin.run([check for check in checks if mark(check, "exercise") == exercise])
    return plugin.heard[exercise]
