"""`ANSWERS`: one question, one number. The right answer is never shown, so that the questions stay questions."""

import pytest
from inputs import answer_to

from autograder.grading import exercise, expect, points
from autograder.grading.wording import kind_of

pytestmark = exercise("ANSWERS")

QUESTIONS = {
    "stem_conv_weights": 2,
    "stem_conv_with_bias": 2,
    "linear_2048_1000": 1,
    "mlp_784_392_196_10": 2,
    "global_average_pooling": 1,
    "one_5x5_64": 1,
    "two_3x3_64": 1,
    "basic_block_256": 2,
    "bottleneck_block_256_64": 2,
    "resnet34": 1,
    "vgg16": 1,
}


@pytest.mark.parametrize("question", [pytest.param(name, marks=points(worth)) for name, worth in QUESTIONS.items()])
def test_answer(student, same_outcome, question):
    """The question in brackets is answered with the right whole number."""
    answer = student(lambda m: answer_to(m.ANSWERS, question, list(QUESTIONS)))
    if isinstance(answer, dict):
        others = ", ".join(map(repr, *answer.values()))
        hint = f"Is one of these keys misspelt: {others}?" if others else ""
        expect(False, f'ANSWERS has no key "{question}".', hint=hint)
    expect(answer is not None, f'ANSWERS["{question}"] has no answer yet.')
    expect(type(answer) is int, f'ANSWERS["{question}"] should be a whole number, but it is {kind_of(answer)}.')
    same_outcome(lambda m: answer_to(m.ANSWERS, question, list(QUESTIONS)), reveal=False)
