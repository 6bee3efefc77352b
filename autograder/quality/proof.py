"""What the runs of wrong variants prove: which checks are failed by one, which variants answer at all, and whose hint
their own code is shown.

A misconception counts as *answering* if a check of its exercise passed on it or failed by a value. One that raises in
every check, by a slip or because it does not even load, is like a stub: it fails everything and proves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from autograder.grading.marks import Misconception
from autograder.jobs import Declared
from autograder.output.inert import one_line
from autograder.quality.subjects import Problem
from autograder.results.model import CheckResult, Result, Status

_RIGHT = (Status.PASSED, Status.EXCUSED)


class Proof:
    """Collects what is known about one assignment; `tried` are its misconceptions by label."""

    def __init__(self, tried: dict[str, Misconception]) -> None:
        self._tried = tried
        self._checks: dict[tuple[str, str], str] = {}  # (exercise, check) → how it ends on the solution
        self._failed: set[tuple[str, str]] = set()
        self._silent: dict[str, str] = {}  # label → what its first failed check says
        self._answering: set[str] = set()
        self._shown: dict[str, set[str]] = {}  # label → the misconceptions or checks whose hints its code is shown

    def add_solution(self, result: Result) -> None:
        self._checks |= {(check.exercise, check.name): check.status.value for check in result.checks}

    def add(self, label: str, result: Result, *, explained: bool) -> None:
        """Adds a graded run of a misconception; `explained` says whether hints were looked for."""
        own = [check for check in result.checks if check.exercise == self._tried[label].exercise]
        if any(check.status in _RIGHT or check.answered for check in own):
            self._answering.add(label)
            self._failed |= {
                (check.exercise, check.name)
                for check in result.checks
                if check.status in (Status.FAILED, Status.TIMEOUT)
            }
        elif own:
            self._silent.setdefault(label, _first_message(own))
        if explained and not all(check.status in _RIGHT for check in own):
            self._shown[label] = {check.misconception or check.name for check in own if check.hint}

    def own_hint(self, label: str) -> bool:
        """Whether the code of this misconception is shown its own hint, or one that is declared to be as good."""
        item, shown = self._tried[label], self._shown.get(label, set())
        return item.name in shown or bool(item.as_good_as and item.as_good_as in shown)

    def unproven(self, declared: Sequence[Declared], complete: Collection[str]) -> list[Problem]:
        """The checks of the exercises in `complete` that no misconception fails although no grader says why."""
        because = {(one.exercise, one.check): one.unproven for one in declared}
        return [
            Problem(
                exercise, f"no misconception fails check {check} of {exercise}; write one, or mark the check unproven"
            )
            for exercise, check in self._checks
            if exercise in complete and (exercise, check) not in self._failed and not because.get((exercise, check))
        ]

    def count_unproven(self, exercise: str) -> int:
        """The number of its checks that no misconception fails, whether a grader says why or not."""
        return sum(its == exercise and (its, check) not in self._failed for its, check in self._checks)

    def problems(self, complete: Collection[str]) -> Iterable[Problem]:
        """Misconceptions that never answer, and those whose own hint is not shown. `complete` are the exercises all of
        whose misconceptions were tried."""
        names = {(item.exercise, item.name) for item in self._tried.values()} | self._checks.keys()
        for label, item in self._tried.items():
            for part in item.includes:
                if item.exercise in complete and (item.exercise, part) not in names:
                    text = f"{label} says includes={part!r}, but {item.exercise} has no misconception of that name"
                    yield Problem(item.exercise, text)
            other = item.as_good_as
            if other and item.exercise in complete and (item.exercise, other) not in names:
                text = (
                    f"{label} says as_good_as={other!r}, but {item.exercise} has no misconception or check of that name"
                )
                yield Problem(item.exercise, text)
            elif label in self._silent and label not in self._answering and not item.crashes:
                text = f"{label} answers no check of {item.exercise}; correct it, or declare crashes=True"
                yield Problem(item.exercise, f"{text}: {self._silent[label]}")
            elif label in self._shown and not item.crashes and not self.own_hint(label):
                yield Problem(item.exercise, f"{label} {self._without_hint(label, item)}")

    def _without_hint(self, label: str, item: Misconception) -> str:
        others = sorted(self._shown[label])
        instead = f"only that of {' and '.join(others)}" if others else "nor is any other"
        if item.as_good_as:
            return f"is shown neither its own hint nor that of {item.as_good_as}"
        return f"is not shown its own hint, {instead}; let a check tell it apart, or declare as_good_as=…"

    def warnings(self, declared: Sequence[Declared]) -> Iterable[str]:
        """Declarations that are not needed."""
        for one in declared:
            if one.unproven and (one.exercise, one.check) in self._failed:
                yield f"check {one.check} of {one.exercise} is marked unproven, but a misconception fails it"
        for label, item in self._tried.items():
            if item.crashes and label in self._answering:
                yield f"{label} declares crashes=True, but answers"
            if item.as_good_as and item.name in self._shown.get(label, ()):
                yield f"{label} declares as_good_as={item.as_good_as!r}, but is shown its own hint"


def _first_message(checks: Sequence[CheckResult]) -> str:
    return one_line(next((check.message for check in checks if check.status not in _RIGHT), ""), 200)
