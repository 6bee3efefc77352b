"""Threat 15: feedback that attacks whoever looks at it."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import re

import pytest

attack = pytest.mark.attack

BAD = "</pre><script>alert(1)</script>\\x1b[31m\\x1b]0;owned\\x07\\x9b2J\\x00\\u202e**bold** [link](javascript:x) `{{7*7}}`"
WAYS = {
    "message": f"raise ValueError('{BAD}' * 100_000)",
    "type_name": f"raise type('{BAD}'.replace(chr(0), ''), (Exception,), {{}})('text')",
    "returned_text": f"return '{BAD}' * 100_000",
    "returned_type": f"return type('{BAD}'.replace(chr(0), ''), (), {{}})()",
    "returned_keys": f"return {{'{BAD}': 3 * x}}",
}
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    "way", [pytest.param(n, id=n, marks=attack(f"def attacked(x):\n    {code}\n")) for n, code in WAYS.items()]
)
def test_feedback_is_inert_and_cut_short(result, way):
    result.failed_alone()
    for test in result.data["tests"]:
        assert not CONTROLS.search(test["output"]), way
        assert len(test["output"]) < 10_000
        assert test["output_format"] == "text"
    assert (
        result.data["output_format"] == result.data["test_output_format"] == result.data["test_name_format"] == "text"
    )
    assert not CONTROLS.search(result.notice)
    assert len(result.text) < 30_000


@attack(f"raise ValueError('{BAD}' * 10_000)\n")
def test_an_import_error_is_inert_and_cut_short(result):
    assert result.data["score"] == 0
    assert not CONTROLS.search(result.notice)
    assert len(result.text) < 30_000


@attack("x = 1\n\x0c\ndef </pre><script>(x):\n", raw=True)
def test_a_syntax_error_is_inert(result):
    assert result.data["score"] == 0
    assert "could not be read as Python" in result.notice
    assert not CONTROLS.search(result.notice)


def test_the_terminal_shows_no_control_sequence_of_a_students(own_course, grade):
    done = grade(own_course, own_course.attack("terminal", f"def attacked(x):\n    raise ValueError('{BAD}' * 100)\n"))
    assert done.code == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert not CONTROLS.search(done.stdout.replace("\n", ""))
    assert len(done.stdout) < 20_000
