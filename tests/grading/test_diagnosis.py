"""Which misconceptions explain what a submission does wrong in an exercise."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from autograder.grading.diagnosis import explain
from autograder.grading.hearing import Heard, Profile
from autograder.grading.marks import Misconception
from autograder.grading.recording import RecordedQuestion
from autograder.sandbox.client import Question
from autograder.sandbox.values import Frame, Opaque, Outcome, Raised, Returned

RIGHT = Returned(0)
Answers = Mapping[str, list[Outcome]]  # check → its answers


def raised(kind: str, message: str, line: str) -> Raised:
    return Raised(kind, (kind, "Exception"), message, (Frame("a.py", 3, "root", line),))


def question(check: str, position: int) -> RecordedQuestion:
    return RecordedQuestion(Question(f"{check} {position}".encode()), RIGHT)


def heard(answers: Answers, said: Mapping[str, str]) -> dict[str, tuple[Profile, Heard]]:
    """What `Heard` and the plugin make of these answers; `said` are the checks that judge by themselves."""
    result = {}
    for check, its in answers.items():
        notes = Heard(replaying=True)
        for position, outcome in enumerate(its):
            notes.add(question(check, position), outcome, right=outcome == RIGHT)
        result[check] = Profile(not all(notes.right), bytes(notes.right), "", notes.digests()), notes
    for check, text in said.items():
        result[check] = Profile(bool(text), b"", text), Heard()
    return result


class Known:
    """Misconceptions of one exercise, each with its answers."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, list[Outcome]]] = {}
        self.said: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def add(self, name: str, said: Mapping[str, str] | None = None, **answers: list[Outcome]) -> None:
        self.answers[name], self.said[name] = answers, dict(said or {})

    def told(self, said: Mapping[str, str] | None = None, **answers: list[Outcome]) -> dict[str, str]:
        """The misconception that is found for each failed check of a submission with these answers."""
        known = [Misconception("root", name, "", abs) for name in self.answers]
        found = explain(heard(answers, said or {}), known, self._profiles(), self._answer)
        return {check: one.name for check, one in found.items()}

    def _profiles(self) -> dict[str, dict[str, Profile]]:
        notes = {name: heard(answers, self.said[name]) for name, answers in self.answers.items()}
        return {name: {check: profile for check, (profile, _) in its.items()} for name, its in notes.items() if its}

    def _answer(self, one: Misconception, asked: RecordedQuestion) -> Outcome:
        check, position = asked.question.probe.decode().split()
        self.asked.append(one.name)
        return self.answers[one.name][check][int(position)]


@pytest.fixture
def known() -> Known:
    return Known()


def wrong(value: float) -> Returned:
    return Returned(value)


def test_the_same_wrong_values(known: Known) -> None:
    known.add("halves", a=[RIGHT, wrong(4.5)])
    known.add("thirds", a=[RIGHT, wrong(3.0)])
    assert known.told(a=[RIGHT, wrong(3.0)]) == {"a": "thirds"}
    assert known.told(a=[RIGHT, wrong(2.0)]) == {}


def test_a_variant_that_is_wrong_where_the_submission_is_right_is_out(known: Known) -> None:
    known.add("often", a=[wrong(1.0), wrong(2.0)])
    known.add("seldom", a=[RIGHT, wrong(2.0)])
    assert known.told(a=[RIGHT, wrong(2.0)]) == {"a": "seldom"}
    known.add("elsewhere", a=[wrong(1.0), wrong(2.0)], b=[wrong(7.0)])
    assert known.told(a=[wrong(1.0), wrong(2.0)], b=[RIGHT]) == {"a": "often"}


def test_the_variant_that_explains_more_wins_whatever_the_order(known: Known) -> None:
    known.add("one", a=[wrong(1.0)], b=[RIGHT])
    known.add("both", a=[wrong(1.0)], b=[wrong(2.0)])
    assert known.told(a=[wrong(1.0)], b=[wrong(2.0)]) == {"a": "both", "b": "both"}
    assert known.told(a=[wrong(1.0)], b=[RIGHT]) == {"a": "one"}


def test_two_mistakes_are_explained_by_two(known: Known) -> None:
    known.add("first", a=[wrong(1.0)], b=[RIGHT], c=[RIGHT])
    known.add("second", a=[RIGHT], b=[wrong(2.0)], c=[wrong(2.0)])
    known.add("third", a=[RIGHT], b=[wrong(2.0)], c=[RIGHT])
    found = known.told(a=[wrong(1.0)], b=[wrong(2.0)], c=[wrong(2.0)])
    assert found == {"a": "first", "b": "second", "c": "second"}


def test_too_little_explained_is_nothing_explained(known: Known) -> None:
    known.add("one", a=[wrong(1.0)], b=[RIGHT], c=[RIGHT])
    assert known.told(a=[wrong(1.0)], b=[wrong(2.0)], c=[RIGHT]) == {"a": "one"}
    assert known.told(a=[wrong(1.0)], b=[wrong(2.0)], c=[wrong(3.0)]) == {}


def test_one_that_fails_in_the_same_checks_need_not_give_the_same_answers_in_all(known: Known) -> None:
    known.add("grows", a=[wrong(1.0)], b=[wrong(5.0)], c=[wrong(9.0)])
    assert known.told(a=[wrong(1.0)], b=[wrong(7.0)], c=[wrong(8.0)]) == {"a": "grows"}
    assert known.told(a=[wrong(2.0)], b=[wrong(7.0)], c=[wrong(8.0)]) == {}


def test_an_exception_of_the_students_own_needs_only_the_kind(known: Known) -> None:
    known.add("refuses", a=[raised("TypeError", "no", "raise TypeError('no')")])
    assert known.told(a=[raised("TypeError", "never", "raise TypeError(text)")]) == {"a": "refuses"}
    assert known.told(a=[raised("KeyError", "no", "raise KeyError('no')")]) == {}


def test_an_exception_of_pythons_must_say_the_same(known: Known) -> None:
    known.add("looks_up", a=[raised("KeyError", "4", "")])
    assert known.told(a=[raised("KeyError", "4", "x = table[y]")]) == {"a": "looks_up"}
    assert known.told(a=[raised("KeyError", "'weight'", "x = table[y]")]) == {}


def test_something_that_cannot_be_compared_is_known_by_its_type(known: Known) -> None:
    known.add("returns_a_function", a=[Returned(Opaque("a function returns_a_function"))])
    assert known.told(a=[Returned(Opaque("a function root"))]) == {"a": "returns_a_function"}
    assert known.told(a=[Returned(Opaque("a Sequential"))]) == {}


def test_checks_that_judge_by_themselves_count_by_what_they_say(known: Known) -> None:
    known.add("loops", said={"fast": "The work grows: # lines."}, a=[RIGHT])
    known.add("sums", said={"fast": "This uses sum."}, a=[RIGHT])
    assert known.told(said={"fast": "This uses sum."}, a=[RIGHT]) == {"fast": "sums"}
    assert known.told(said={"fast": "This uses mean."}, a=[RIGHT]) == {}
    assert known.told(said={"fast": ""}, a=[wrong(1.0)]) == {}


def test_the_same_numbers_in_what_a_check_says_decide_between_two(known: Known) -> None:
    known.add("never", said={"draws": "0 % gave 4; about 50 % should."}, a=[RIGHT])
    known.add("always", said={"draws": "100 % gave 4; about 50 % should."}, a=[RIGHT])
    assert known.told(said={"draws": "100 % gave 4; about 50 % should."}, a=[RIGHT]) == {"draws": "always"}
    assert known.told(said={"draws": "99 % gave 4; about 50 % should."}, a=[RIGHT]) == {}


def test_words_that_fit_two_decide_nothing(known: Known) -> None:
    known.add("one", said={"seed": "The same draw twice."}, a=[RIGHT])
    assert known.told(said={"seed": "The same draw twice."}, a=[RIGHT]) == {"seed": "one"}
    known.add("two", said={"seed": "The same draw twice."}, a=[wrong(1.0)])
    assert known.told(said={"seed": "The same draw twice."}, a=[RIGHT]) == {"seed": "one"}
    known.add("three", said={"seed": "The same draw twice."}, a=[RIGHT])
    assert known.told(said={"seed": "The same draw twice."}, a=[RIGHT]) == {}


def test_a_variant_that_keeps_something_need_not_answer_the_same_again(known: Known) -> None:
    known.add("counts", a=[wrong(1.0), wrong(2.0)])
    known._answer = lambda *_: RIGHT  # type: ignore[method-assign]
    assert known.told(a=[wrong(1.0), wrong(2.0)]) == {"a": "counts"}
    assert known.told(a=[wrong(1.0), wrong(3.0)]) == {}


def test_a_variant_that_does_not_run_is_left_out(known: Known) -> None:
    known.add("broken")
    known.add("halves", a=[wrong(4.5)])
    assert known.told(a=[wrong(4.5)]) == {"a": "halves"}


def test_without_a_failed_check_nothing_is_asked(known: Known) -> None:
    known.add("halves", a=[wrong(4.5)])
    assert known.told(a=[RIGHT]) == {}
    assert known.asked == []


def test_a_check_with_many_wrong_answers_keeps_a_few(known: Known) -> None:
    known.add("halves", a=[wrong(4.5)] * 100)
    assert known.told(a=[wrong(4.5 + 1e-9)] * 100) == {"a": "halves"}
    assert 0 < len(known.asked) < 20
