"""Finds the known misconceptions that explain what a submission does wrong in an exercise.

Each known wrong variant is compared with the submission on everything that the exercise asks. It is out if it fails a
check that the submission passed. It *explains* a failed check if it is right there where the submission is right, and
wrong in the same way: with the same values, or with exceptions of the same kind. (What Python and PyTorch say in an
exception must also be the same, since one kind has many causes; the words of a student's own `raise` are their own.)

Of the variants that are left, the fewest that together explain the most are taken: one, or several for a submission
with several mistakes. Too little explained is nothing explained, since silence is better than a hint that misleads; but
one that fails in the same checks need explain only one of them, since code that keeps something from call to call never
gives the same answers twice.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autograder.grading.comparison import compare
from autograder.grading.hearing import Heard, Profile, without_numbers
from autograder.grading.marks import Misconception
from autograder.grading.recording import RecordedQuestion
from autograder.sandbox.values import Opaque, Outcome, Raised, Returned

MOST_AT_ONCE = 3  # mistakes in one exercise
MOST_COMBINED = 10  # candidates of which several are tried together
ENOUGH = 0.5  # of the failed checks must be explained

Answering = Callable[[Misconception, RecordedQuestion], Outcome]


class Relation(enum.Enum):
    """How a variant stands to a submission in one check that the submission failed."""

    SAME = 1.0  # it does the same
    ALIKE = 0.9  # the check says the same about it, which others may share: its numbers, if any, are different
    PARTLY = 0.5  # it does the same where it is wrong, but is right on some where the submission is not
    OTHER = 0.0  # it is wrong in another way, or passes


@dataclass(frozen=True)
class Suspect:
    """A misconception that fails no check that the submission passed; `explains` is its relation to each failed
    check that it explains, and `fails` counts the checks that it fails."""

    misconception: Misconception
    explains: Mapping[str, Relation]
    fails: int


def explain(
    submission: Mapping[str, tuple[Profile, Heard]],
    known: Sequence[Misconception],
    profiles: Mapping[str, Mapping[str, Profile]],
    answer: Answering,
) -> dict[str, Misconception]:
    """The misconception that explains each failed check of one exercise, for those that one explains.

    Args:
        submission: what it answered in each check, by name.
        known: the exercise's misconceptions.
        profiles: how each of them does in these checks, by its name; without those that do not run.
        answer: what each of them answers to a question.
    """
    failed = [name for name, (its, _) in submission.items() if its.failed]
    if not failed:
        return {}
    suspects = []
    for candidate in known:
        suspect = _suspect(candidate, submission, profiles.get(candidate.name, {}), answer)
        if suspect is not None and suspect.explains:
            suspects.append(suspect)
    return _assigned(_fewest(suspects, failed), failed)


def _suspect(
    candidate: Misconception,
    submission: Mapping[str, tuple[Profile, Heard]],
    profiles: Mapping[str, Profile],
    answer: Answering,
) -> Suspect | None:
    """None if the candidate fails a check that the submission passed."""
    both = [(name, mine, heard, profiles[name]) for name, (mine, heard) in submission.items() if name in profiles]
    if any(its.failed and not mine.failed for _, mine, _, its in both):
        return None
    explains = {}
    for name, mine, heard, its in both:
        if mine.failed and its.failed:
            relation = _relation(candidate, mine, heard, its, answer)
            if relation is not Relation.OTHER:
                explains[name] = relation
    return Suspect(candidate, explains, sum(its.failed for *_, its in both))


def _relation(candidate: Misconception, mine: Profile, heard: Heard, its: Profile, answer: Answering) -> Relation:
    if mine.said or its.said:
        theirs = _renamed(its.said, candidate)
        if without_numbers(mine.said) != without_numbers(theirs):
            return Relation.OTHER
        return Relation.SAME if mine.said == theirs != without_numbers(theirs) else Relation.ALIKE
    shared = [position for position in heard.wrong if position < len(its.right) and not its.right[position]]
    contradicted = any(one and not other for one, other in zip(mine.right, its.right, strict=False))
    if contradicted or not shared:
        return Relation.OTHER
    for position in shared:
        question, got = heard.wrong[position]
        known = mine.digests.get(position) and mine.digests[position] == its.digests.get(position)
        if not known and not _same(answer(candidate, question), got, candidate, question):
            return Relation.OTHER
    more = any(other and not one for one, other in zip(mine.right, its.right, strict=False))
    return Relation.PARTLY if more else Relation.SAME


def _fewest(suspects: Sequence[Suspect], failed: Sequence[str]) -> list[Suspect]:
    """The fewest suspects that explain the most; none if that is not enough, or if it holds for others as well."""
    ranked = sorted(suspects, key=lambda one: -sum(relation.value for relation in one.explains.values()))
    best: tuple[float, list[Suspect]] = (0.0, [])
    for count in range(1, MOST_AT_ONCE + 1):
        for some in itertools.combinations(ranked[: None if count == 1 else MOST_COMBINED], count):
            explained = _explained(some, failed)
            if explained > best[0]:
                best = explained, list(some)
        if best[0] == len(failed):
            break
    found = best[1]
    enough = best[0] >= ENOUGH * len(failed) or (len(found) == 1 and found[0].fails == len(failed))
    return found if enough and not _ambiguous(found, suspects) else []


def _ambiguous(chosen: Sequence[Suspect], suspects: Sequence[Suspect]) -> bool:
    """Whether all that speaks for a suspect are the checks' words, and they fit another one as well."""
    first = chosen[0]
    return set(first.explains.values()) == {Relation.ALIKE} and any(
        other is not first and other.explains == first.explains for other in suspects
    )


def _explained(suspects: Sequence[Suspect], failed: Sequence[str]) -> float:
    """How many of the failed checks they explain."""
    best = {name: [one.explains[name].value for one in suspects if name in one.explains] for name in failed}
    return sum(max(values, default=0.0) for values in best.values())


def _assigned(suspects: Sequence[Suspect], failed: Sequence[str]) -> dict[str, Misconception]:
    """For each failed check that one of them explains, the one that does so best."""
    found = {}
    for name in failed:
        some = [one for one in suspects if name in one.explains]
        if some:
            found[name] = max(some, key=lambda one: one.explains[name].value).misconception
    return found


def _same(outcome: Outcome, got: Outcome, candidate: Misconception, question: RecordedQuestion) -> bool:
    if isinstance(outcome, Raised):
        return isinstance(got, Raised) and _same_exception(outcome, got, candidate)
    if not isinstance(got, Returned):
        return False
    if not isinstance(got.value, Opaque):
        return compare(outcome, got, question.standard) is None
    # The reference raises, and the submission returns something of which only the type is known, such as a network.
    value = outcome.value
    return isinstance(value, Opaque) and _renamed(value.what, candidate) == _renamed(got.value.what, candidate)


def _renamed(text: str, candidate: Misconception) -> str:
    """A variant has a name of its own, which Python puts into types and into messages about arguments."""
    return text.replace(candidate.name, candidate.exercise)


def _same_exception(outcome: Raised, got: Raised, candidate: Misconception) -> bool:
    """Whether the variant's exception is the submission's, as far as its name and message can tell."""
    if outcome.type != got.type:
        return False
    if got.frames and got.frames[-1].text.startswith("raise"):
        return bool(outcome.message.strip()) == bool(got.message.strip())
    return _renamed(outcome.message, candidate) == _renamed(got.message, candidate)
