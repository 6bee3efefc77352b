"""Shows a notebook: its cells run in a worker, one question each, and whatever a cell does affects only that cell.

This is the trusted side; what the worker says is trusted no more than any other answer.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from autograder.notebooks.cells import MAX_PICTURE_BYTES, MAX_PICTURES, MAX_TEXT, run_cell
from autograder.notebooks.requests import Show, ShownCell, ShownPart
from autograder.sandbox import shipping
from autograder.sandbox.client import Question, Worker, WorkerLost, plots
from autograder.sandbox.forkserver import Client
from autograder.sandbox.values import Returned

AFTER_TIMEOUT_SECONDS = 2.0
TIMES_THE_LIMIT = 3  # for all cells together, as a multiple of what one may take
MAX_LOSSES = 5
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = ("stdout", "stderr", "result", "display")
_PICTURES_IN_ALL = 16 * 2**20


def show(order: Show, client: Client) -> list[ShownCell]:
    """The output of each cell. Ends within a few time limits, whatever the cells do.

    A cell that hangs or ends its process is stopped. A new worker reruns the cells before it and continues after it.
    """
    notebook = _Notebook(order, client)
    try:
        shown = [notebook.run(number) for number in range(1, len(order.cells) + 1)]
    finally:
        notebook.close()
    return _with_fewer_pictures(shown)


class _Notebook:
    """A worker that has run some of the cells, and the time that is left."""

    def __init__(self, order: Show, client: Client) -> None:
        self._order, self._client = order, client
        self._worker: Worker | None = None
        self._limit = order.limits.import_seconds
        self._left = TIMES_THE_LIMIT * self._limit
        self._done: list[int] = []  # the cells to repeat when the worker is lost
        self._lost = 0  # how many workers were lost

    def run(self, number: int) -> ShownCell:
        if not self._order.cells[number - 1].strip():
            return ShownCell()
        if why := self._order.stopped.get(number):
            return ShownCell(error=f"Stopped: {why}")
        if self._left <= 0 or self._lost > MAX_LOSSES:
            return ShownCell(error="NotRun: earlier cells used up the time for this notebook.")
        try:
            if self._worker is None:
                self._start()
                for earlier in self._done:
                    self._ask(earlier)
            shown = self._ask(number)
        except WorkerLost as lost:
            self._worker = None
            self._lost += 1
            if lost.timed_out:
                self._limit = AFTER_TIMEOUT_SECONDS
            return ShownCell(error=f"Stopped: {lost.told}")
        self._done.append(number)
        return shown

    def close(self) -> None:
        if self._worker is not None:
            self._worker.stop()

    def _start(self) -> None:
        memory, drawing = self._order.limits.memory_mb, plots(self._order.cells)
        self._worker = Worker(self._client, memory_mb=memory, notebook=True, plots=drawing)
        files = [(file.name, file.data) for file in self._order.files]
        seconds = self._order.limits.import_seconds
        self._worker.load("notebook", (), keep_going=True, seconds=seconds, files=files)

    def _ask(self, number: int) -> ShownCell:
        worker = self._worker
        assert worker is not None
        probe = functools.partial(run_cell, source=self._order.cells[number - 1], number=number)
        try:
            [answer] = worker.ask(Question(shipping.dumps(probe)), seconds=min(self._limit, self._left))
        finally:
            self._left -= worker.spent
        return _shown(answer.outcome.value if isinstance(answer.outcome, Returned) else None)


def _shown(value: object) -> ShownCell:
    match value:
        case [list() as parts, list() as error]:
            return ShownCell(tuple(_parts(parts)), _traceback(error))
    return ShownCell(error="Stopped: the cell's output could not be read.")


def _parts(parts: Sequence[object]) -> list[ShownPart]:
    result: list[ShownPart] = []
    room, pictures = MAX_TEXT, MAX_PICTURES
    for part in parts:
        match part:
            case [str() as kind, list() as chunks] if kind in _TEXTS:
                text = "".join(chunk for chunk in chunks if isinstance(chunk, str))[: max(room, 0)]
                room -= len(text)
                result.append(ShownPart(kind, text))
            case ["png", torch.Tensor() as data] if pictures and data.dtype is torch.uint8 and data.dim() == 1:
                png = data.numpy().tobytes()
                pictures -= 1
                if len(png) <= MAX_PICTURE_BYTES and png.startswith(_SIGNATURE):
                    result.append(ShownPart("png", png=png))
    return result


def _traceback(error: Sequence[object]) -> str:
    match error:
        case [str() as kind, str() as message, list() as frames]:
            lines = ["Traceback (most recent call last):"] if frames else []
            for frame in frames[:3]:
                match frame:
                    case [str() as file, int() as line, str() as function, str() as text]:
                        inside = f", in {function}" if function not in ("", "<module>") else ""
                        lines += [f"  {file}, line {line}{inside}", f"    {text.strip()}"]
            return "\n".join([*lines, f"{kind}: {message}" if message else kind])
    return ""


def _with_fewer_pictures(cells: list[ShownCell]) -> list[ShownCell]:
    """Drops pictures, so that no notebook becomes too large for a browser."""
    result, room = [], _PICTURES_IN_ALL
    for cell in cells:
        kept: list[ShownPart] = []
        for part in cell.parts:
            room -= len(part.png)
            if room >= 0 or not part.png:
                kept.append(part)
        result.append(ShownCell(tuple(kept), cell.error))
    return result
