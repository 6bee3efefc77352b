"""The known wrong variants of an assignment's solution, built when they are first needed."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograder.course import Assignment
from autograder.grading.marks import Misconception
from autograder.grading.recording import RecordedQuestion
from autograder.grading.reference import (
    load_misconceptions,
    load_variant,
    load_with,
    missing,
    replacement,
    solution_source,
)
from autograder.grading.trusted import Variant
from autograder.sandbox.name_dependencies import references
from autograder.sandbox.values import Outcome


class Variants:
    """Knows the misconceptions of one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._modules: dict[str, types.ModuleType] = {}

    @functools.cached_property
    def known(self) -> list[Misconception]:
        return load_misconceptions(self._assignment)

    @functools.cached_property
    def references(self) -> dict[str, list[str]]:
        """For each exercise, what the solution builds it on."""
        return references([solution_source(self._assignment)])

    def of(self, exercise: str) -> list[Misconception]:
        return [one for one in self.known if one.exercise == exercise]

    def stand_in(self, misconception: Misconception, *, everywhere: bool = False) -> Variant:
        """Answers with this variant. If it is wrong `everywhere`, what the solution builds on the exercise is built on
        the variant, else on what is right.

        Raises:
            EngineError: it cannot be built.
        """
        name = misconception.name
        if everywhere:
            return self._variant(f"{name}, everywhere", lambda: self.solution_on(self.replaced([misconception])))
        return self._variant(name, lambda: load_variant(self._assignment, misconception))

    def without(self, exercise: str) -> Variant:
        """Answers with the solution, in which every use of this exercise raises an exception."""
        return self._variant(f"without {exercise}", lambda: self.solution_on({exercise: missing}))

    def replaced(self, misconceptions: Iterable[Misconception]) -> dict[str, Any]:
        """What these variants put in the places of their exercises.

        Raises:
            EngineError: one cannot be built.
        """
        return {one.exercise: replacement(self._assignment, one) for one in misconceptions}

    def solution_on(self, replaced: Mapping[str, Any]) -> types.ModuleType:
        """The solution, built on what is `replaced` in it, by exercise."""
        return load_with(self._assignment, replaced, "the solution on other code")

    def variant_on(self, misconception: Misconception, replaced: Mapping[str, Any]) -> Variant:
        """Answers with this variant, built on what is `replaced`.

        Raises:
            EngineError: it cannot be built.
        """
        return Variant(load_variant(self._assignment, misconception, replaced))

    def answer(self, misconception: Misconception, recorded: RecordedQuestion, *, everywhere: bool = False) -> Outcome:
        """What this variant answers to a question."""
        variant = self.stand_in(misconception, everywhere=everywhere)
        variant.begin(misconception.exercise)
        return variant.ask(recorded.question)[0].outcome

    def _variant(self, name: str, load: Callable[[], types.ModuleType]) -> Variant:
        if name not in self._modules:
            self._modules[name] = load()
        return Variant(self._modules[name])
