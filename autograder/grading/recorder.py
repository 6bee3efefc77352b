"""Records what checks ask and what the reference answers. Meanwhile the recorder stands in for the examiner."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import types
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from autograder.errors import EngineError
from autograder.grading import archive
from autograder.grading.failures import Failure
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
from autograder.grading.recording import Recordings
from autograder.grading.reference import evaluate
from autograder.jobs import Job, WarmUp
from autograder.sandbox import confinement
from autograder.sandbox.client import Question
from autograder.sandbox.processors import occupied
from autograder.sandbox.values import Answer
from autograder.submissions.reading import Submission

CHECKS_IN_A_SHARE = 12  # at least: a process is not worth it for fewer
_NO_SUBMISSION = Submission("the reference", "", (), False)


class Recorder:
    """Stands in for the examiner and answers with the reference itself, in this process."""

    is_reference = True
    several_files = False

    def __init__(self, reference: types.ModuleType) -> None:
        self._reference = reference
        self.names = set(vars(reference))
        self.problems: list[tuple[str, str, str]] = []

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        """Nothing to reset."""

    def ask(self, *questions: Question) -> list[Answer]:
        answers = [one.likely or evaluate(one.probe, self._reference, one.seed) for one in questions]
        return [Answer(answer.outcome) for answer in answers]

    def load_failure(self) -> Failure | None:
        return None

    def source_line(self, label: str, number: int) -> str:  # noqa: ARG002
        return ""


def record(order: WarmUp, prepared: Prepared, checks: list[pytest.Item]) -> Recordings:
    """What these checks ask and what the reference answers; nothing for checks that do more than compare.

    Raises:
        EngineError: the graders do not run.
    """
    job = Job(order.course, order.slug, _NO_SUBMISSION, order.salt)

    def some(share: list[pytest.Item]) -> Recordings:
        plugin = GradingPlugin(job, prepared, Recorder(prepared.reference))
        plugin.run(share)
        return plugin.learnt()

    return in_parallel(some, checks)


def in_parallel(work: Callable[[list[pytest.Item]], Recordings], checks: list[pytest.Item]) -> Recordings:
    """Runs `work` on all checks, divided among one process per processor, including this one."""
    count = max(1, min(len(occupied()), len(checks) // CHECKS_IN_A_SHARE))
    first, *others = [checks[start::count] for start in range(count)]
    fork = multiprocessing.get_context("fork")
    running = []
    for share in others:
        receiver, sender = fork.Pipe(duplex=False)
        running.append((share, receiver, fork.Process(target=_send, args=(work, share, sender, os.getpid()))))
        running[-1][2].start()
        sender.close()
    done = work(first)
    for share, receiver, process in running:
        try:
            done |= archive.decode(receiver.recv_bytes())
        except (EOFError, OSError):  # doing it here raises what is wrong
            done |= work(share)
        process.join()
    return done


def _send(
    work: Callable[[list[pytest.Item]], Recordings], share: list[pytest.Item], sender: Connection, parent: int
) -> None:
    confinement.die_with_parent(parent)
    with contextlib.suppress(EngineError):
        sender.send_bytes(archive.encode(work(share)))
