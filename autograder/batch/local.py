"""Grades on this machine: one bench with one rehearsal, from which a judge is forked for each submission."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from autograder.batch.grader import CannotGrade
from autograder.engine.client import Engine
from autograder.errors import EngineError
from autograder.jobs import Job, WarmUp
from autograder.results.model import Result
from autograder.submissions.reading import Submission

_GONE = "the process that starts workers is gone"  # how a judge and we notice that bench, stage or zygote were killed
_ENDED_EARLY = "the rehearsal ended early"
_TRIES = 3  # on a fresh engine each; a submission whose own judge dies gets one


class LocalGrader:
    """A context. The engine starts with the first submission: a run that reuses all its results needs none."""

    def __init__(self, stage: WarmUp, jobs: int, device: str) -> None:
        self._stage = stage
        self.device = device
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="grader")
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._number = 0
        self._closed = False
        self.capacity = 2 * jobs

    def __enter__(self) -> LocalGrader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._close()

    def submit(self, submission: Submission) -> Future[Result]:
        return self._pool.submit(self.grade, submission)

    def grade(self, submission: Submission) -> Result:
        """Raises EngineError: the judge died, or no engine can be had."""
        stage = self._stage
        job = Job(stage.course, stage.slug, submission, stage.salt, device=self.device)
        failure: Result | EngineError = EngineError("not graded")
        for _ in range(_TRIES):
            engine, number = self._running()
            try:
                failure = result = engine.grade(job)
                broken = any(_GONE in line for line in result.log)
            except EngineError as error:
                failure = error
                broken = _GONE in str(error)
            if not broken and number == self._number:
                break
            self._replace(number)
        if isinstance(failure, EngineError):
            raise failure
        return failure

    def _running(self) -> tuple[Engine, int]:
        with self._lock:
            if self._closed:
                raise EngineError("interrupted")
            if self._engine is None:
                self._engine = self._started()
            return self._engine, self._number

    def _started(self) -> Engine:
        for last in (False, True):
            engine = Engine(Path(self._stage.course, "graders", self._stage.slug))
            engine.__enter__()
            try:
                engine.warm_up(self._stage)
            except EngineError as error:
                engine.__exit__()
                if last or not any(text in str(error) for text in (_GONE, _ENDED_EARLY)):
                    raise CannotGrade(str(error)) from error
            else:
                return engine
        raise AssertionError

    def _replace(self, number: int) -> None:
        """Gives up engine `number`, unless another thread has done so."""
        with self._lock:
            if number == self._number:
                self._close()
                self._number += 1

    def _close(self) -> None:
        if self._engine is not None:
            with contextlib.suppress(EngineError):
                self._engine.__exit__()
            self._engine = None
