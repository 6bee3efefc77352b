"""Two known mistakes in one exercise: is a student who makes both told both, and nothing else?

A variant replaces the whole exercise, so two of them cannot be put into one submission. But their answers can: a pair
answers in each check what one of the two answers there, and the one that is wrong if only one is.
"""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from autograder.errors import EngineError
from autograder.grading import profiles
from autograder.grading.children import in_parallel, isolated
from autograder.grading.diagnosis import explain
from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import Misconception
from autograder.grading.prepared import Prepared
from autograder.jobs import Pairs, PairsTried

Answers = Mapping[str, tuple[Profile, Heard]]  # by check

_DECODER = msgspec.msgpack.Decoder(dict[str, PairsTried])


def tried(order: Pairs, prepared: Prepared, checks: Sequence[pytest.Item]) -> dict[str, PairsTried]:
    """What was found in each exercise. The pairs are drawn at random, the same ones every time."""

    def some(share: list[str]) -> dict[str, PairsTried]:
        return {exercise: _in_exercise(order, prepared, checks, exercise) for exercise in share}

    exercises = [name for name in prepared.assignment.exercises if not order.exercises or name in order.exercises]
    return in_parallel(some, exercises, 1, msgspec.msgpack.encode, _DECODER.decode)


def _in_exercise(order: Pairs, prepared: Prepared, checks: Sequence[pytest.Item], exercise: str) -> PairsTried:
    variants = prepared.variants
    answers: dict[str, Answers] = {}
    for one in variants.of(exercise):
        try:
            stand_in = variants.stand_in(one)
            heard = isolated(lambda: pickle.dumps(profiles.heard(order.warm_up, prepared, checks, exercise, stand_in)))  # noqa: B023
        except EngineError:
            continue  # as `verify` says
        answers[one.name] = pickle.loads(heard)
    known = [one for one in variants.of(exercise) if one.name in answers]
    all_profiles = {name: {check: its for check, (its, _) in heard.items()} for name, heard in answers.items()}
    dice = random.Random(f"{order.salt} {exercise}")
    every = list(itertools.combinations(known, 2))
    drawn = dice.sample(every, min(order.count, len(every)))

    def work() -> bytes:
        found = PairsTried()
        for pair in drawn:
            submission, made = _mixed(pair, answers, dice)
            hints = explain(submission, known, all_profiles, variants.answer)
            found = _judged(found, pair, made, hints, [name for name, (its, _) in submission.items() if its.failed])
        return msgspec.msgpack.encode(found)

    return msgspec.msgpack.decode(isolated(work), type=PairsTried)


def _mixed(
    pair: tuple[Misconception, Misconception], answers: Mapping[str, Answers], dice: random.Random
) -> tuple[Answers, list[Misconception]]:
    """The answers of a submission with both mistakes, and the mistakes that show in them."""
    submission, made = {}, set()
    for check in dict.fromkeys(itertools.chain(*(answers[one.name] for one in pair))):
        able = [one for one in pair if check in answers[one.name]]
        wrong = [one for one in able if answers[one.name][check][0].failed]
        chosen = dice.choice(wrong or able)
        submission[check] = answers[chosen.name][check]
        made |= {chosen.name} if wrong else set()
    return submission, [one for one in pair if one.name in made]


def _judged(
    found: PairsTried,
    pair: Sequence[Misconception],
    made: Sequence[Misconception],
    hints: Mapping[str, Misconception],
    failed: Sequence[str],
) -> PairsTried:
    given = {one.name for one in hints.values()}
    silent = {check for check in failed if check not in hints}  # these keep the hint of their own, if they have one
    right = {name for one in pair for name in (one.name, one.as_good_as, *one.includes)}
    others = sorted(given - right)
    return PairsTried(
        found.mistakes + len(made),
        found.told + sum(one.name in given or one.as_good_as in given | silent for one in made),
        found.hints + len(given),
        (*found.misleading, *(f"{' and '.join(one.name for one in pair)}: {name}" for name in others)),
    )
