"""Finds the known misconception that explains what a student's code does wrong."""

from __future__ import annotations

import contextlib
import functools
import time
import types
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.comparison import Tolerance, compare
from autograder.grading.marks import Misconception
from autograder.grading.reference import evaluate, load_misconceptions, load_variant
from autograder.sandbox.values import Outcome, Raised, Returned

PATIENCE_SECONDS = 5.0  # for one failed check: if the variants are large networks, a hint is not worth more


@dataclass(frozen=True)
class Evidence:
    """A probe on which the submission failed, and its answer."""

    probe: bytes
    seed: int
    got: Outcome
    tolerance: Tolerance | None = None


class Diagnosis:
    """Knows the misconceptions of one assignment; the wrong variants are built when first needed."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._variants: dict[str, types.ModuleType] = {}

    @functools.cached_property
    def known(self) -> list[Misconception]:
        return load_misconceptions(self._assignment)

    def prepare(self) -> None:
        """Does the work of the first diagnosis beforehand, so that forks of this process need not do it."""
        with contextlib.suppress(EngineError):  # reported when it matters
            for candidate in self.known[:1]:
                load_variant(self._assignment, candidate)

    def explain(self, exercise: str, evidence: Sequence[Evidence]) -> Misconception | None:
        """The first misconception whose outcomes equal the submission's wherever it failed, if there is one."""
        # An exception says too little about how the student's code came to raise it.
        telling = [item for item in evidence if isinstance(item.got, Returned)]
        if not telling:
            return None
        give_up = time.monotonic() + PATIENCE_SECONDS
        for candidate in self.known:
            if candidate.exercise == exercise and time.monotonic() < give_up:
                with contextlib.suppress(EngineError):  # `verify` reports broken variants
                    if all(self._agrees(candidate, item) for item in telling):
                        return candidate
        return None

    def _agrees(self, candidate: Misconception, item: Evidence) -> bool:
        if candidate.name not in self._variants:
            self._variants[candidate.name] = load_variant(self._assignment, candidate)
        outcome = evaluate(item.probe, self._variants[candidate.name], item.seed)
        return not isinstance(outcome, Raised) and compare(outcome, item.got, item.tolerance) is None
