"""Draws the matrices of a counterexample as coloured grids, for platforms that show pictures: plain SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from autograder.results.grids import Block, Grid, compared
from autograder.results.model import CheckResult

_WIDTH, _HEIGHT, _GAP = 64, 22, 10  # of a cell, and between two matrices
_PLUS, _MINUS, _DIFFERS = "#1f77b4", "#ff7f0e", "#d62728"


def pictures(check: CheckResult) -> list[tuple[str, bytes]]:
    """What was expected, what was got, and the difference: each with its heading, if it can be drawn."""
    example = check.counterexample
    if example is None:
        return []
    grids = compared(example.expected, example.got)
    return [(grid.heading, _svg(grid)) for grid in grids if grid is not None and grid.blocks]


def _svg(grid: Grid) -> bytes:
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg")
    svg.set("font-family", "monospace")
    svg.set("font-size", "12")
    svg.set("text-anchor", "middle")
    bottom = 0
    for block in grid.blocks:
        bottom = _draw(block, bottom, svg)
    width = max(len(row) for block in grid.blocks for row in block.rows) * _WIDTH + 2
    svg.set("width", str(width))
    svg.set("height", str(bottom))
    svg.insert(0, ET.Element("rect", width=str(width), height=str(bottom), fill="white"))
    data: bytes = ET.tostring(svg, encoding="us-ascii")
    return data


def _draw(block: Block, top: int, svg: ET.Element) -> int:
    """Adds a matrix below `top`; returns where it ends."""
    if block.title:
        ET.SubElement(svg, "text", {"x": "1", "y": str(top + 16), "text-anchor": "start"}).text = block.title
        top += _HEIGHT
    for i, row in enumerate(block.rows):
        for j, cell in enumerate(row):
            x, y = 1 + j * _WIDTH, top + 1 + i * _HEIGHT
            place = {"x": str(x), "y": str(y), "width": str(_WIDTH - 2), "height": str(_HEIGHT - 2)}
            colour = _PLUS if cell.shade > 0 else _MINUS
            edge = {"stroke": _DIFFERS, "stroke-width": "2"} if cell.differs else {"stroke": "#cccccc"}
            ET.SubElement(svg, "rect", place, fill=colour, **{"fill-opacity": f"{abs(cell.shade) * 0.6:.2f}"}, **edge)
            ET.SubElement(svg, "text", x=str(x + _WIDTH // 2 - 1), y=str(y + 14)).text = cell.text[:8]
    return top + len(block.rows) * _HEIGHT + _GAP
