"""Pairs of known mistakes: what is counted as told, and what as misleading."""

from __future__ import annotations

import random

from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import Misconception
from autograder.grading.pairs import Answers, _judged, _mixed
from autograder.jobs import PairsTried

ONE, TWO, THREE = (Misconception("root", name, "", abs) for name in ("one", "two", "three"))
AS_GOOD = Misconception("root", "four", "", abs, as_good_as="three")


def answers(*wrong: str, right: str = "abcd") -> Answers:
    names = dict.fromkeys((*wrong, *right))
    return {name: (Profile(name in wrong, b"", f"{wrong} in {name}" * (name in wrong)), Heard()) for name in names}


def test_a_pair_is_wrong_where_one_of_the_two_is() -> None:
    known = {"one": answers("a", "b"), "two": answers("b", "c")}
    chosen = set()
    for seed in range(20):
        submission, made = _mixed((ONE, TWO), known, random.Random(seed))
        assert [name for name, (its, _) in submission.items() if its.failed] == ["a", "b", "c"]
        assert made == [ONE, TWO]
        chosen.add(submission["b"][0].said)
    assert chosen == {"('a', 'b') in b", "('b', 'c') in b"}


def test_a_mistake_that_the_other_covers_is_not_asked_for() -> None:
    known = {"one": answers("a"), "two": answers("a")}
    made = [_mixed((ONE, TWO), known, random.Random(seed))[1] for seed in range(20)]
    assert {tuple(one.name for one in some) for some in made} == {("one",), ("two",)}


def test_what_is_told_and_what_misleads_is_counted() -> None:
    found = _judged(PairsTried(), (ONE, TWO), [ONE, TWO], {"a": ONE, "b": THREE}, ["a", "b"])
    assert found == PairsTried(2, 1, 2, ("one and two: three",))
    assert _judged(found, (ONE, TWO), [ONE, TWO], {"a": ONE, "b": TWO}, ["a", "b"]) == PairsTried(
        4, 3, 4, ("one and two: three",)
    )


def test_a_hint_that_is_declared_to_be_as_good_counts() -> None:
    assert _judged(PairsTried(), (AS_GOOD, ONE), [AS_GOOD], {"a": THREE}, ["a"]) == PairsTried(1, 1, 1)
    check = Misconception("root", "five", "", abs, as_good_as="a")
    assert _judged(PairsTried(), (check, ONE), [check], {}, ["a"]) == PairsTried(1, 1, 0)
    assert _judged(PairsTried(), (check, ONE), [check], {"a": ONE}, ["a"]) == PairsTried(1, 0, 1)


def test_the_hint_of_a_part_of_a_mistake_does_not_mislead() -> None:
    both = Misconception("root", "six", "", abs, includes=("three",))
    assert _judged(PairsTried(), (both, ONE), [both, ONE], {"a": THREE, "b": ONE}, ["a", "b"]) == PairsTried(2, 1, 2)
