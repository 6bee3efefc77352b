"""Prints the outcome of the public tests: a table, then what happened in each test that did not pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console

from autograder.output.inert import inert, one_line
from autograder.results.feedback import comparison
from autograder.results.model import Status
from autograder.results.printer import INDENT, Printer, bar, grade_style
from autograder.selfcheck.events import Ended, SourceLine, Test, TestStatus, Trouble
from autograder.selfcheck.running import Outcome
from autograder.submissions.other_files import only_graded

NO_POINTS = "They give no points; the hidden tests check more."

_STATUS = {
    TestStatus.PASSED: Status.PASSED,
    TestStatus.FAILED: Status.FAILED,
    TestStatus.ENDED: Status.FAILED,
    TestStatus.TIMEOUT: Status.TIMEOUT,
    TestStatus.UNWRITTEN: Status.SKIPPED,
    TestStatus.SKIPPED: Status.SKIPPED,
}
_WORDS = {
    TestStatus.FAILED: "failed",
    TestStatus.ENDED: "ended the program",
    TestStatus.TIMEOUT: "timed out",
    TestStatus.SKIPPED: "skipped",
}
# The first of these that occurs in an exercise decides its symbol.
_WORST = (TestStatus.ENDED, TestStatus.TIMEOUT, TestStatus.FAILED, TestStatus.UNWRITTEN, TestStatus.SKIPPED)

Pairs = list[tuple[Test, Ended]]


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
    pairs = [(test, outcome.ended[test.id]) for test in outcome.tests if test.id in outcome.ended]
    console.print()
    _print_table(pairs, show)
    for group in _groups(pairs):
        _print_group(group, show)
    _print_unwritten(pairs, show)
    console.print()
    _print_next(pairs, show, again)


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
    for exercise in dict.fromkeys(test.exercise for test, _ in pairs):
        verdicts = [ended.status for test, ended in pairs if test.exercise == exercise]
        passed = verdicts.count(TestStatus.PASSED)
        worst = next((verdict for verdict in _WORST if verdict in verdicts), TestStatus.PASSED)
        symbol, style = show.symbol(_STATUS[worst])
        grade = grade_style(passed, len(verdicts))
        table.add_row(
            show.text(symbol, style),
            show.text(one_line(exercise, 60)),
            show.text(f"{passed}/{len(verdicts)}", grade),
            show.text(bar(passed, len(verdicts)), grade),
        )
    show.console.print(table)


def _groups(pairs: Pairs) -> Iterable[Pairs]:
    """The tests to report; those of one exercise that failed in exactly the same way are grouped."""
    groups: dict[object, Pairs] = {}
    for test, ended in pairs:
        if ended.status in _WORDS:
            trouble = ended.trouble
            key: object = test.id
            if trouble is not None and (trouble.places or ended.status is TestStatus.ENDED):
                where: object = trouble.places[-1:]
                if ended.status is TestStatus.TIMEOUT:  # a loop is stopped in any of its lines
                    where = trouble.places[-1].function
                key = test.exercise, ended.status, trouble.message, where
            groups.setdefault(key, []).append((test, ended))
    return groups.values()


def _print_group(group: Pairs, show: Printer) -> None:
    test, ended = group[0]
    symbol, style = show.symbol(_STATUS[ended.status])
    names = ", ".join(one_line(test.name, 60) for test, _ in group)
    show.console.print()
    show.line(
        (f"{symbol} {one_line(test.exercise, 60)}", f"bold {style}"),
        (f" / {names}", "bright_black"),
        (f"   {_WORDS[ended.status]}", style),
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
        show.block(f"  {_where(place)}" + (":" if place.text else ""))
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


def _where(place: SourceLine) -> str:
    return f"{place.where}, in {place.function}" if place.function else place.where


def _print_unwritten(pairs: Pairs, show: Printer) -> None:
    """The exercises that are unchanged from the skeleton, and those that are missing altogether."""
    unwritten: dict[str, str] = {}
    for test, ended in pairs:
        if ended.status is TestStatus.UNWRITTEN and ended.trouble is not None:
            places = ended.trouble.places
            unwritten.setdefault(test.exercise, f"{test.exercise} ({places[-1].where})" if places else "")
    for heading, names in (
        ("Not written yet", [text for text in unwritten.values() if text]),
        ("Not defined in your file", [exercise for exercise, text in unwritten.items() if not text]),
    ):
        if names:
            symbol, style = show.symbol(Status.SKIPPED)
            show.console.print()
            show.line((f"{symbol} {heading}", f"bold {style}"))
            show.block(", ".join(names))


def _print_next(pairs: Pairs, show: Printer, again: str) -> None:
    passed = sum(ended.status is TestStatus.PASSED for _, ended in pairs)
    count, style = (f"All {len(pairs)}", "green") if passed == len(pairs) else (f"{passed} of {len(pairs)}", "")
    show.line((f"{count} public tests pass. ", f"bold {style}"), (NO_POINTS, ""))
    trouble = [test.exercise for test, ended in pairs if ended.status in _WORDS]
    left = [test.exercise for test, ended in pairs if ended.status is not TestStatus.PASSED]
    if trouble or left:
        todo = f"fix {trouble[0]}" if trouble else f"write {left[0]}"
        show.line((f"Next: {todo}, then run {again} again.", "bold"))
    else:
        show.line(("Next: try some inputs of your own, then hand in.", "bold"))
