"""What there is to say about an outcome of the public tests, on a terminal as in a notebook."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.results.model import Status
from autograder.selfcheck.events import Ended, SourceLine, Test, TestStatus
from autograder.selfcheck.running import Outcome

NO_POINTS = "They give no points; the hidden tests check more."
STATUS = {
    TestStatus.PASSED: Status.PASSED,
    TestStatus.FAILED: Status.FAILED,
    TestStatus.ENDED: Status.FAILED,
    TestStatus.TIMEOUT: Status.TIMEOUT,
    TestStatus.UNWRITTEN: Status.SKIPPED,
    TestStatus.SKIPPED: Status.SKIPPED,
}
REPORTED = {
    TestStatus.FAILED: "failed",
    TestStatus.ENDED: "ended the program",
    TestStatus.TIMEOUT: "timed out",
    TestStatus.SKIPPED: "skipped",
}

Pairs = list[tuple[Test, Ended]]


def pairs_of(outcome: Outcome) -> Pairs:
    return [(test, outcome.ended[test.id]) for test in outcome.tests if test.id in outcome.ended]


def by_exercise(pairs: Pairs) -> dict[str, Pairs]:
    found: dict[str, Pairs] = {}
    for test, ended in pairs:
        found.setdefault(test.exercise, []).append((test, ended))
    return found


def groups(pairs: Pairs) -> Iterable[Pairs]:
    """The tests to report; those of one exercise that failed in exactly the same way are grouped."""
    found: dict[object, Pairs] = {}
    for test, ended in pairs:
        if ended.status in REPORTED:
            trouble = ended.trouble
            key: object = test.id
            if trouble is not None and (trouble.places or ended.status is TestStatus.ENDED):
                place: object = trouble.places[-1:]
                if ended.status is TestStatus.TIMEOUT:  # a loop is stopped in any of its lines
                    place = trouble.places[-1].function
                key = test.exercise, ended.status, trouble.message, place
            found.setdefault(key, []).append((test, ended))
    return found.values()


def where(place: SourceLine) -> str:
    return f"{place.where}, in {place.function}" if place.function else place.where


def unwritten(pairs: Pairs) -> list[tuple[str, list[str]]]:
    """Below a heading each: exercises that are unchanged from the skeleton, and those that are missing altogether."""
    found: dict[str, str] = {}
    for test, ended in pairs:
        if ended.status is TestStatus.UNWRITTEN and ended.trouble is not None:
            places = ended.trouble.places
            found.setdefault(test.exercise, f"{test.exercise} ({places[-1].where})" if places else "")
    headings = (
        ("Not written yet", [text for text in found.values() if text]),
        ("Not defined in your file", [exercise for exercise, text in found.items() if not text]),
    )
    return [(heading, names) for heading, names in headings if names]


def count_text(pairs: Pairs) -> str:
    """ "2 of 3 public tests pass"."""
    passed = sum(ended.status is TestStatus.PASSED for _, ended in pairs)
    return f"{f'All {passed}' if passed == len(pairs) else f'{passed} of {len(pairs)}'} public tests pass"


def next_text(pairs: Pairs, again: str) -> str:
    """`again` is what to run after the next change."""
    trouble = [test.exercise for test, ended in pairs if ended.status in REPORTED]
    left = [test.exercise for test, ended in pairs if ended.status is not TestStatus.PASSED]
    if not left:
        return "Next: try some inputs of your own, then hand in."
    todo = f"fix {trouble[0]}" if trouble else f"write {left[0]}"
    return f"Next: {todo}, then run {again} again."
