"""Takes the solutions out of a notebook, as nbgrader does, and leaves cells that can be run."""

from __future__ import annotations

import re
from typing import Any

from nbgrader.preprocessors import ClearSolutions

from autograder.release import STUB

_ALONE = re.compile("^" + re.escape("\n".join(STUB)) + "$", re.MULTILINE)


class ClearAnswers(ClearSolutions):  # type: ignore[misc]
    """nbgrader's stub raises an exception. Where no function is around it, that would end the cell, and what stands
    above it is for the student to keep: there, as in the skeletons, only the comment stays."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        had_solution = "BEGIN SOLUTION" in cell.source
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if had_solution and cell.cell_type == "code":
            cell.source = _ALONE.sub(STUB[0], cell.source)
        return cell, resources
