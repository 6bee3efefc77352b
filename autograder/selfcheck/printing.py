"""Prints the outcome of the public tests: a table, then what happened in each test that did not pass."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from autograder.output.inert import inert, one_line
from autograder.results.feedback import comparison
from autograder.results.model import Status
from autograder.results.printer import INDENT, Printer, bar, grade_style
from autograder.selfcheck.events import TestStatus, Trouble
from autograder.selfcheck.running import Outcome
from autograder.selfcheck.summary import (
    NO_POINTS,
    REPORTED,
    STATUS,
    Pairs,
    by_exercise,
    count_text,
    groups,
    next_text,
    pairs_of,
    unwritten,
    where,
)
from autograder.submissions.other_files import only_graded

# The first of these that occurs in an exercise decides its symbol.
_WORST = (TestStatus.ENDED, TestStatus.TIMEOUT, TestStatus.FAILED, TestStatus.UNWRITTEN, TestStatus.SKIPPED)


def print_outcome(
    outcome: Outcome,
    title: str,
    console: Console,
    *,
    again: str = "`autograder check`",
    allowed: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> None:
    """`again` is what to run after the next change, `allowed` what may be handed in with the file, and `notes` say how
    the file was found and read."""
    show = Printer(console)
    show.line((one_line(title, 200), "bold"))
    for note in notes:
        show.console.print()
        show.block(one_line(note, 400), "yellow")
    if outcome.broken is not None:
        _print_broken(outcome.broken, show)
        return
    _print_notices(outcome, allowed, show)
    pairs = pairs_of(outcome)
    console.print()
    _print_table(pairs, show)
    for group in groups(pairs):
        _print_group(group, show)
    for heading, names in unwritten(pairs):
        symbol, style = show.symbol(Status.SKIPPED)
        console.print()
        show.line((f"{symbol} {heading}", f"bold {style}"))
        show.block(", ".join(names))
    console.print()
    everything = all(ended.status is TestStatus.PASSED for _, ended in pairs)
    show.line((f"{count_text(pairs)}. ", f"bold {'green' if everything else ''}"), (NO_POINTS, ""))
    show.line((next_text(pairs, again), "bold"))


def _print_broken(trouble: Trouble, show: Printer) -> None:
    show.console.print()
    show.line((f"{show.symbol(Status.FAILED)[0]} Your file cannot be loaded, so no tests were run.", "bold red"))
    show.console.print()
    _print_trouble(trouble, show)
    show.console.print()
    show.line(("Fix this first: a file that cannot be loaded earns no points at all.", "bold"))


def _print_notices(outcome: Outcome, allowed: Sequence[str], show: Printer) -> None:
    if outcome.siblings:
        names = ", ".join(outcome.siblings)
        show.console.print()
        show.block(f"Your code imports {names} from its own folder. {only_graded(allowed)}", "yellow")
    if outcome.read_as_notebook:
        show.console.print()
        show.block("Your file contains code for IPython, so it was read as a notebook.", "yellow")
    if outcome.problems:
        show.console.print()
        show.block("These lines raised an error and were left out; the rest was run:", "yellow")
        for trouble in outcome.problems:
            show.console.print()
            _print_trouble(trouble, show)


def _print_table(pairs: Pairs, show: Printer) -> None:
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    table.add_column("Tests", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for exercise, tests in by_exercise(pairs).items():
        statuses = [ended.status for _, ended in tests]
        passed = statuses.count(TestStatus.PASSED)
        worst = next((status for status in _WORST if status in statuses), TestStatus.PASSED)
        symbol, style = show.symbol(STATUS[worst])
        grade = grade_style(passed, len(statuses))
        table.add_row(
            show.text(symbol, style),
            show.text(one_line(exercise, 60)),
            show.text(f"{passed}/{len(statuses)}", grade),
            show.text(bar(passed, len(statuses)), grade),
        )
    show.console.print(table)


def _print_group(group: Pairs, show: Printer) -> None:
    test, ended = group[0]
    symbol, style = show.symbol(STATUS[ended.status])
    names = ", ".join(one_line(test.name, 60) for test, _ in group)
    show.console.print()
    show.line(
        (f"{symbol} {one_line(test.exercise, 60)}", f"bold {style}"),
        (f" / {names}", "bright_black"),
        (f"   {REPORTED[ended.status]}", style),
    )
    for test, _ in group:
        show.block(one_line(test.title, 400))
    if ended.trouble is not None:
        show.console.print()
        _print_trouble(ended.trouble, show, with_statement=len(group) == 1)
    if ended.printed:
        show.console.print()
        show.block("Printed by your code:")
        more = [f"… {ended.more_lines} more lines"] if ended.more_lines > 0 else []
        for line in [*ended.printed, *more]:
            _print_code(f"| {line}", show)


def _print_trouble(trouble: Trouble, show: Printer, *, with_statement: bool = True) -> None:
    if trouble.statement and with_statement:
        for line in inert(trouble.statement, 600).split("\n"):
            _print_code(line, show, "cyan")
        show.console.print()
    if trouble.message:
        show.block(inert(trouble.message, 1_500))
    for place in trouble.places:
        show.block(f"  {where(place)}" + (":" if place.text else ""))
        if place.text:
            _print_code(f"    {place.text}", show, "cyan")
    if trouble.expected is not None and trouble.got is not None:
        show.console.print()
        show.block(comparison(trouble.expected, trouble.got, max(show.console.width - INDENT, 20)))


def _print_code(line: str, show: Printer, style: str = "") -> None:
    """One line verbatim, cut at the edge of the screen."""
    text = show.shortened(inert(line, 400).replace("\n", " "), max(show.console.width - 2 * INDENT, 20), style)
    text.pad_left(2 * INDENT)
    show.console.print(text)
