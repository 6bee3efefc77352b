from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from autograder.results.model import ExerciseResult, Result, State, Status
from autograder.results.terminal import print_class, print_result
from results import result_samples as samples


def shown(result: Result, width: int = 80, encoding: str = "utf-8", **options: object) -> str:
    return _printed(lambda console: print_result(result, console), width, encoding, **options)


def shown_class(results: list[tuple[str, Result]], width: int = 100, encoding: str = "utf-8") -> str:
    return _printed(lambda console: print_class(iter(results), console), width, encoding)


def _printed(show: object, width: int, encoding: str, **options: object) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show(Console(file=file, width=width, **options))  # type: ignore[operator, arg-type]
    file.flush()
    return file.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined, no-any-return]


CLASS = [
    ("zoe", samples.of_class("zoe", 1)),
    ("Ada Lovelace", samples.of_class("a", 0.8)),
    ("bob", samples.of_class("b", 0.5, Status.TIMEOUT)),
    ("eve", samples.of_class("e", 0, Status.FAILED, notice="syntax error, line 12")),
    ("a_very_long_student_name_0123456789", samples.of_class("x", 1 / 3, Status.ERROR)),
    ("un", samples.of_class("u", 0, state=State.UNFINISHED)),
]


@pytest.mark.parametrize("width", [80, 100])
def test_a_submission_shows_exercises_feedback_and_total(width: int) -> None:
    text = shown(samples.typical(), width)
    assert all(len(line) <= width for line in text.splitlines())
    lines = text.splitlines()
    assert lines[0] == "Pooling from scratch · ada.ipynb"
    assert "✓   naive_padding     8 /  8      1/1   ████████████" in lines
    assert "!   naive_pooling   5.5 / 18      1/4   ████░░░░░░░░" in lines
    assert "✗ naive_pooling / test_max_pooling   failed, 1.5 / 6 points" in lines
    assert "        -3.  -3.  -4.                                 0.   0.   0." in lines
    assert "⏱ naive_pooling / test_strides   timed out, 0 / 3 points" in lines
    assert "Total 13.5 / 41 points" in lines
    assert "test_shape" not in text


def test_nothing_is_read_as_markup_or_escape() -> None:
    nasty = "[red]x[/red] [/] [link=http://evil]y[/link] :smile: \x1b[2J\x1b]0;t\x07"
    check = msgspec.structs.replace(samples.FAILED, exercise=nasty, name=nasty, title=nasty, message=nasty, hint=nasty)
    result = samples.result(ExerciseResult(nasty, 6.0, (check,)), title=nasty, submission=nasty, notice=nasty)
    text = shown(result, 200, force_terminal=False)
    assert text.count("[red]x[/red] [/] [link=http://evil]y[/link] :smile:") >= 6
    assert "\x1b" not in text
    assert "[red]x" in shown_class([(nasty, result)], 200)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_console_without_unicode_gets_plain_signs(encoding: str) -> None:
    text = shown(samples.typical(notice="数 “x”"), encoding=encoding)
    assert "+   naive_padding     8 /  8      1/1   ############" in text
    assert "T naive_pooling / test_strides" in text
    assert "pads with -inf" in text
    assert '?? "x"' in text.replace("? ", "?? ", 1)
    assert "zoe" in shown_class(CLASS, encoding=encoding)


def test_colours_come_only_on_a_terminal() -> None:
    assert "\x1b[" in shown(samples.typical(), force_terminal=True)
    assert "\x1b[" not in shown(samples.typical())


def test_an_unfinished_result_says_so() -> None:
    text = shown(samples.unfinished())
    assert "Grading is not finished." in text
    assert "not a grade" in text


def test_a_failed_grader_says_so() -> None:
    assert "not your fault" in " ".join(shown(samples.result(state=State.ERROR)).split())


def test_the_log_is_not_printed() -> None:
    assert "SECRET" not in shown(samples.typical(log=("SECRET",)))


@pytest.mark.parametrize("points", [0.0, 0.01, 5.99, 6.0])
def test_the_bar_is_full_only_for_all_points_and_empty_only_for_none(points: float) -> None:
    check = msgspec.structs.replace(samples.FAILED, points=points)
    text = shown(samples.result(ExerciseResult("e", 6.0, (check,))))
    assert ("█" not in text) == (points == 0)
    assert ("░" not in text) == (points == 6)


def test_a_class_of_ten_exercises_fits_100_columns() -> None:
    text = shown_class(CLASS)
    lines = [line.rstrip() for line in text.splitlines()]
    assert all(len(line) <= 100 for line in lines)
    assert lines[0].split() == ["Name", "Total", *map(str, range(1, 11)), "Note"]
    assert lines[3].split()[:3] == ["Ada", "Lovelace", "46"]
    assert [line.split()[0] for line in lines[2:8]] == [lines[2].split()[0], "Ada", "bob", "eve", "un", "zoe"]
    assert lines[2].startswith("a_very_long_stu")
    assert "10 time-outs" in text
    assert "syntax error, line 12" in text
    assert "10 grader errors" in text
    assert "not finished" in text
    assert "10 StochasticPooling (10)" in text
    assert lines[-1] == "6 submissions, 5 graded: mean 30.3, median 28.8 of 100 points"


def test_a_narrow_screen_keeps_every_number_and_puts_notes_below() -> None:
    lines = [line.rstrip() for line in shown_class(CLASS, 80).splitlines()]
    assert all(len(line) <= 80 for line in lines)
    assert next(line for line in lines if line.startswith("bob")).split()[1:] == [
        *("28.8", "1.2", "2.5", "3.8", "5", "1.2", "2.5", "3.8", "5", "1.2", "2.5")
    ]
    assert "eve: syntax error, line 12" in lines


def test_a_class_without_trouble_has_no_notes() -> None:
    assert "Note" not in shown_class(CLASS[:2])


def test_an_empty_class_says_so() -> None:
    assert shown_class([]) == "No submissions.\n"
