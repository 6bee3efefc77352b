"""What each misconception costs, as a share of its exercise's points: one mistake should cost its part, not the whole.

A mistake that costs more than half is listed with the reason that its declaration gives (`severe="…"`).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping

from autograder.grading.marks import Misconception
from autograder.results.model import Result

SEVERE = 0.5


class Costs:
    """Collects the costs of the misconceptions in `tried`, which has them by label."""

    def __init__(self, tried: Mapping[str, Misconception]) -> None:
        self._tried = tried
        self._shares: dict[str, float] = {}  # the largest of its runs, by label

    def add(self, label: str, result: Result) -> None:
        """Adds a graded run of a misconception."""
        for exercise in result.exercises:
            if exercise.name == self._tried[label].exercise:
                share = exercise.lost / exercise.max_points
                self._shares[label] = max(share, self._shares.get(label, 0.0))

    def of(self, exercise: str) -> list[float]:
        """The shares that the misconceptions of an exercise cost."""
        return [share for label, share in self._shares.items() if self._tried[label].exercise == exercise]

    @property
    def severe(self) -> list[str]:
        """A line for each mistake that costs more than half, with the reason for it."""
        return [
            f"{label} costs {share:.0%}: {self._tried[label].severe}"
            for label, share in self._shares.items()
            if share > SEVERE and self._tried[label].severe
        ]

    def warnings(self) -> Iterable[str]:
        """Mistakes that cost more than half without a reason, and reasons that are not needed."""
        for label, share in self._shares.items():
            item = self._tried[label]
            if share > SEVERE and not item.severe and not item.crashes:
                text = f"{label} costs {share:.0%} of {item.exercise}"
                yield f"{text}; let fewer checks depend on it, or give the reason with severe=…"
            elif share <= SEVERE and item.severe:
                yield f"{label} declares severe=…, but costs only {share:.0%} of {item.exercise}"


def median(shares: list[float]) -> float:
    return statistics.median(shares) if shares else 0.0
