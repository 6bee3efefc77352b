"""Turns the text of a shown tensor back into cells, so that a page can colour them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from autograder.results.model import Shown

_TENSOR = re.compile(r"(\d+(×\d+)+|\(\d+,\)) (b?float|u?int|bool|complex)\w*")
_SLICE = re.compile(r"\[\d+(, \d+)*\]")
_ELLIPSIS = "…"


class GridCell(NamedTuple):
    """`value` is None for anything that is not a number; `differs` comes from the text of the counterexample itself."""

    text: str
    value: float | None = None
    differs: bool = False
    shade: float = 0.0  # −1 … 1, how strongly it is coloured


@dataclass(frozen=True)
class Block:
    """One matrix: `title` says which slice of a larger tensor it is."""

    title: str
    rows: tuple[tuple[GridCell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A shown value: as blocks if it is a tensor that can be drawn, otherwise as text only."""

    heading: str
    kind: str
    blocks: tuple[Block, ...]
    text: str


def grid(shown: Shown, heading: str) -> Grid:
    """The largest magnitude in it gets the strongest colour."""
    blocks = _parsed(shown)
    return _shaded_grid(shown, heading, blocks, magnitude(blocks))


def _parsed(shown: Shown) -> tuple[Block, ...]:
    return tuple(_blocks(shown)) if _TENSOR.match(shown.kind) else ()


def _shaded_grid(shown: Shown, heading: str, blocks: tuple[Block, ...], most: float) -> Grid:
    return Grid(heading, shown.kind, tuple(_shaded(block, most) for block in blocks), shown.text)


def magnitude(blocks: tuple[Block, ...]) -> float:
    """The largest finite number, by absolute value."""
    values = [abs(cell.value) for block in blocks for row in block.rows for cell in row if cell.value is not None]
    return max((value for value in values if math.isfinite(value)), default=0.0)


def compared(expected: Shown, got: Shown) -> tuple[Grid, Grid, Grid | None]:
    """Both values, equal numbers in equal colours, and their difference where they have the same shape."""
    left, right = _parsed(expected), _parsed(got)
    most = max(magnitude(left), magnitude(right))
    return (
        _shaded_grid(expected, "Expected", left, most),
        _shaded_grid(got, "Got", right, most),
        _difference(left, right),
    )


def _difference(expected: tuple[Block, ...], got: tuple[Block, ...]) -> Grid | None:
    """Got minus expected, of the numbers as they are shown."""
    others = {block.title: block for block in expected}
    blocks = []
    for block in got:
        other = others.get(block.title)
        if other is None or [len(row) for row in other.rows] != [len(row) for row in block.rows]:
            continue
        rows = tuple(
            tuple(_subtracted(a, b) for a, b in zip(mine, theirs, strict=True))
            for mine, theirs in zip(block.rows, other.rows, strict=True)
        )
        blocks.append(Block(block.title, rows, block.note))
    most = magnitude(tuple(blocks))
    if not any(cell.differs or cell.value for block in blocks for row in block.rows for cell in row):
        return None  # they differ in something else, such as the dtype
    return Grid("Difference (got − expected)", "", tuple(_shaded(block, most) for block in blocks), "")


def _subtracted(got: GridCell, expected: GridCell) -> GridCell:
    if got.value is None or expected.value is None:
        return GridCell(_ELLIPSIS if got.text == _ELLIPSIS else "?", differs=got.differs)
    if got.value == expected.value or (math.isnan(got.value) and math.isnan(expected.value)):
        return GridCell("≈ 0" if got.differs else "0", 0.0, got.differs)
    value = got.value - expected.value
    return GridCell(f"{value:+.4g}".replace("-", "−"), value, got.differs)


def _shaded(block: Block, most: float) -> Block:
    def shade(cell: GridCell) -> GridCell:
        text, value, differs, _ = cell
        if value is None or value != value or most <= 0:
            return cell
        return GridCell(text, value, differs, round(max(-1.0, min(1.0, value / most)), 2))

    return Block(block.title, tuple(tuple(map(shade, row)) for row in block.rows), block.note)


def _blocks(shown: Shown) -> list[Block]:
    """Nothing if any part is not a table of numbers: then the text itself is shown."""
    blocks: list[Block] = []
    title, rows, note = "", list[tuple[GridCell, ...]](), ""
    for line in [*shown.text.split("\n"), None]:
        starts = line is None or _SLICE.fullmatch(line.strip())
        if starts:
            if rows:
                blocks.append(Block(title, tuple(rows), note))
            title, rows, note = (line or "").strip(), [], ""
        elif line is not None and (line.startswith((_ELLIPSIS, "("))):
            note = line
        elif line is not None and line.strip():
            cells = tuple(_cell(part) for part in line.split())
            if any(cell is None for cell in cells):
                return []
            rows.append(tuple(cell for cell in cells if cell is not None))
    return blocks


def _cell(text: str) -> GridCell | None:
    if text == _ELLIPSIS:
        return GridCell(text)
    differs = text.endswith("*")
    text = text.removesuffix("*")
    if text in ("True", "False"):
        return GridCell(text, float(text == "True"), differs)
    try:
        value = float(text)
    except ValueError:
        try:
            complex(text)
        except ValueError:
            return None
        return GridCell(text, None, differs)
    return GridCell(text.replace("-", "−"), value, differs)
