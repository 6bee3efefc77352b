"""Reads the notebooks that students handed in for `nbgrader autograde`, whatever became of them on the way.

nbgrader believes a notebook's metadata, and one that was edited by hand, by another tool or by mistake costs a student
everything. Here only the text of the cells is believed. What a cell is (answer, test, protected), what it is worth and
what a protected one says comes from the released notebook; cells that are missing come back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.errors import EngineError
from autograder.output.inert import inert
from autograder.submissions.reading import read_notebook
from autograder.submissions.sources import NotebookCell, SubmissionError

_UNREADABLE = "**This notebook could not be read, so nothing in it was graded.** {}"


class SubmittedNotebooks(NotebookExporter):
    """nbgrader's reader and writer of notebooks. What lies in its folder of submissions is mended while it is read."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        converter: Any = self.parent
        folder = converter.coursedir
        student, assignment = resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]
        path = Path(filename)
        if path.parent != Path(folder.format_path(folder.submitted_directory, student, assignment)):
            return super().from_filename(filename, resources=resources, **kw)  # our own, from the step before
        released = Path(folder.format_path(folder.release_directory, ".", assignment), path.name)
        try:
            template = nbformat.read(released, as_version=4)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise EngineError(f"{released} cannot be read; run `nbgrader generate_assignment {assignment}`") from error
        try:
            book = mended(read_notebook(path), template)
        except SubmissionError as error:
            note = NotebookCell("markdown", _UNREADABLE.format(inert(str(error), 500)))
            book = mended([note], template)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        convert: Any = self.from_notebook_node  # untyped in some versions
        return convert(book, resources=resources, **kw)  # type: ignore[no-any-return]


def mended(cells: list[NotebookCell], template: Any) -> Any:
    """A notebook with the text of `cells` and the structure of `template`, the released notebook.

    Every marked cell of the template is in it once. Of several with one mark the last is taken, as nbgrader does; the
    others are plain cells then.
    """
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in template.cells if "nbgrader" in cell.metadata}
    last = {cell.mark: number for number, cell in enumerate(cells) if cell.mark in marked}
    result: list[Any] = []
    for number, cell in enumerate(cells):
        model = marked[cell.mark] if last.get(cell.mark) == number else None
        result.append(_cell(cell.kind if model is None else model.cell_type, cell.source, model))
    # The place in `result` of the marked cell before; at first, of the last of the texts at the top.
    behind = next((i for i, cell in enumerate(result) if cell.cell_type == "code"), len(result)) - 1
    for mark, model in marked.items():
        places = {cell.metadata.nbgrader.grade_id: i for i, cell in enumerate(result) if "nbgrader" in cell.metadata}
        if mark not in places:
            behind += 1
            result.insert(behind, _cell(model.cell_type, model.source, model))
        else:
            behind = places[mark]
    make: Any = nbformat.v4.new_notebook
    book = make(cells=result, metadata=template.metadata)
    for number, cell in enumerate(result):
        cell.id = f"cell-{number + 1}"
    return book


def _cell(kind: str, source: str, model: Any) -> Any:
    """A fresh cell; as `model`, if there is one, in all but the text, and in that as well where it is protected."""
    v4: Any = nbformat.v4
    make = {"code": v4.new_code_cell, "raw": v4.new_raw_cell}.get(kind, v4.new_markdown_cell)
    if model is None:
        return make(source)
    mark = model.metadata.nbgrader
    protected = not mark.solution and (mark.grade or mark.locked)
    return make(model.source if protected else source, metadata=model.metadata)
