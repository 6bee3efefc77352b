"""Grades on this machine: one class server, warmed up once, forks a judge for each submission."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from autograder.batch.grader import CannotGrade
from autograder.course import Assignment
from autograder.engine.client import Engine
from autograder.engine.devices import Device
from autograder.errors import EngineError, EngineGone
from autograder.jobs import Job, WarmUp
from autograder.notebooks.requests import Show, ShownCell
from autograder.results.model import Result
from autograder.submissions.reading import Submission

_TRIES = 3  # each on a fresh engine; a submission whose own judge dies gets only one

T = TypeVar("T")


class LocalGrader:
    """Keeps an engine for one assignment; used as a context, it closes at the end. The engine starts when it is first
    needed: a run that reuses all its results does not need one."""

    def __init__(self, assignment: Assignment, salt: str, jobs: int, device: Device) -> None:
        self._assignment = assignment
        self._order = WarmUp(str(assignment.root), assignment.slug, salt)
        self._device = device
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="grader")
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._number = 0
        self._closed = False
        self.capacity = 2 * jobs

    @property
    def device(self) -> str:
        return self._device.name

    def close(self) -> None:
        """Ends the engine; whatever is still being graded is dropped."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._end_engine()

    def __enter__(self) -> LocalGrader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, submission: Submission) -> Future[Result]:
        return self._pool.submit(self.grade, submission)

    def grade(self, submission: Submission) -> Result:
        """Raises EngineError: the judge died, or no engine could be started."""
        order = self._order
        job = Job(order.course, order.slug, submission, order.salt)
        return self._on_engine(lambda engine: self._device.grade(engine, job))

    def show(self, order: Show) -> list[ShownCell]:
        """Runs the cells of a notebook to show what they print and draw.

        Raises:
            EngineError: the process that shows the cells died, or no engine could be started.
        """
        return self._on_engine(lambda engine: engine.show(order))

    def _on_engine(self, work: Callable[[Engine], T]) -> T:
        """The result of `work`, repeated on a fresh engine if its engine broke down in the meantime."""
        failure: EngineError | None = None
        result: T | None = None
        for _ in range(_TRIES):
            engine, number = self._running()
            failure = None
            try:
                result = work(engine)
            except EngineError as error:
                failure = error
            if number == self._number and not isinstance(failure, EngineGone):
                break
            self._replace(number)
        if failure is not None:
            raise failure
        return result  # type: ignore[return-value]

    def _running(self) -> tuple[Engine, int]:
        with self._lock:
            if self._closed:
                raise EngineError("interrupted")
            if self._engine is None:
                self._engine = self._started()
            return self._engine, self._number

    def _started(self) -> Engine:
        for last in (False, True):
            engine = Engine(self._assignment).start()
            try:
                engine.warm_up(self._order)
            except EngineError as error:
                engine.close()
                if last or not isinstance(error, EngineGone):
                    raise CannotGrade(str(error)) from error
            else:
                return engine
        raise AssertionError

    def _replace(self, number: int) -> None:
        """Closes engine `number`, unless another thread has already done so."""
        with self._lock:
            if number == self._number:
                self._end_engine()
                self._number += 1

    def _end_engine(self) -> None:
        if self._engine is not None:
            with contextlib.suppress(EngineError):
                self._engine.close()
            self._engine = None
