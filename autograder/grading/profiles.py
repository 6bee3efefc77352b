"""How the known wrong variants of an assignment do in the checks of their exercises. This is found out once, when a
submission first fails in an exercise, and kept with the recordings."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

import msgspec
import pytest

from autograder.errors import EngineError
from autograder.grading.archive import Profiles
from autograder.grading.children import in_parallel, isolated
from autograder.grading.hearing import Profile
from autograder.grading.marks import Misconception, mark
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
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

    its_checks = [check for check in checks if mark(check, "exercise") == exercise]

    def find_out() -> Profiles:
        found = {}
        for one in prepared.variants.of(exercise):
            work = functools.partial(_profile, order, prepared, its_checks, one)
            with contextlib.suppress(EngineError):  # it does not run, as `verify` says
                found[one.name] = _PROFILE.decode(isolated(work))  # some leave traces in PyTorch
        return found

    return prepared.archive.profiles(exercise, find_out)


def _profile(order: WarmUp, prepared: Prepared, checks: list[pytest.Item], misconception: Misconception) -> bytes:
    submission = Submission(misconception.name, "", (), False)
    job = Job(order.course, order.slug, submission, order.salt, explain=False)
    plugin = GradingPlugin(job, prepared, prepared.variants.stand_in(misconception))
    plugin.run(checks)
    profiles = {name: its for name, (its, _) in plugin.heard[misconception.exercise].items()}
    return msgspec.msgpack.encode(profiles)
