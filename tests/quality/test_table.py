"""The table of grader quality, which several commands fill in."""

from __future__ import annotations

from autograder.quality.table import update


def test_a_command_fills_its_columns_and_leaves_the_others(tmp_path):
    path = tmp_path / "docs" / "table.md"
    update(path, {("b", "f"): {"Checks": "3"}, ("a", "all"): {"Runs": "9"}})
    update(path, {("b", "f"): {"Mutants caught": "5/5"}, ("b", "all"): {"Checks": "3"}})
    rows = [line for line in path.read_text().splitlines() if line.startswith("| ")][1:]
    assert rows == [
        "| **a** | all |  |  |  |  |  |  |  |  |  |  |  |  |  | 9 |  |  |",
        "| **b** | all |  | 3 |  |  |  |  |  |  |  |  |  |  |  |  |  |  |",
        "| b | `f` |  | 3 |  |  |  |  |  |  |  |  |  |  |  |  | 5/5 |  |",
    ]


def test_a_table_of_an_earlier_version_keeps_its_cells(tmp_path):
    path = tmp_path / "table.md"
    path.write_text("| Assignment | Exercise | Checks | Runs |\n|---|---|---:|---:|\n| b | `f` | 3 | 9 |\n")
    update(path, {("b", "f"): {"Own hint shown": "5/5"}})
    assert "| b | `f` |  | 3 |  |  |  |  |  |  |  | 5/5 |  |  |  | 9 |  |  |\n" in path.read_text()
