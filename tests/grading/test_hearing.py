"""What is kept of a submission's answers, for comparing it with the known wrong variants."""

from __future__ import annotations

import pytest
import torch

from autograder.grading.hearing import KEPT_BYTES, KEPT_WRONG, Heard, digest, said, without_numbers
from autograder.grading.recording import RecordedQuestion
from autograder.sandbox.client import Question
from autograder.sandbox.encoding import known
from autograder.sandbox.values import Raised, Returned, SparseTensor


def question(expected: object = 1) -> RecordedQuestion:
    outcome = Returned(expected)
    return RecordedQuestion(Question(b"", likely=known(outcome)), outcome)


def test_a_replay_is_heard_to_its_end() -> None:
    heard = Heard(replaying=True)
    for right in (True, False, True, False):
        heard.add(question(), Returned(right), right=right)
    assert bytes(heard.right) == b"\1\0\1\0"
    assert sorted(heard.wrong) == [1, 3]
    heard.close()
    heard.add(question(), Returned(0), right=False)
    assert len(heard.right) == 4


def test_a_check_that_is_run_is_heard_up_to_its_first_wrong_answer() -> None:
    heard = Heard()
    for right in (True, False, True):
        heard.add(question(), Returned(right), right=right)
    assert bytes(heard.right) == b"\1\0"


def test_few_wrong_answers_are_kept_and_no_large_ones() -> None:
    heard = Heard(replaying=True)
    heard.add(question(torch.zeros(KEPT_BYTES // 4 + 1)), Returned(0), right=False)
    for _ in range(3 * KEPT_WRONG):
        heard.add(question(), Returned(0), right=False)
    assert sorted(heard.wrong) == list(range(1, KEPT_WRONG + 1))
    assert len(heard.right) == 1 + 3 * KEPT_WRONG


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(KEPT_BYTES // 4 + 1),
        [{"a": "x" * (KEPT_BYTES + 1)}],
        [0.5] * (KEPT_BYTES // 8 + 1),
        {1: SparseTensor("sparse_coo", (9,), torch.float32, (torch.zeros(1, 9), torch.zeros(KEPT_BYTES // 4)))},
    ],
    ids=["tensor", "text", "numbers", "sparse"],
)
def test_a_large_wrong_answer_is_not_kept(value: object) -> None:
    heard = Heard(replaying=True)
    for got in (value, 2, [torch.zeros(9), "three"]):
        heard.add(question(), Returned(got), right=False)
    assert sorted(heard.wrong) == [1, 2]


def test_messages_are_the_same_whatever_their_numbers_and_explanations() -> None:
    one = said("The work grows: 12 lines for 3×4 and 1.5e-3 for 6×4.\n  Line 7 ran 3 times: for x in y:")
    assert one == "The work grows: 12 lines for 3×4 and 1.5e-3 for 6×4"
    assert without_numbers(one) == without_numbers("The work grows: 120 lines for 3×40 and 2 for 60×4")
    assert without_numbers(one) != without_numbers("The work grows: 12 operators for 3×4 and 15 for 6×4")


VALUES = [
    torch.zeros(2, 3),
    torch.zeros(3, 2),
    torch.zeros(2, 3, dtype=torch.float64),
    torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1e-30]]),
    torch.zeros(2, 3, dtype=torch.bfloat16),
    torch.zeros(2, 3, dtype=torch.complex64),
    torch.zeros(0),
    torch.tensor(0.0),
    torch.tensor(True),
    [1, 2],
    [1, [2]],
    (1, 2),
    {"a": 1},
    {"a": 1.0},
    {1: "a"},
    "a",
    None,
    0,
    False,
]


def test_digests_tell_values_apart() -> None:
    assert all(digest(Returned(value)) for value in VALUES)
    assert len({digest(Returned(value)) for value in VALUES}) == len(VALUES)
    x = torch.arange(6.0).reshape(2, 3)
    assert digest(Returned(x)) == digest(Returned(x.t().contiguous().t()))


def test_what_cannot_be_read_bit_by_bit_has_no_digest() -> None:
    assert not digest(Raised("ValueError", ("ValueError",), "no", ()))
    for value in (object(), [object()], torch.zeros(2).to_sparse(), torch.zeros(2, device="meta")):
        assert not digest(Returned(value))
