from __future__ import annotations

import msgspec
import pytest

from autograder.results.feedback import FEEDBACK_LIMIT, check_text, points_text, reproduction_text
from autograder.results.model import CheckResult, Counterexample, Reproduction, Shown, Status
from results import result_samples as samples


def changed(check: CheckResult, **changes: object) -> CheckResult:
    return msgspec.structs.replace(check, **changes)


def test_a_failed_check_reads_from_what_was_asked_to_where_to_look_next() -> None:
    assert (
        check_text(samples.FAILED)
        == """\
Max pooling equals the reference, for inputs of every sign.

8 of 9 entries differ, by up to 4.

The smallest example found:

    naive_pooling(feature_map, kernel_size, strides, padding)

    kernel_size = 2
    strides     = 1
    padding     = 1

    feature_map: float32 tensor of shape (2, 2)
      -1.  -2.
      -3.  -4.

    Expected: float32 tensor of shape (3, 3)     Got:
      -1.  -1.  -2.                                 0.   0.   0.
      -1.  -1.  -2.                                 0.  -1.   0.
      -3.  -3.  -4.                                 0.   0.   0.

Hint: your windows are padded with 0; max pooling pads with −inf, because 0 beats every negative input."""
    )


def test_values_stand_below_each_other_where_the_screen_is_narrow() -> None:
    text = check_text(samples.FAILED, width=50)
    assert "      -3.  -3.  -4.\n\n    Got:\n       0.   0.   0.\n" in text
    assert max(len(line) for line in text.split("\n")[8:-1]) <= 50 + len(samples.FAILED.hint)


def test_values_wider_than_the_screen_are_stacked_by_default() -> None:
    wide = Shown("", "tensor", "\n".join(["1.25  " * 9] * 2))
    check = changed(samples.FAILED, counterexample=Counterexample("f(x)", (), wide, wide))
    assert "Expected: tensor     " not in check_text(check)
    narrow = Shown("", "tensor", "\n".join(["1.25  " * 6] * 2))
    check = changed(samples.FAILED, counterexample=Counterexample("f(x)", (), narrow, narrow))
    assert all(len(line) <= 100 for line in check_text(check).split("\n")[:-1])
    assert "1.25     " in check_text(check)


def test_values_of_different_kinds_both_say_theirs() -> None:
    text = check_text(samples.RAISED)
    assert "    Expected: ValueError\n    Got:      float64 tensor of shape (1, 0, 1, 1)" in text


def test_a_value_with_a_name_of_its_own_keeps_it() -> None:
    example = Counterexample("f(x)", (), Shown("gradient of x", "float", "1.0"), Shown("gradient of x", "float", "2.0"))
    text = check_text(changed(samples.FAILED, counterexample=example))
    assert "    Expected gradient of x: 1.0   (float)\n    Got gradient of x:      2.0   (float)" in text


def test_a_grader_that_failed_takes_the_blame_and_tells_nothing_of_itself() -> None:
    text = check_text(changed(samples.BROKEN, hint="secret hint", counterexample=samples.POOLING_EXAMPLE))
    assert "The grader itself failed" in text
    assert "not your fault" in text
    assert "your instructor has been told" in text
    assert "4711" not in text
    assert "secret" not in text
    assert "Expected" not in text


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.FAILED, "not do this yet"), (Status.TIMEOUT, "time"), (Status.SKIPPED, "not run")],
)
def test_a_check_without_a_message_still_says_what_happened(status: Status, words: str) -> None:
    assert words in check_text(changed(samples.SKIPPED, status=status))


def test_a_passed_check_is_one_sentence() -> None:
    assert check_text(samples.PASSED) == "The output has the right shape."


def test_an_endless_message_pushes_out_neither_example_nor_hint() -> None:
    text = check_text(changed(samples.FAILED, message="\x1b[31mboo\n" * 10_000_000))
    assert len(text) <= FEEDBACK_LIMIT
    assert "\x1b" not in text
    assert "characters left out" in text
    assert "-3.  -3.  -4." in text
    assert "Hint: your windows" in text


def test_endless_values_leave_room_for_the_hint() -> None:
    huge = Shown("x" * 10_000, "k" * 10_000, "9 9 9\n" * 100_000)
    example = Counterexample("f(x)\n" * 10_000, (huge,) * 50, huge, huge)
    text = check_text(changed(samples.FAILED, counterexample=example))
    assert len(text) <= FEEDBACK_LIMIT
    assert "Hint: your windows" in text


@pytest.mark.parametrize(
    ("points", "text"),
    [(8.0, "8"), (7.5, "7.5"), (10 / 3, "3.33"), (0.0, "0"), (-0.0, "0"), (100, "100"), (0.1 + 0.2, "0.3")],
)
def test_points_have_no_trailing_zeros(points: float, text: str) -> None:
    assert points_text(points) == text


@pytest.mark.parametrize("answered", [True, False])
def test_why_there_is_no_program_is_said_only_of_code_that_answered(answered: bool) -> None:
    """Of code that is not written yet, or raises, the message says enough."""
    told = Reproduction(why_not="This failure cannot be reproduced outside of grading: it counts operators.")
    check = changed(samples.FAILED, answered=answered, reproduction=told)
    assert reproduction_text(check) == (told.why_not if answered else "")
    program = Reproduction(program="print(1)")
    assert "print(1)" in reproduction_text(changed(check, reproduction=program))
