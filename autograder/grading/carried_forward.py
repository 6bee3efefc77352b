"""Errors carried forward: where the student's B is built on a wrong A of theirs, B is judged once more, on its own.

The checks that B failed are run again, on a fresh worker, against what the *reference's* B gives on the *student's* A:

- If a known mistake explains all that is wrong with A, that variant takes the place of A.
- Else, if A is a function, another fresh worker is asked what it returns. Values are all that comes back, checked like
  any answer; the reference's B runs on them in a process of its own with limited memory and time. No line of the
  reference enters a worker, and none of what is asked or answered here is ever shown.

A check counts only if the known wrong variants of B that fail it fail it on this A as well: an A that always returns
the same would make every B right. The part of B that A is worth there stays lost (`builds_on` in assignment.toml).
"""

from __future__ import annotations

import contextlib
import resource
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
import torch

from autograder.errors import EngineError, EngineGone
from autograder.grading import profiles
from autograder.grading.answers import Answers
from autograder.grading.archive import Archive
from autograder.grading.children import isolated
from autograder.grading.examiner import Examiner
from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import Misconception, mark, name_of
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
from autograder.grading.questions import seed_of
from autograder.grading.reference import evaluate
from autograder.jobs import Job
from autograder.output.inert import one_line
from autograder.results.model import CheckResult, Status
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.values import Returned

# What the judge's process that asks a student's A may use, for one exercise that is built on it.
MOST_CALLS, MOST_BYTES, MOST_SECONDS = 20_000, 512 * 2**20, 20.0  # of A, and the time that they take
MOST_MEMORY, MOST_PROCESSOR_SECONDS = 4 * 2**30, 60

_NAMES = msgspec.msgpack.Decoder(list[str])

Replaced = Mapping[str, Any]  # what takes the place of an exercise of the solution, by name


@dataclass(frozen=True)
class Carried:
    """The share of a failed check's points that is given nevertheless, and the exercises that it fails for."""

    share: float
    causes: tuple[str, ...]


@dataclass
class CarryingForward:
    """Judges again what a submission built on its own wrong code.

    `heard` is what it answered, `references` what the student's definitions build on, and `mistakes` the known mistakes
    that explain its failed checks. `examiner` makes a new one for the submission, of which a worker may take so many
    seconds in all. What is found is in `carried`, by exercise and check; `log` says what could not be decided.
    """

    job: Job
    prepared: Prepared
    checks: Sequence[pytest.Item]
    heard: Mapping[str, Mapping[str, tuple[Profile, Heard]]]
    references: Mapping[str, Sequence[str]]
    mistakes: Mapping[tuple[str, str], Misconception]
    examiner: Callable[[float], Examiner]
    carried: dict[tuple[str, str], Carried] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Raises EngineGone if the process that starts workers is gone."""
        for exercise, worth in self.prepared.assignment.builds_on.items():
            causes = {one: part for one, part in worth.items() if self._is_built_on(exercise, one)}
            if causes and self._failed(exercise):
                self._judge(exercise, causes)

    def _is_built_on(self, exercise: str, cause: str) -> bool:
        """Whether a submission's exercise is built on a wrong one, which is wrong itself and not only for another. One
        that does not end is left alone: waiting for it again would take long and decide nothing."""
        own = [name for name in self._failed(cause) if (cause, name) not in self.carried]
        ends = all(its.said != Status.TIMEOUT.value for its, _ in self.heard.get(cause, {}).values())
        return bool(own) and ends and cause in self.references.get(exercise, ())

    def _failed(self, exercise: str) -> list[str]:
        return [name for name, (its, _) in self.heard.get(exercise, {}).items() if its.failed]

    def _judge(self, exercise: str, causes: Mapping[str, float]) -> None:
        known = [one for cause in causes if (one := self._only_mistake(cause))]
        left = [check for check in self.checks if self._can_change(exercise, check)]
        passed: list[str] = []
        if left and known:
            passed += self._decided(exercise, lambda: self._on_variants(exercise, known, left))
            left = [check for check in left if name_of(check) not in passed]
        if left:
            passed += self._decided(exercise, lambda: self._on_answers(exercise, list(causes), known, left))
        share = 1 - min(sum(causes.values()), 1.0)
        self.carried |= {(exercise, name): Carried(share, tuple(causes)) for name in passed}

    def _can_change(self, exercise: str, check: pytest.Item) -> bool:
        """Whether a check was failed and does nothing but compare with the reference."""
        recording = self.prepared.archive.get(check.nodeid)
        return (
            mark(check, "exercise") == exercise
            and name_of(check) in self._failed(exercise)
            and self.heard[exercise][name_of(check)][0].said != Status.TIMEOUT.value
            and recording is not None
            and recording.complete
        )

    def _only_mistake(self, exercise: str) -> Misconception | None:
        """The known mistake that explains what is wrong with an exercise, if it is one."""
        found = {one.name: one for name in self._failed(exercise) if (one := self.mistakes.get((exercise, name)))}
        return next(iter(found.values())) if len(found) == 1 else None

    def _decided(self, exercise: str, work: Callable[[], list[str]]) -> list[str]:
        """What `work` returns in a process of its own; nothing if it fails, because then it is not decided."""
        try:
            return _NAMES.decode(isolated(lambda: msgspec.msgpack.encode(work())))
        except EngineGone:
            raise
        except EngineError as error:
            place = f"graders/{self.prepared.assignment.slug}, exercise {exercise}"
            self.log.append(f"judging {place} on the student's own code failed: {one_line(str(error), 300)}")
            return []

    def _on_variants(self, exercise: str, known: list[Misconception], checks: Sequence[pytest.Item]) -> list[str]:
        """The checks that are passed if known variants take the places of the student's exercises."""
        replaced = self.prepared.variants.replaced(known)
        on_them = self._on(replaced)
        passed = self._passing(on_them, checks)
        if not passed:
            return []

        def find_out() -> dict[str, dict[str, Profile]]:
            every = [check for check in self.checks if mark(check, "exercise") == exercise]
            return self._wrong_on(on_them, exercise, replaced, every, profiles.of)

        names = "+".join(sorted(one.name for one in known))
        return self._proven(exercise, passed, self.prepared.archive.profiles(f"{exercise}.{names}", find_out))

    def _on_answers(
        self, exercise: str, causes: list[str], known: list[Misconception], checks: Sequence[pytest.Item]
    ) -> list[str]:
        """The checks that are passed if what the student's own functions return is asked for."""
        reference = self.prepared.reference
        functions = [cause for cause in causes if isinstance(vars(reference)[cause], types.FunctionType)]
        classes = [one for one in known if one.exercise not in functions]
        if not functions or len(functions) + len(classes) < len(causes):
            return []
        for limit, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_PROCESSOR_SECONDS)):
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
        with contextlib.closing(self.examiner(MOST_SECONDS)) as there:
            budget = _Budget()
            asked = {name: _Asked(name, there, reference, budget) for name in functions}
            replaced = {**self.prepared.variants.replaced(classes), **asked}
            on_them = self._on(replaced)
            there.begin(exercise, MOST_SECONDS)
            passed = self._passing(on_them, checks)
            again = [check for check in checks if name_of(check) in passed]
            if not again:
                return []
            wrong = self._wrong_on(on_them, exercise, replaced, again, profiles.of_harmless)  # in one budget for all
            return self._proven(exercise, passed, wrong)

    def _on(self, replaced: Replaced) -> Prepared:
        """The assignment with another reference: the solution, built on what is replaced."""
        module = self.prepared.variants.solution_on(replaced)
        return replace(self.prepared, reference=module, archive=Archive(f"{self.prepared.digest} carried forward"))

    def _passing(self, on_them: Prepared, checks: Sequence[pytest.Item]) -> list[str]:
        with contextlib.closing(self.examiner(self.prepared.assignment.limits.total_seconds)) as examiner:
            return [one.name for one in self._run(on_them, examiner, checks) if one.status is Status.PASSED]

    def _wrong_on(
        self,
        on_them: Prepared,
        exercise: str,
        replaced: Replaced,
        checks: Sequence[pytest.Item],
        profile: Callable[..., dict[str, Profile]],
    ) -> dict[str, dict[str, Profile]]:
        """How the known wrong variants of an exercise do if they are built on what is replaced."""
        order, variants = self.job.warm_up, self.prepared.variants
        some = [one for one in variants.of(exercise) if not one.crashes]
        return {one.name: profile(order, on_them, checks, exercise, variants.variant_on(one, replaced)) for one in some}

    def _proven(self, exercise: str, passed: list[str], wrong: Mapping[str, Mapping[str, Profile]]) -> list[str]:
        """Those of the checks that every variant fails which fails them on the right code; at least one must."""
        right = profiles.of_exercise(self.job.warm_up, self.prepared, self.checks, exercise)
        known = [one for one in self.prepared.variants.of(exercise) if one.name in right and not one.crashes]
        proven = []
        for check in passed:
            failing = [one.name for one in known if check in right[one.name] and right[one.name][check].failed]
            if failing and all(check in wrong.get(name, {}) and wrong[name][check].failed for name in failing):
                proven.append(check)
        return proven

    def _run(self, on_them: Prepared, answers: Answers, checks: Sequence[pytest.Item]) -> list[CheckResult]:
        job = msgspec.structs.replace(self.job, explain=False, exercises=(), until=(), device="")
        results: list[CheckResult] = []
        GradingPlugin(job, on_them, answers, results.append, listening=False).run(list(checks))
        return results


class _NotDecided(Exception):
    """The student's function does not return what can be computed with."""


@dataclass
class _Budget:
    calls: int = MOST_CALLS
    bytes: int = MOST_BYTES

    def take(self, value: object) -> None:
        self.calls -= 1
        self.bytes -= value.nbytes if isinstance(value, torch.Tensor) else 0
        if self.calls < 0 or self.bytes < 0:
            raise _NotDecided


class _Asked:
    """A function of the student's as the reference's B calls it: every call is a question to their worker."""

    def __init__(self, name: str, examiner: Examiner, reference: Any, budget: _Budget) -> None:
        self._name, self._examiner, self._reference, self._budget = name, examiner, reference, budget

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        name = self._name
        data = shipping.dumps(lambda m: getattr(m, name)(*arguments, **named))
        seed = seed_of(data)
        likely = evaluate(data, self._reference, seed)
        [answer] = self._examiner.ask(Question(data, seed, likely=likely))
        value = answer.outcome.value if isinstance(answer.outcome, Returned) else None
        self._budget.take(value)
        if not _is_plain(value):
            raise _NotDecided
        return value


def _is_plain(value: object) -> bool:
    """Whether trusted code can compute with a value from a worker: tensors, and numbers that no loop gets lost in."""
    if isinstance(value, torch.Tensor):
        return value.layout is torch.strided and not value.is_meta
    if isinstance(value, tuple | list):
        return len(value) <= 100 and all(map(_is_plain, value))
    return isinstance(value, int | float) and -MOST_CALLS <= value <= MOST_CALLS
