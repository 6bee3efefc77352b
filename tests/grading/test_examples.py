"""Which example a student is shown, and how long a smaller one is looked for."""

from __future__ import annotations

import types

import hypothesis
import pytest
import torch

from autograder.grading.context import CheckContext
from autograder.grading.examples import SHRINK_IN_VAIN, SHRINK_QUESTIONS
from autograder.grading.failures import CheckFailed, Settled
from autograder.grading.questions import Questions
from autograder.grading.recording import RecordedQuestion, Recording
from autograder.grading.strategies import shapes, tensors
from autograder.sandbox import shipping
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer, Returned

REFERENCE = types.SimpleNamespace(double=lambda x: 2 * x)
SMALL, LARGE = torch.ones(1, 2), torch.ones(9, 9)


class Submission:
    """Answers in an examiner's place, wrongly where `wrong(x)` is true."""

    is_reference = False

    def __init__(self, wrong):
        self.double = lambda x: 3 * x if wrong(x) else 2 * x

    def ask(self, *questions):
        return [Answer(Returned(shipping.loads(question.probe)(self))) for question in questions]


def questions_to(wrong) -> Questions:
    nobody = types.SimpleNamespace(explain=lambda *_: None)
    return Questions(CheckContext(Submission(wrong), REFERENCE, nobody, "double"))


def double(x):
    return lambda m: m.double(x)


def recorded(*tensors: torch.Tensor) -> Recording:
    return Recording([RecordedQuestion(Question(shipping.dumps(double(x))), Returned(2 * x)) for x in tensors])


def told(questions: Questions) -> str:
    return questions.examples.explained().counterexample.inputs[0].kind


@pytest.mark.parametrize("found", [SMALL, LARGE])
def test_the_smaller_of_what_was_recorded_and_what_was_found_is_told(found):
    questions = questions_to(lambda _: True)
    rest = LARGE if found is SMALL else SMALL
    assert not questions.replay(recorded(LARGE, rest))
    with pytest.raises(CheckFailed):
        questions.same_outcome(double(found))
    assert told(questions) == "1×2 float32"


def test_of_two_that_are_about_as_large_the_one_that_was_found_is_told():
    questions = questions_to(lambda _: True)
    assert not questions.replay(recorded(SMALL))
    with pytest.raises(CheckFailed):
        questions.same_outcome(double(torch.ones(3, 3)))
    assert told(questions) == "3×3 float32"


def asked_for(wrong) -> int:
    """The number of questions that a search asks after its first failure."""
    questions = questions_to(wrong)
    failures = []

    @hypothesis.settings(database=None, max_examples=50)
    @hypothesis.seed(3)
    @hypothesis.given(tensors(shapes((1, 9), (1, 9))))
    def check(x):
        if wrong(x) and not failures:
            failures.append(questions.asked + 1)
        questions.same_outcome(double(x))

    with pytest.raises((CheckFailed, Settled)):
        check()
    return questions.asked - failures[0]


def test_a_search_that_goes_on_and_on_ends():
    assert asked_for(lambda x: x.abs().sum() > 20) == SHRINK_QUESTIONS


def test_a_search_in_vain_ends():
    """Only one input fails, and none is smaller."""
    first = []

    def wrong(x):
        if x.numel() > 10 and not first:
            first.append(x.clone())
        return bool(first) and x.shape == first[0].shape and bool((x == first[0]).all())

    assert asked_for(wrong) <= SHRINK_IN_VAIN
