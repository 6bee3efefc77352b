"""Shows who moves between two results: on a terminal, and as a CSV file with everyone in it."""

from __future__ import annotations

from pathlib import Path

from autograder.batch import gradebook
from autograder.batch.changes import Change, Comparison, Kind, signed
from autograder.output.inert import one_line
from autograder.results.feedback import points_text
from autograder.results.printer import Printer

_SHOWN = 40
_FEW = 3  # checks in one row
_NAME, _CELL = 40, 200
_STYLES = {Kind.FALLS: "red", Kind.RISES: "green", Kind.FAILED: "bold magenta", Kind.GONE: "yellow"}
_COUNTED = {  # one, and several
    Kind.FALLS: ("falls", "fall"),
    Kind.RISES: ("rises", "rise"),
    Kind.SAME: ("keeps its grade", "keep their grade"),
    Kind.NEW: ("has a first grade", "have a first grade"),
    Kind.GONE: ("has no result any more", "have no result any more"),
    Kind.FAILED: ("could not be graded", "could not be graded"),
    Kind.NONE: ("has no grade", "have no grade"),
}
_HEAD = ("Submission", "Before", "Maximum before", "After", "Maximum after", "Change", "What", "Why", "Checks")


def summary(comparison: Comparison) -> str:
    """One line: how many grades do what, and why."""
    kinds = comparison.kinds
    parts = [f"{kinds[kind]} {words[kinds[kind] > 1]}" for kind, words in _COUNTED.items() if kinds[kind]]
    count = len(comparison.changes)
    text = f"{count} submission{'s' * (count != 1)}: {', '.join(parts)}."
    if reasons := comparison.reasons:
        text += f" Changed: {', '.join(f'{reason} ({number})' for reason, number in reasons)}."
    return text


def print_changes(comparison: Comparison, show: Printer) -> None:
    """The movers, the largest falls first, and the checks behind it."""
    show.line((f"{comparison.title}: {comparison.before} compared with {comparison.after}", "bold"))
    if moved := comparison.moved:
        table = show.table()
        for name in ("Submission", "Before", "After", "Change", "Why", "Checks"):
            table.add_column(show.text(name), justify="right" if name == "Change" else "left", overflow="fold")
        for each in moved[:_SHOWN]:
            table.add_row(*map(show.text, _cells(each)), style=_STYLES.get(each.kind, ""))
        show.console.print(table)
        if len(moved) > _SHOWN:
            show.line((f"… and {len(moved) - _SHOWN} more: --csv and --html show all.", "dim"))
    if checks := comparison.checks():
        table = show.table()
        for name in ("Check", "Down", "Up", "Points"):
            table.add_column(show.text(name), justify="left" if name == "Check" else "right", overflow="fold")
        for each_check in checks[:_SHOWN]:
            name, points = f"{each_check.exercise}/{each_check.name}", signed(each_check.points)
            table.add_row(*map(show.text, (name, str(each_check.down), str(each_check.up), points)))
        show.console.print(table)
    show.line((summary(comparison), "bold"))


def write_csv(comparison: Comparison, path: Path) -> None:
    """Raises UsageError: the file cannot be written."""
    rows = [_row(each) for each in sorted(comparison.changes, key=lambda each: each.label.casefold())]
    gradebook.write_table(path, [list(_HEAD), *rows])


def _row(change: Change) -> list[str]:
    grades = [
        cell
        for grade in (change.before, change.after)
        for cell in ((points_text(grade.points), points_text(grade.most)) if grade else ("", ""))
    ]
    difference = points_text(change.points) if change.before and change.after else ""
    label, checks = one_line(change.label, _CELL), "; ".join(map(str, change.checks))
    return [
        *(gradebook.text_cell(label), *grades, difference, change.kind.value),
        *map(gradebook.text_cell, (", ".join(change.reasons), checks)),
    ]


def _cells(change: Change) -> tuple[str, ...]:
    before = str(change.before) if change.before else "–"
    after = str(change.after) if change.after else change.kind.value if change.kind is not Kind.NONE else "–"
    difference = signed(change.points) if change.before and change.after else ""
    more = [f"and {len(change.checks) - _FEW} more"] if len(change.checks) > _FEW else []
    checks = one_line(", ".join([*map(str, change.checks[:_FEW]), *more]), _CELL)
    return one_line(change.label, _NAME), before, after, difference, ", ".join(change.reasons), checks
