"""An answer in a timed call is decoded only if it has the layout of a right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from autograder.sandbox.encoding import encode
from autograder.sandbox.framing import FrameError
from autograder.sandbox.layouts import Layout, OfAnotherKind
from autograder.sandbox.values import Answer, LineCount, Raised, Returned, Work

RIGHT = {"outputs": [(torch.zeros(2, 3), {"loss": 0.5}), 7, None, "text"], "peak_bytes": 0}


def required(layout: Layout, answer: Answer, more: int = 0) -> None:
    header, body = encode(1, answer)
    layout.require(header, sum(map(len, body)) + more)


def outputs(*values: Any) -> dict[str, Any]:
    return {**RIGHT, "outputs": list(values)}


@pytest.mark.parametrize(
    "value",
    [
        RIGHT,
        outputs((torch.ones(2, 3), {"loss": -1e9}), 8, None, "other"),
        outputs((torch.ones(2, 3, requires_grad=True), {"loss": 0.0}), 2**40, None, ""),
    ],
)
def test_numbers_may_differ(value: object) -> None:
    required(Layout.of(RIGHT), Answer(Returned(value)))


@pytest.mark.parametrize(
    "value",
    [
        {**RIGHT, "more": torch.zeros(2)},
        {"peak_bytes": 0, "outputs": RIGHT["outputs"]},
        {**RIGHT, "peak_bytes": [[]] * 15_000},
        outputs((torch.zeros(3, 2), {"loss": 0.5}), 7, None, "text"),
        outputs((torch.zeros(2, 3, dtype=torch.int32), {"loss": 0.5}), 7, None, "text"),
        outputs([torch.zeros(2, 3), {"loss": 0.5}], 7, None, "text"),
        outputs((np.zeros((2, 3), np.float32), {"loss": 0.5}), 7, None, "text"),
        outputs((torch.zeros(2, 3), {"loss": 1}), 7, None, "text"),
        outputs((torch.zeros(2, 3), {"loss": 0.5}), 7, None),
        outputs((torch.zeros(2, 3), {"loss": 0.5}), 7, None, "much longer than any text in a header" * 10_000),
        [],
        None,
    ],
)
def test_types_shapes_and_keys_may_not(value: object) -> None:
    with pytest.raises(OfAnotherKind):
        required(Layout.of(RIGHT), Answer(Returned(value)))


def test_no_byte_is_accepted_beyond_those_of_the_values() -> None:
    with pytest.raises(OfAnotherKind):
        required(Layout.of(RIGHT), Answer(Returned(RIGHT)), more=1)


def test_an_exception_is_an_answer_but_brings_nothing() -> None:
    raised = Answer(Raised("ValueError", ("ValueError",), "x" * 2_000))
    required(Layout.of(RIGHT), raised)
    with pytest.raises(OfAnotherKind):
        required(Layout.of(RIGHT), raised, more=1)


def test_reports_about_the_work_are_short() -> None:
    work = Work(lines=tuple(LineCount("a.py", number, 1) for number in range(5_000)))
    with pytest.raises(OfAnotherKind):
        required(Layout.of(RIGHT), Answer(Returned(RIGHT), work))


@pytest.mark.parametrize("header", [b"", b"\xc1", b"\x92\x01\x90", b"\x92\x01\x91\x93\xc4\x01\xc1\x00\x90"])
def test_what_is_no_header_is_refused(header: bytes) -> None:
    with pytest.raises(FrameError):
        Layout.of(RIGHT).require(header, 0)
