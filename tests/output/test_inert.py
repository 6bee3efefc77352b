from __future__ import annotations

import time

import pytest

from autograder.output.inert import inert, one_line


def test_ordinary_text_stays_as_it_is() -> None:
    text = "tensor of shape (2, 3): −∞ ≤ x × y, “Größe” 数\n  indented"
    assert inert(text, 1000) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x9b31mred\x9d0;t\x9c", "red"),
        ("\x1bP1;2|sixel\x1b\\text", "text"),
        ("\x1b(Btext", "text"),
        ("nul\x00bell\x07back\x08del\x7f", "nulbellbackdel"),
        ("half \ud83d pair \udc00", "half  pair "),
        ("abc\u202edcba\u2066x\u2069", "abcdcbax"),
        ("zero\u200bwidth\ufeff\u00ad\u2060", "zerowidth"),
        ("tag\U000e0041\U000e0100", "tag"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\tb", "a   b"),
        ("a\n\tb", "a\n    b"),
    ],
)
def test_what_a_display_might_act_on_is_gone(raw: str, shown: str) -> None:
    assert inert(raw, 1000) == shown


@pytest.mark.parametrize("broken", ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;never ends", "\x1b\x1b[\x1b[3\x1b[1m"])
def test_a_broken_escape_leaves_no_control_character(broken: str) -> None:
    shown = inert(f"before {broken}\nafter", 1000)
    assert shown.startswith("before ")
    assert shown.endswith("\nafter")
    assert "\x1b" not in shown


def test_a_long_text_is_cut_in_the_middle_and_says_how_much_is_missing() -> None:
    shown = inert("a" * 50_000 + "b" * 50_000, 1000)
    assert len(shown) <= 1000
    head, tail = shown.split(" … 99,033 characters left out … ")
    assert set(head) == {"a"}
    assert set(tail) == {"b"}
    assert len(head) + len(tail) == 100_000 - 99_033


@pytest.mark.parametrize("length", [10, 11, 99, 101, 1000, 5000])
@pytest.mark.parametrize("limit", [0, 1, 5, 20, 45, 100])
@pytest.mark.parametrize("unit", ["x", "x\n", "\t", "\x1b[1mx"])
def test_the_limit_always_holds(length: int, limit: int, unit: str) -> None:
    assert len(inert(unit * length, limit)) <= limit


def test_a_text_at_the_limit_is_whole() -> None:
    assert inert("x" * 100, 100) == "x" * 100


@pytest.mark.parametrize("unit", ["x", "\x1b", "\x1b[", "\x1b]0;", "\x9d", "\x1b[1", "\t", "\r\n", "\u202e", "\ud800"])
def test_100_million_characters_cost_nothing(unit: str) -> None:
    text = unit * (100_000_000 // len(unit))
    started = time.perf_counter()
    shown = inert(text, 10_000)
    assert time.perf_counter() - started < 0.5
    assert len(shown) <= 10_000


def test_one_line_has_no_line_breaks() -> None:
    assert one_line("  two\n\tlines\x1b[1m ", 100) == "two lines"
