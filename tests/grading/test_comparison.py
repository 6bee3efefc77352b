"""When two outcomes count as the same, and what students are told when they do not."""

import math

import pytest
import torch

from autograder.grading.comparison import TOLERANCES, Tolerance, compare, mismatches, raised_text
from autograder.sandbox.values import Frame, Opaque, Raised, Returned

VALUE_ERROR = Raised("ValueError", ("ValueError", "Exception", "BaseException"), "p must be positive")


def message(expected, got, **options):
    difference = compare(Returned(expected), Returned(got), **options)
    return difference.message if difference else None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (3, 3),
        ("a", "a"),
        (None, None),
        (0.0, -0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([1, 2], (1, 2)),
        ((1, [2, None]), [1, (2, None)]),
        ({"a": 1}, {"a": 1}),
        (torch.Size([2, 3]), (2, 3)),
        (torch.tensor([0.0, math.nan, math.inf]), torch.tensor([-0.0, math.nan, math.inf])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
        (torch.tensor([True]), torch.tensor([True])),
    ],
)
def test_equal_values_are_the_same(expected, got):
    assert message(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (1, True, "a bool"),
        (2, 2.0, "a float"),
        (2.0, 2, "an int"),
        (1, Opaque("numpy.int64"), "numpy.int64"),
        (math.inf, 1e308, "inf"),
        ([1, 2], [1, 2, 3], "2 entries, but has 3"),
        ([1, 2], [1, 3], "[1]"),
        ({"a": 1}, {"b": 1}, "lacks 'a' and should not contain 'b'"),
        ({"gradient": torch.zeros(2)}, {"gradient": None}, "No gradient flows back"),
        (torch.zeros(2), [0.0, 0.0], "a list"),
        (torch.zeros(2, 3), torch.zeros(3, 2), "shape 2×3, but has shape 3×2"),
        (torch.zeros(1), torch.zeros(()), "shape (1,), but has shape ()"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), "torch.float64"),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), "1 of 2 entries differ"),
        (torch.tensor([math.inf]), torch.tensor([-math.inf]), "should be inf, but is -inf"),
        (torch.tensor([math.nan]), torch.tensor([0.0]), "should be nan, but is 0"),
        (torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0]]), "at row 1, column 0 it should be 0, but is 1"),
    ],
)
def test_a_difference_is_named(expected, got, words):
    assert words in message(expected, got)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_every_dtype_has_a_tolerance_that_its_rounding_meets(dtype):
    torch.manual_seed(0)
    exact = torch.randn(50, 50, dtype=torch.complex128 if dtype.is_complex else torch.float64)
    assert not mismatches(exact.to(dtype), (exact * 3).to(dtype) / 3).any()


def test_float64_results_are_held_to_more_than_float32_precision():
    exact = torch.linspace(0.1, 1, 7, dtype=torch.float64)
    assert mismatches(exact, exact.float().double()).any()
    assert not mismatches(exact, exact * (1 + 1e-12)).any()


def test_the_tolerance_grows_with_the_largest_entry():
    expected = torch.tensor([1e4, 0.0])
    assert not mismatches(expected, torch.tensor([1e4, 0.05])).any()
    assert mismatches(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.05])).any()


def test_a_grader_may_set_its_own_tolerance():
    assert message(torch.ones(1), torch.tensor([1.3]), tolerance=Tolerance(0.5, 0)) is None


def test_digits_are_added_until_two_numbers_look_different():
    text = message(torch.tensor([1 / 3], dtype=torch.float64), torch.tensor([1 / 3 + 1e-7], dtype=torch.float64))
    assert "should be 0.3333333, but is 0.3333334" in text


def test_the_same_kind_of_exception_is_the_same_outcome():
    subclass = Raised("pooling.MyError", ("ValueError", "Exception", "BaseException"), "no")
    assert compare(VALUE_ERROR, subclass) is None


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (Returned(1), "not allowed"),
        (
            Raised("TypeError", ("TypeError", "Exception"), "bad"),
            "This input should raise ValueError. Your code raised TypeError: bad",
        ),
        (Raised("ValueError", ("Exception", "BaseException"), "a class of that name"), "should raise ValueError"),
        (Raised("ValueError", ("ValueError", "Exception"), "  "), "no message"),
    ],
)
def test_another_kind_of_outcome_than_the_expected_exception_is_named(got, words):
    assert words in compare(VALUE_ERROR, got).message


def test_an_exception_is_told_with_the_students_own_line():
    frame = Frame("pooling.py", 12, "f", "    return x[9]")
    text = raised_text(Raised("IndexError", ("IndexError",), "index 9 is out of bounds", (frame,)))
    assert text == "Your code raised IndexError: index 9 is out of bounds\n  in pooling.py, line 12: return x[9]"


def test_a_long_message_of_an_exception_is_cut():
    assert len(raised_text(Raised("ValueError", ("ValueError",), "x" * 10_000))) < 400


def test_an_unfinished_function_is_told_kindly():
    assert raised_text(Raised("NotImplementedError", ("NotImplementedError",))) == "This is not implemented yet."
