"""How this kit prints on a terminal: symbols, bars, tables and text that any console can show.

Everything is printed as `Text`, never as markup, and reduced to what the console's encoding can show.
"""

from __future__ import annotations

import textwrap

from rich.box import SIMPLE_HEAD, Box
from rich.cells import set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograder.results.feedback import SYMBOLS
from autograder.results.model import Status

_BAR = 12
_PLAIN_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
INDENT = 2

# The symbol in ASCII, and a style.
_PLAIN = {
    Status.PASSED: ("+", "green"),
    Status.FAILED: ("x", "red"),
    Status.ERROR: ("!", "bold magenta"),
    Status.TIMEOUT: ("T", "yellow"),
    Status.SKIPPED: ("-", "bright_black"),
    Status.EXCUSED: ("~", "yellow"),
}
_ASCII = str.maketrans(
    {
        **{
            "✓": "+",
            "✗": "x",
            "⏱": "T",
            "█": "#",
            "░": ".",
            "─": "-",
            "·": "-",
            "–": "-",
            "—": "-",
            "−": "-",
        },
        **{
            "…": "...",
            "×": "x",
            "→": "->",
            "≤": "<=",
            "≥": ">=",
            "≠": "!=",
            "∞": "inf",
            "±": "+-",
            "Σ": "sum",
        },
        **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " "},
    }
)


class Printer:
    """Text for one console: what its encoding cannot show is replaced by something that it can."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.encoding = console.encoding or "ascii"
        self.unicode = self.encoding.lower().startswith("utf")
        self.box = SIMPLE_HEAD if self.unicode else _PLAIN_HEAD

    def text(self, text: str, style: str = "") -> Text:
        if not self.unicode:
            text = text.translate(_ASCII).encode(self.encoding, "replace").decode(self.encoding)
        return Text(text, style=style)

    def line(self, *parts: tuple[str, str]) -> None:
        self.console.print(Text.assemble(*(self.text(text, style) for text, style in parts)))

    def block(self, text: str, style: str = "") -> None:
        """Several indented lines; a line that is too long wraps at its own indentation."""
        for line in text.split("\n"):
            indent = " " * (INDENT + len(line) - len(line.lstrip()))
            pieces = textwrap.wrap(
                line.strip(),
                max(self.console.width, len(indent) + 20),
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
            self.console.print(self.text("\n".join(pieces), style))

    def shortened(self, text: str, width: int, style: str = "") -> Text:
        """One line of at most `width` columns, with dots at the end if something is missing."""
        line = self.text(text, style)
        if line.cell_len <= width:
            return line
        dots = "…" if self.unicode else "..."
        return Text(set_cell_size(line.plain, max(width - len(dots), 0)).rstrip() + dots, style=style)

    def table(self) -> Table:
        return Table(box=self.box, pad_edge=False, show_edge=False, header_style="bold")

    def symbol(self, status: Status) -> tuple[str, str]:
        plain, style = _PLAIN[status]
        return (SYMBOLS[status] if self.unicode else plain), style


def grade_style(points: float, most: float) -> str:
    if points >= most:
        return "green"
    return "yellow" if points > 0 else "red"


def bar(points: float, most: float) -> str:
    """Full only for all points, and empty only for none."""
    share = points / most if most > 0 else 1.0
    full = _BAR if share >= 1 else min(max(round(share * _BAR), int(points > 0)), _BAR - 1)
    return "█" * full + "░" * (_BAR - full)


def progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
