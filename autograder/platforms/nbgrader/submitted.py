"""Reads the notebooks that students handed in for `nbgrader autograde`, whatever happened to them on the way.

nbgrader trusts a notebook's metadata, so metadata edited by hand, by another tool or by mistake can cost a student
everything. Here only the text of the cells is trusted. A cell's kind (answer, test, protected), its points and the text
of a protected cell come from the released notebook; missing cells are put back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.errors import EngineError
from autograder.output.inert import inert
from autograder.submissions.reading import read_notebook
from autograder.submissions.sources import NotebookCell, SubmissionError

_PICTURE = re.compile(r"attachment:([^)\s\"'>]+)")
_NO_PICTURE = {"image/gif": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}
_UNREADABLE = "**This notebook could not be read, so nothing in it was graded.** {}"


class SubmittedNotebooks(NotebookExporter):
    """nbgrader's reader and writer of notebooks. It repairs the notebooks in the folder of submissions on reading."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        converter: Any = self.parent
        folder = converter.coursedir
        student, assignment = resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]
        path = Path(filename)
        if path.parent != Path(folder.format_path(folder.submitted_directory, student, assignment)):
            return super().from_filename(filename, resources=resources, **kw)  # our own, from the previous step
        released = Path(folder.format_path(folder.release_directory, ".", assignment), path.name)
        try:
            template = nbformat.read(released, as_version=4)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise EngineError(f"{released} cannot be read; run `nbgrader generate_assignment {assignment}`") from error
        try:
            book = repaired(read_notebook(path), template)
        except SubmissionError as error:
            note = NotebookCell("markdown", _UNREADABLE.format(inert(str(error), 500)))
            book = repaired([note], template)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        convert: Any = self.from_notebook_node  # untyped in some versions
        return convert(book, resources=resources, **kw)  # type: ignore[no-any-return]


def repaired(cells: list[NotebookCell], template: Any) -> Any:
    """A notebook with the text of `cells` and the structure of `template`, the released notebook.

    It contains every marked cell of the template once. If several cells have the same mark, the last one is used, as in
    nbgrader; the others become plain cells.
    """
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in template.cells if "nbgrader" in cell.metadata}
    last = {cell.mark: number for number, cell in enumerate(cells) if cell.mark in marked}
    result: list[Any] = []
    for number, cell in enumerate(cells):
        model = marked[cell.mark] if last.get(cell.mark) == number else None
        result.append(_cell(cell.kind if model is None else model.cell_type, cell.source, model, cell.attachments))
    # Where in `result` the previous marked cell is; at first, where the last of the text cells at the top is.
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


def _cell(kind: str, source: str, model: Any, pictures: Mapping[str, Mapping[str, str]] | None = None) -> Any:
    """A fresh cell. With a `model` it is like the model except for its text; a protected cell has the model's text."""
    cell = _without_pictures(kind, source, model)
    if names := _PICTURE.findall(cell.source) if cell.cell_type == "markdown" else ():
        given = dict(model.get("attachments", {}) if model is not None else {}) | dict(pictures or {})
        # nbconvert cannot show a cell with a picture that is not there, and looks for names as they are in a URL.
        cell.attachments = {
            spelt: given.get(plain, _NO_PICTURE) for plain in map(unquote, names) for spelt in (plain, quote(plain))
        }
    return cell


def _without_pictures(kind: str, source: str, model: Any) -> Any:
    v4: Any = nbformat.v4
    make = {"code": v4.new_code_cell, "raw": v4.new_raw_cell}.get(kind, v4.new_markdown_cell)
    if model is None:
        return make(source)
    mark = model.metadata.nbgrader
    protected = not mark.solution and (mark.grade or mark.locked)
    return make(model.source if protected else source, metadata=model.metadata)
