"""How close the answers to a check come to being wrong."""

from __future__ import annotations

import pytest
import torch

from autograder.grading.margins import Margins
from autograder.grading.tolerance import Standard, Tolerance
from autograder.results.feedback import margin_text
from autograder.results.model import CheckResult, Status
from autograder.sandbox.values import Raised, Returned

LENIENT = Standard(Tolerance(0.0, 0.1), dtype=False, shape=False)


def margin_of(expected, got, standard=LENIENT):
    margins = Margins()
    margins.compare(Returned(expected), Returned(got), standard)
    return margins.result()


@pytest.mark.parametrize(
    ("expected", "got", "largest"),
    [
        (torch.tensor([1.0, 0.5]), torch.tensor([1.0, 0.45]), 0.5),
        (torch.tensor([10.0]), torch.tensor([10.5]), 0.5),  # the absolute part grows with the largest number
        (torch.tensor([1.0]), torch.tensor([[1.05]]), 0.5),
        ({"a": [1.0, "text"]}, {"a": [1.2, "text"]}, 2.0),
        (torch.tensor([1.0, float("inf")]), torch.tensor([1.0, float("inf")]), 0.0),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), None),
        (torch.tensor([1.0]), torch.tensor([1.0, 1.0]), None),
        (1.0, 1.0, 0.0),
        ("text", "text", None),
    ],
)
def test_the_largest_error_is_a_multiple_of_what_is_allowed(expected, got, largest):
    assert margin_of(expected, got).largest == (None if largest is None else pytest.approx(largest, abs=1e-5))


def test_of_several_answers_the_worst_counts_with_its_tolerance():
    margins = Margins()
    margins.compare(Returned(1.0), Returned(1.05), LENIENT)
    margins.compare(Returned(1.0), Returned(1.1), Standard(Tolerance(0.0, 0.5)))
    margins.compare(Raised("ValueError", ("ValueError",), ""), Returned(1), LENIENT)
    found = margins.result()
    assert (found.compared, found.wrong, found.exceptions) == (3, 1, 1)
    assert (found.largest, found.absolute) == (pytest.approx(0.5), 0.1)


def test_an_instructor_reads_what_was_asked_the_tolerance_and_the_margin():
    passed = CheckResult("double", "values", "", Status.PASSED, 1.0, 1.0, examples=7, margin=margin_of(1.0, 1.05))
    assert margin_text(passed) == (
        "double/values passed: it asked 7 questions. Of 1 answers that were compared with the solution's, none "
        "differed. The largest error is 0.5 times what is allowed, which is 0 of the right number plus 0.1 (of the "
        "largest right number, if that is above 1)."
    )
    judged = CheckResult("double", "draws", "", Status.FAILED, 1.0, examples=1)
    assert margin_text(judged) == (
        "double/draws failed: it asked 1 question. It does not compare answers with the solution's, so there is no "
        "tolerance."
    )
