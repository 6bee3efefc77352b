"""The table of what is known about the graders: one Markdown file to which each command adds its columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.errors import UsageError
from autograder.output import atomic

COLUMNS = (
    "Assignment",
    "Exercise",
    "Points",
    "Checks",
    "Examples",
    "Seconds",
    "Misconceptions caught",
    "Median cost",
    "Largest cost",
    "Above half",
    "Checks nothing fails",
    "Own hint shown",
    "Told in pairs",
    "Misleading in pairs",
    "Feedback rendered",
    "Reproduced",
    "Runs",
    "Mutants caught",
    "Equivalent mutants",
    "Right refused",
    "Closest right",
    "Closest wrong",
)
WHOLE = "all"  # the row for the assignment as a whole

_INTRODUCTION = """\
# What is known about the graders

Written by `verify`, `mutants` and `fairness` of `autograder` with `--table`; not edited by hand.

- *Checks*, *Examples*: the number of named checks, and of questions that they ask a correct submission.
- *Seconds*: the median time to check the solution, with the reference's answers known and other runs on the same cores.
- *Misconceptions caught*: known wrong variants that lose points in their own exercise and nowhere else, out of those
  tried.
- *Median cost*, *Largest cost*, *Above half*: the share of its exercise's points that a misconception costs, and how
  many cost more than half, for the reasons that `graders/<assignment>/misconceptions.py` gives with `severe`.
- *Checks nothing fails*: those that no misconception fails, because none could or because the graders say why.
- *Own hint shown*: misconceptions whose own code is shown their hint, or another that is declared to be as good.
- *Told in pairs*, *Misleading in pairs*: two misconceptions at once, drawn at random with `verify --pairs`: mistakes
  whose hint is given, out of those that show in the answers; and hints that belong to neither, out of those given.
- *Feedback rendered*: misconceptions whose feedback was written out in full and contains no traceback, no path, no
  address in memory and no code of the graders.
- *Reproduced*: misconceptions with a failed check that a program shows (`autograder reproduce`). Each program was run
  with torch alone: it fails on the misconception and passes on the solution.
- *Runs*: what was graded for this: salts × repeats × (the solution, the skeleton and each misconception tried). The
  first run of a misconception checks all exercises, the others only its own.
- *Mutants caught*: small mistakes, inserted automatically into the solution, that lose points, out of those that are
  not equivalent.
- *Equivalent mutants*: those that change nothing that the contract specifies; each is explained in
  `graders/<assignment>/equivalent_mutants.toml`.
- *Right refused*: right submissions that lost points, out of those graded, and what the rate is below with a confidence
  of 95 % (for none of n: 3/n). They are the solution, rewritten in several ways, and the odd but right submissions of
  the tests, each computed in every way that the machine has; see `autograder fairness`.
- *Closest right*, *Closest wrong*: the largest error of a right answer, and the smallest by which a misconception is
  caught, both as multiples of the tolerance: below 1/4 and above 4 is sound. A dash: all differ by more than a number.
"""

Key = tuple[str, str]  # assignment, exercise


def update(path: Path, rows: Mapping[Key, Mapping[str, str]]) -> None:
    """Writes the cells of `rows` (by column) into the table at `path`; other cells and rows stay as they are.

    Raises:
        UsageError: the file cannot be read or written.
    """
    try:
        table = _read(path) if path.exists() else {}
        for key, cells in rows.items():
            table[key] = {**table.get(key, {}), **cells}
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, _text(table).encode())
    except OSError as error:
        raise UsageError(f"Cannot update {path}: {error.strerror or error}.") from error


def _read(path: Path) -> dict[Key, dict[str, str]]:
    """The cells by the columns that the file names, which may be those of an earlier version."""
    table = {}
    columns: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip(" `*") for cell in line.strip().strip("|").split("|")]
        if cells[0] == COLUMNS[0]:
            columns = cells
        elif len(cells) == len(columns) and cells[0] not in ("---", ":---", ""):
            table[cells[0], cells[1]] = dict(zip(columns[2:], cells[2:], strict=True))
    return table


def _text(table: Mapping[Key, Mapping[str, str]]) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
    slugs = list(dict.fromkeys(slug for slug, _ in table))
    for slug in sorted(slugs):
        names = [name for other, name in table if other == slug and name != WHOLE]
        for name in ([WHOLE] if (slug, WHOLE) in table else []) + names:
            cells = [table[slug, name].get(column, "") for column in COLUMNS[2:]]
            first = f"**{slug}**" if name == WHOLE else slug
            lines.append(f"| {first} | {name if name == WHOLE else f'`{name}`'} | " + " | ".join(cells) + " |")
    return _INTRODUCTION + "\n" + "\n".join(lines) + "\n"
