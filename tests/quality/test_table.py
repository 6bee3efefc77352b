"""The table of grader quality, which several commands fill in."""

from __future__ import annotations

from pathlib import Path

from autograder.quality.table import COLUMNS, update


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The cells that are not empty, by the first two as they are written."""
    found = {}
    for line in path.read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| Assignment"):
            first, second, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            named = zip(COLUMNS[2:], cells, strict=True)
            found[first, second] = {column: cell for column, cell in named if cell}
    return found


def test_a_command_fills_its_columns_and_leaves_the_others(tmp_path):
    path = tmp_path / "docs" / "table.md"
    update(path, {("b", "f"): {"Checks": "3"}, ("a", "all"): {"Runs": "9"}})
    update(path, {("b", "f"): {"Mutants caught": "5/5"}, ("b", "all"): {"Checks": "3"}})
    assert rows_of(path) == {
        ("**a**", "all"): {"Runs": "9"},
        ("**b**", "all"): {"Checks": "3"},
        ("b", "`f`"): {"Checks": "3", "Mutants caught": "5/5"},
    }


def test_a_table_of_an_earlier_version_keeps_its_cells(tmp_path):
    path = tmp_path / "table.md"
    path.write_text("| Assignment | Exercise | Checks | Runs |\n|---|---|---:|---:|\n| b | `f` | 3 | 9 |\n")
    update(path, {("b", "f"): {"Own hint shown": "5/5"}})
    assert rows_of(path) == {("b", "`f`"): {"Checks": "3", "Own hint shown": "5/5", "Runs": "9"}}
