"""The worker's side of grading on a Dask cluster: keeps an engine for the class that it is grading.

Needs the extra `cluster`; workers import this module when the first task arrives.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
from distributed import Worker, WorkerPlugin, get_worker

from autograder import fingerprint
from autograder.batch.bundles import Bundle, Request, unpack
from autograder.batch.grader import CannotGrade
from autograder.batch.local import LocalGrader
from autograder.course import load_assignment
from autograder.engine import devices
from autograder.errors import UsageError
from autograder.results import model
from autograder.sandbox.processors import cores


@dataclass
class _Kept:
    grader: LocalGrader
    folder: Path
    users: int = 0


class KeptGraders(WorkerPlugin):
    """The graders that a worker keeps, by bundle, salt and device. They end with the worker."""

    name = "autograder"
    idempotent = True  # a second client must not end what is working for the first

    def setup(self, worker: Worker) -> None:
        self._folder = str(worker.local_directory)  # which Dask removes even if the worker is killed
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self.engine = fingerprint.of_engine()  # the code that this process has loaded does not change

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        for kept in self._kept.values():
            kept.grader.close()

    @contextlib.contextmanager
    def grader(self, bundle: Bundle, request: Request) -> Iterator[LocalGrader]:
        """The grader for these graders and options, for one submission."""
        key = (bundle.sha256, request.salt, request.device)
        with self._lock:
            if key not in self._kept:
                self._forget_idle()  # an engine holds hundreds of megabytes
                self._kept[key] = self._made(bundle, request)
            kept = self._kept[key]
            kept.users += 1
        try:
            yield kept.grader
        finally:
            with self._lock:
                kept.users -= 1

    def _made(self, bundle: Bundle, request: Request) -> _Kept:
        try:
            device = devices.choose(request.device)
        except UsageError as error:
            raise CannotGrade(f"on {socket.gethostname()}: {error}") from None
        folder = Path(tempfile.mkdtemp(prefix="autograder-course-", dir=self._folder))
        unpack(bundle, folder)
        assignment = load_assignment(folder, request.slug)
        return _Kept(LocalGrader(assignment, request.salt, cores(), device), folder)

    def _forget_idle(self) -> None:
        for key, kept in list(self._kept.items()):
            if not kept.users:
                del self._kept[key]
                kept.grader.close()
                shutil.rmtree(kept.folder, ignore_errors=True)


def grade_there(bundle: Bundle, encoded: bytes) -> bytes:
    """Runs on a worker. The engine is kept for the next submission of the same class.

    Raises:
        EngineError: the judge died.
        CannotGrade: this worker would not grade as the client does.
    """
    request = msgspec.msgpack.decode(encoded, type=Request)
    graders = cast(KeptGraders, get_worker().plugins[KeptGraders.name])
    if request.engine != graders.engine:
        host = socket.gethostname()
        raise CannotGrade(f"the worker on {host} has a different version of autograder, Python or PyTorch from yours")
    with graders.grader(bundle, request) as grader:
        return model.encode(grader.grade(request.submission))
