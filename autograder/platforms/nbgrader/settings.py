"""What nbgrader has to know about one of our courses: called by the course's nbgrader_config.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nbgrader import preprocessors as stock

from autograder.course.skeletons import STUB
from autograder.platforms.nbgrader.extra_credit import SaveExtraCredit
from autograder.platforms.nbgrader.grading import Grade
from autograder.platforms.nbgrader.submitted import SubmittedNotebooks

# nbgrader's own default, plus what our commands leave behind.
_NEVER_COPIED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".pytest_cache")


_ALONE = re.compile("^" + re.escape("\n".join(STUB)) + "$", re.MULTILINE)


def configure(c: Any, course: Path) -> None:
    """Sets up `c` (what `get_config()` returns) for the course in the folder `course`."""
    directory = c.CourseDirectory
    directory.root = str(course.resolve())
    directory.source_directory = "solutions"
    directory.release_directory = "assignments"
    # nbgrader copies every file next to a notebook into the release and so to the students: never the solutions.
    secret = {path.name for path in (course / "solutions").rglob("*.py")}
    directory.ignore = [*_NEVER_COPIED, *sorted(secret)]
    # With nbgrader's "*", --force would first delete the whole folder in assignments/, including public tests. With an
    # equivalent pattern that is not "*", it replaces only the notebooks.
    directory.notebook_id = "?*"
    # The notebooks in assignments/ are committed, the gradebook is not: without this, nbgrader would find the
    # notebooks, skip the assignment and leave it out of the gradebook.
    c.GenerateAssignment.force = True
    c.GenerateAssignment.preprocessors = [
        stock.IncludeHeaderFooter,
        stock.LockCells,
        ClearAnswers,
        stock.ClearOutput,
        stock.CheckCellMetadata,
        stock.ComputeChecksums,
        stock.SaveCells,
        stock.ClearHiddenTests,
        stock.ClearMarkScheme,
        stock.ComputeChecksums,
        stock.CheckCellMetadata,
    ]
    c.Autograde.exporter_class = SubmittedNotebooks
    c.Autograde.autograde_preprocessors = [
        Grade,
        stock.LimitOutput,
        stock.SaveAutoGrades,
        SaveExtraCredit,
        stock.AssignLatePenalties,
        stock.CheckCellMetadata,
    ]


class ClearAnswers(stock.ClearSolutions):  # type: ignore[misc]
    """nbgrader's stub raises an exception. Outside a function that would end the cell, although the student keeps the
    code above it: there, as in the skeletons, only the comment stays."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        had_solution = "BEGIN SOLUTION" in cell.source
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if had_solution and cell.cell_type == "code":
            cell.source = _ALONE.sub(STUB[0], cell.source)
        return cell, resources
