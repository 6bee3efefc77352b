"""What is kept of a check's questions and the reference's answers."""

from __future__ import annotations

import torch
from msgspec.structs import replace

from autograder.grading.recording import KEPT_BYTES, RecordedQuestion, Recording
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.values import Raised, Returned


def recorded(outcome):
    answer = as_sent(outcome)
    return RecordedQuestion(Question(b"probe", likely=answer), answer.outcome)


def test_the_answers_of_the_reference_are_the_likely_ones():
    recording = Recording()
    one = recorded(Returned(torch.ones(2)))
    refused = recorded(Raised("Odd", ("ValueError", "Exception")))
    held = RecordedQuestion(refused.question, replace(refused.expected, builtins=("Exception",)))
    recording.add(one)
    recording.add(held)
    first, second = (question.question.likely for question in recording.for_replay().questions)
    assert first is one.question.likely
    assert second.outcome == held.expected


def test_very_large_answers_are_not_kept_and_the_check_is_run_in_full():
    recording = Recording()
    for _ in range(3):
        recording.add(recorded(Returned(torch.ones(KEPT_BYTES // 8))))
    assert not recording.complete
    assert not recording.for_replay().questions
    assert not recording.questions
