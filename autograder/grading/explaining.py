"""Why checks fail: which known mistake a submission makes, or which of the student's own exercises it builds on.

None of this is worth a grade: whatever goes wrong here is logged for the instructor, and the results stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from autograder.grading import profiles
from autograder.grading.children import isolated
from autograder.grading.comparison import is_stub
from autograder.grading.diagnosis import explain
from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import Misconception
from autograder.grading.prepared import Prepared
from autograder.grading.recording import RecordedQuestion
from autograder.jobs import WarmUp
from autograder.sandbox.values import Outcome

Check = tuple[str, str]  # exercise and name
_NAMES = msgspec.msgpack.Decoder(dict[str, str])


@dataclass
class Explaining:
    """Explains the checks that a submission failed, exercise by exercise.

    `heard` is what it answered (see `GradingPlugin`); `references` are the names on which the student's definition of
    an exercise builds. What is found is in `mistakes` and, for a check that shows the failing of another exercise, in
    `causes`; `log` says what went wrong.
    """

    order: WarmUp
    prepared: Prepared
    checks: Sequence[pytest.Item]
    heard: Mapping[str, Mapping[str, tuple[Profile, Heard]]]
    references: Mapping[str, Sequence[str]]
    mistakes: dict[Check, Misconception] = field(default_factory=dict)
    causes: dict[Check, list[str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def run(self) -> None:
        for exercise in self._failing():
            try:
                self._explain(exercise)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                place = f"graders/{self.prepared.assignment.slug}, exercise {exercise}"
                self.log.append(f"explaining {place} failed: {type(error).__name__}: {error}")

    def _failing(self) -> list[str]:
        return [exercise for exercise, heard in self.heard.items() if any(its.failed for its, _ in heard.values())]

    def _explain(self, exercise: str) -> None:
        variants, heard = self.prepared.variants, self.heard[exercise]
        builds_on = [one for one in self._failing() if one != exercise and one in self.references.get(exercise, ())]
        alike = [cause for cause in builds_on if cause in variants.references.get(exercise, ())]  # as the solution does
        inherited = [one for cause in alike for one in self._only_mistake(cause)]
        own = () if self._is_untouched(exercise) else variants.of(exercise)
        candidates = {one.name: one for one in (*own, *inherited)}
        known = dict(profiles.of_exercise(self.order, self.prepared, self.checks, exercise) if own else {})
        known |= {one.name: self._profile(exercise, one) for one in inherited}

        def answer(one: Misconception, recorded: RecordedQuestion) -> Outcome:
            return variants.answer(one, recorded, everywhere=one.exercise != exercise)

        def work() -> bytes:
            found = explain(heard, list(candidates.values()), known, answer)
            return msgspec.msgpack.encode({check: one.name for check, one in found.items()})

        names = _NAMES.decode(isolated(work))
        for check, (its, _) in heard.items():
            one = candidates.get(names.get(check, ""))
            if one is not None and one.exercise == exercise:
                self.mistakes[exercise, check] = one
            elif one is not None:
                self.causes[exercise, check] = [one.exercise]
            elif its.failed:
                shown = [cause for cause in builds_on if self._may_show(exercise, check, cause)]
                self.causes |= {(exercise, check): shown} if shown else {}

    def _is_untouched(self, exercise: str) -> bool:
        """Whether all that was heard is the skeleton's exception: no known mistake does the same."""
        answers = [heard for _, heard in self.heard[exercise].values() if heard.right]
        wrong = [got for heard in answers for _, got in heard.wrong.values()]
        return bool(wrong) and not any(map(any, (heard.right for heard in answers))) and all(map(is_stub, wrong))

    def _only_mistake(self, exercise: str) -> list[Misconception]:
        """The mistake that explains all that is wrong in an exercise, if it is a known one."""
        failed = [name for name, (its, _) in self.heard[exercise].items() if its.failed]
        found = {one.name: one for name in failed if (one := self.mistakes.get((exercise, name)))}
        return list(found.values()) if len(found) == 1 else []

    def _profile(self, exercise: str, inherited: Misconception) -> dict[str, Profile]:
        """How the solution would do in an exercise if what it builds on had this mistake."""
        stand_in = self.prepared.variants.stand_in(inherited, everywhere=True)
        return profiles.of(self.order, self.prepared, self.checks, exercise, stand_in)

    def _may_show(self, exercise: str, check: str, cause: str) -> bool:
        """Whether a failed check may be failing because of `cause`, although no known mistake explains it. If its own
        check of this kind passes, or the solution passes without it, the check shows something else."""
        same = self.heard[cause].get(check)
        if same is not None and not same[0].failed:
            return False
        wrong = [name for name, (its, _) in self.heard[cause].items() if its.failed]
        if check not in wrong and all(name in self.heard[exercise] for name in wrong):
            return False  # what is wrong with it shows in the checks of these names
        if cause not in self.prepared.variants.references.get(exercise, ()):
            return True
        without = self.prepared.variants.without(cause)
        its = profiles.of(self.order, self.prepared, self.checks, exercise, without).get(check)
        return its is None or its.failed
