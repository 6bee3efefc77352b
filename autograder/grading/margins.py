"""How close the answers to one check come to being wrong, for `autograder grade --explain-pass`."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.grading.comparison import Difference, compare
from autograder.grading.tolerance import Error, Standard, Tolerance, watched
from autograder.results.model import Margin
from autograder.sandbox.values import Outcome, Raised


@dataclass
class Margins:
    """What is known of the answers so far, with the largest error of each comparison of numbers."""

    compared: int = 0
    wrong: int = 0
    exceptions: int = 0
    errors: list[Error] = field(default_factory=list)

    def compare(self, expected: Outcome, got: Outcome, standard: Standard) -> Difference | None:
        with watched() as errors:
            difference = compare(expected, got, standard)
        self.compared += 1
        self.wrong += difference is not None
        self.exceptions += isinstance(expected, Raised)
        self.errors += errors
        return difference

    def result(self) -> Margin:
        worst = max(self.errors, key=lambda error: error.share, default=None)
        bound = worst.bound if worst else Tolerance(0.0, 0.0)
        largest = worst.share if worst else None
        return Margin(self.compared, self.wrong, self.exceptions, largest, bound.relative, bound.absolute)
