"""Prints results on a terminal: one submission with its feedback, or a class as a table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.output.inert import inert, one_line
from autograder.results.feedback import GRADER_FAILED, WORDS, account, check_text, exercise_name, points_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Visibility
from autograder.results.printer import INDENT, Printer, bar, grade_style

# The first of these that occurs in an exercise decides its symbol.
_TROUBLE = (Status.ERROR, Status.TIMEOUT, Status.FAILED, Status.SKIPPED, Status.EXCUSED)


def print_result(result: Result, console: Console) -> None:
    """One submission: a table of its exercises, the feedback of each check not passed, and the total."""
    show = Printer(console)
    show.line((_heading(result), "bold"))
    for text, style in _notices(result):
        console.print()
        show.block(text, style)
    if any(exercise.checks for exercise in result.exercises):
        console.print()
        console.print(_exercise_table(result.exercises, show))
        for check in result.checks:
            if check.status is not Status.PASSED:
                _print_feedback(check, show)
    if timed := [check for check in result.checks if check.timing is not None]:
        console.print()
        console.print(_timing_table(timed, show))
    console.print()
    total = f"Total {points_text(result.points)} / {points_text(result.max_points)} points"
    if result.state is State.GRADED:
        show.line((total, f"bold {grade_style(result.points, result.max_points)}"))
        for line in account(result):
            show.line((line, ""))
        if result.checks:
            show.line((_tally(result.checks), ""))
    else:
        show.line((total, "bold"), (" (not a grade: grading did not finish)", ""))


def _timing_table(checks: list[CheckResult], show: Printer) -> Table:
    """Forward passes as multiples of the reference's: the measurement, its lower bound and the limits."""
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Forward pass", overflow="fold")
    for heading in ("Ratio", "At least", "Full up to", "None from", "Quadruples"):
        table.add_column(heading, justify="right")
    table.add_column("Device", overflow="fold")
    for check in checks:
        timing = check.timing
        assert timing is not None
        numbers = (timing.ratio, timing.bound, timing.k_full, timing.k_zero)
        symbol, style = show.symbol(check.status)
        cells = [*(f"{number:.2f}" if number < 10 else f"{number:.0f}" for number in numbers), str(timing.quadruples)]
        name = one_line(check.exercise, 60)
        table.add_row(show.text(symbol, style), *map(show.text, (name, *cells, one_line(timing.device, 40))))
    return table


def print_class(results: Iterable[tuple[str, Result]], console: Console) -> None:
    """A class: one row per submission, sorted by name, and below it the key to the numbered columns."""
    show = Printer(console)
    most: dict[str, float] = {}
    bonus: set[str] = set()
    rows: list[_ClassRow] = []
    for name, result in results:
        for exercise in result.exercises:
            most.setdefault(exercise.name, exercise.max_points)
            bonus |= {exercise.name} if exercise.bonus else set()
        rows.append(_row(name, result))
    if not rows:
        show.line(("No submissions.", ""))
        return
    rows.sort(key=lambda row: (row.name.casefold(), row.name))
    notes_fit = _print_rows(rows, most, show)
    legend = [
        f"{i} {one_line(name, 40)} ({points_text(all_)}{' bonus' * (name in bonus)})"
        for i, (name, all_) in enumerate(most.items(), 1)
    ]
    console.print()
    _print_legend(legend, show)
    troubled = [] if notes_fit else [row for row in rows if row.note]
    if troubled:
        console.print()
    for row in troubled:
        show.line((f"{row.name}: ", ""), (row.note, "yellow"))
    console.print()
    show.line((_summary(rows), "bold"))


def _print_rows(rows: list[_ClassRow], most: dict[str, float], show: Printer) -> bool:
    """The table. Numbers are never cut: names and notes get the remaining width, and notes only if it is enough.

    Returns:
        Whether the notes are in the table.
    """
    totals = [show.text(_short(row.total), f"bold {grade_style(row.total, row.most)}") for row in rows]
    columns = [
        [_points_cell(row.points.get(exercise), points, show) for row in rows] for exercise, points in most.items()
    ]
    total_width = max(len("Total"), *(cell.cell_len for cell in totals))
    widths = [max(2, *(cell.cell_len for cell in column)) for column in columns]
    left = show.console.width - sum(width + 2 for width in (total_width, *widths))
    name_width = max(cell_len(row.name) for row in rows)
    note_width = max(cell_len(row.note) for row in rows)
    notes_fit = left - min(name_width, 16) - 2 >= min(note_width, 22)
    name_room = max(left - min(note_width, 36) - 2, min(name_width, 16)) if notes_fit else left
    name_width = max(len("Name"), min(name_width, name_room))
    table = Table(box=show.box, padding=0, collapse_padding=True, show_edge=False, header_style="bold")
    table.add_column("Name", width=name_width, no_wrap=True)
    table.add_column("Total", width=total_width + 1, justify="right", no_wrap=True)
    for number, width in enumerate(widths, 1):
        table.add_column(str(number), width=width + 1, justify="right", no_wrap=True)
    if notes_fit and note_width:
        note_width = min(note_width, left - name_width - 2)
        table.add_column(" Note", width=note_width + 1, no_wrap=True)
    for i, row in enumerate(rows):
        cells = [show.shortened(row.name, name_width), totals[i], *(column[i] for column in columns)]
        if notes_fit and note_width:
            cells.append(Text(" ").append_text(show.shortened(row.note, note_width, "yellow")))
        table.add_row(*cells)
    show.console.print(table)
    return notes_fit


class _ClassRow(NamedTuple):
    """What the table of a class keeps of one submission."""

    name: str
    graded: bool
    total: float
    most: float
    points: dict[str, float]
    note: str


def _heading(result: Result) -> str:
    title = one_line(result.title or result.assignment, 100)
    submission = one_line(result.submission, 100)
    return f"{title} · {submission}" if submission else title


def _notices(result: Result) -> list[tuple[str, str]]:
    notices = []
    if result.state is State.UNFINISHED:
        notices.append(("Grading is not finished.", "yellow"))
    elif result.state is State.ERROR:
        notices.append((GRADER_FAILED, "bold magenta"))
    if result.notice.strip():
        notices.append((inert(result.notice, 2_500).strip(), "yellow"))
    return notices


def _exercise_table(exercises: tuple[ExerciseResult, ...], show: Printer) -> Table:
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    table.add_column("Points", justify="right", no_wrap=True)
    table.add_column("Checks", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    pad = max((len(points_text(exercise.max_points)) for exercise in exercises), default=0)
    for exercise in exercises:
        statuses = {check.status for check in exercise.checks}
        symbol, style = show.symbol(next((status for status in _TROUBLE if status in statuses), Status.PASSED))
        passed = sum(check.status is Status.PASSED for check in exercise.checks)
        grade = grade_style(exercise.points, exercise.max_points)
        table.add_row(
            show.text(symbol if exercise.checks else "", style),
            show.text(exercise_name(exercise)),
            show.text(f"{points_text(exercise.points)} / {points_text(exercise.max_points):>{pad}}", grade),
            show.text(f"{passed}/{len(exercise.checks)}"),
            show.text(bar(exercise.points, exercise.max_points), grade),
        )
    return table


def _print_feedback(check: CheckResult, show: Printer) -> None:
    symbol, style = show.symbol(check.status)
    points = f"{points_text(check.points)} / {points_text(check.max_points)} points"
    hidden = "" if check.visibility is Visibility.VISIBLE else f"   [{check.visibility.value.replace('_', ' ')}]"
    show.console.print()
    show.line(
        (f"{symbol} {one_line(check.exercise, 60)}", f"bold {style}"),
        (f" / {one_line(check.name, 60)}", "bright_black"),
        (f"   {WORDS[check.status]}, {points}{hidden}", style),
    )
    show.block(check_text(check, max(show.console.width - INDENT, 20)))


def _tally(checks: tuple[CheckResult, ...]) -> str:
    """For instance "12 of 20 checks passed, 7 failed, 1 timed out"."""
    counts = {status: sum(check.status is status for check in checks) for status in Status}
    rest = (f"{counts[status]} {WORDS[status]}" for status in WORDS if status is not Status.PASSED and counts[status])
    return ", ".join([f"{counts[Status.PASSED]} of {len(checks)} checks passed", *rest])


def _row(name: str, result: Result) -> _ClassRow:
    points = {exercise.name: exercise.points for exercise in result.exercises}
    graded = result.state is State.GRADED
    return _ClassRow(one_line(name, 60), graded, result.points, result.max_points, points, note(result))


def note(result: Result) -> str:
    """What is wrong with a submission, in a few words; empty if nothing is."""
    parts = []
    if result.state is State.ERROR:
        parts.append("grader failed")
    elif result.state is State.UNFINISHED:
        parts.append("not finished")
    if result.notice.strip():
        parts.append(one_line(result.notice.strip().splitlines()[0], 80).removesuffix("."))
    for status, one, many in (
        (Status.ERROR, "grader error", "grader errors"),
        (Status.TIMEOUT, "time-out", "time-outs"),
        (Status.SKIPPED, "check not run", "checks not run"),
    ):
        count = sum(check.status is status for check in result.checks)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    return ", ".join(parts)


def _points_cell(points: float | None, most: float, show: Printer) -> Text:
    if points is None:
        return show.text("–", "bright_black")
    return show.text(_short(points), grade_style(points, most))


def _short(points: float) -> str:
    """One decimal is enough for a class."""
    return points_text(round(points, 1))


def _print_legend(entries: list[str], show: Printer) -> None:
    """The entries in as many columns as fit, read downwards."""
    if not entries:
        return
    width = max(map(len, entries)) + 3
    columns = max(1, min(len(entries), (show.console.width + 3) // width))
    height = -(-len(entries) // columns)
    for row in range(height):
        show.line(("".join(f"{entry:<{width}}" for entry in entries[row::height]).rstrip(), "bright_black"))


def _summary(rows: list[_ClassRow]) -> str:
    totals = [row.total for row in rows if row.graded]
    count = f"{len(rows)} submission{'s' if len(rows) != 1 else ''}"
    if not totals:
        return f"{count}, none graded"
    graded = "" if len(totals) == len(rows) else f", {len(totals)} graded"
    most = points_text(max(row.most for row in rows))
    mean, median = (
        points_text(round(statistics.fmean(totals), 1)),
        points_text(round(statistics.median(totals), 1)),
    )
    return f"{count}{graded}: mean {mean}, median {median} of {most} points"
