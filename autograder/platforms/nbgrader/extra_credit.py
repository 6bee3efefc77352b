"""The preprocessor that writes bonus points into the gradebook: as extra credit, since a cell's score cannot be above
what the cell is worth, and the cell of a bonus is worth nothing there."""

from __future__ import annotations

from typing import Any

from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.platforms.nbgrader.grading import EXTRA_CREDIT


class SaveExtraCredit(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs after nbgrader's SaveAutoGrades."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        about = resources["nbgrader"]
        marks = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        with Gradebook(about["db_url"]) as gradebook:
            for mark, points in about[EXTRA_CREDIT].items():
                if mark in marks:
                    grade = gradebook.find_grade(mark, about["notebook"], about["assignment"], about["student"])
                    grade.extra_credit = points
            gradebook.db.commit()
        return nb, resources
