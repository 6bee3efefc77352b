"""The known wrong variants of an assignment's solution, built when they are first needed."""

from __future__ import annotations

import functools
import types

from autograder.course import Assignment
from autograder.grading.marks import Misconception
from autograder.grading.recording import RecordedQuestion
from autograder.grading.reference import SHARED, load_misconceptions, load_variant
from autograder.grading.trusted import Variant
from autograder.sandbox.values import Outcome


class Variants:
    """Knows the misconceptions of one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._modules: dict[str, types.ModuleType] = {}

    @functools.cached_property
    def known(self) -> list[Misconception]:
        return load_misconceptions(self._assignment)

    def of(self, exercise: str) -> list[Misconception]:
        return [one for one in self.known if one.exercise == exercise]

    def stand_in(self, misconception: Misconception) -> Variant:
        """Answers with this variant.

        Raises:
            EngineError: it cannot be built.
        """
        name = misconception.name
        if name not in self._modules:
            self._modules[name] = load_variant(self._assignment, misconception)
        return Variant(self._modules[name], (f"<{name}>", SHARED))

    def answer(self, misconception: Misconception, recorded: RecordedQuestion) -> Outcome:
        """What this variant answers to a question."""
        variant = self.stand_in(misconception)
        variant.begin(misconception.exercise)
        return variant.ask(recorded.question)[0].outcome
