"""Records what checks ask and what the reference answers."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

import pytest

from autograder.errors import EngineError
from autograder.grading import archive
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
from autograder.grading.recording import Recordings
from autograder.grading.trusted import Reference
from autograder.jobs import Job, WarmUp
from autograder.sandbox import confinement
from autograder.sandbox.processors import occupied
from autograder.submissions.reading import Submission

T = TypeVar("T")
U = TypeVar("U")

CHECKS_IN_A_SHARE = 12  # at least: a process is not worth it for fewer
_NO_SUBMISSION = Submission("the reference", "", (), False)


def record(order: WarmUp, prepared: Prepared, checks: list[pytest.Item]) -> Recordings:
    """What these checks ask and what the reference answers; nothing for checks that do more than compare.

    Raises:
        EngineError: the graders do not run.
    """
    job = Job(order.course, order.slug, _NO_SUBMISSION, order.salt)

    def some(share: list[pytest.Item]) -> Recordings:
        plugin = GradingPlugin(job, prepared, Reference(prepared.reference))
        plugin.run(share)
        return plugin.learnt()

    return in_parallel(some, checks, CHECKS_IN_A_SHARE, archive.encode, archive.decode)


def in_parallel(
    work: Callable[[list[T]], dict[str, U]],
    items: list[T],
    least: int,
    encode: Callable[[dict[str, U]], bytes],
    decode: Callable[[bytes], dict[str, U]],
) -> dict[str, U]:
    """Runs `work` on all items, divided among one process per processor, including this one; no process has less than
    `least` items."""
    count = max(1, min(len(occupied()), len(items) // least))
    first, *others = [items[start::count] for start in range(count)]
    fork = multiprocessing.get_context("fork")
    running = []
    for share in others:
        receiver, sender = fork.Pipe(duplex=False)
        send = functools.partial(_send, lambda share: encode(work(share)), share, sender, os.getpid())
        running.append((share, receiver, fork.Process(target=send)))
        running[-1][2].start()
        sender.close()
    done = work(first)
    for share, receiver, process in running:
        try:
            done |= decode(receiver.recv_bytes())
        except (EOFError, OSError):  # doing it here raises what is wrong
            done |= work(share)
        process.join()
    return done


def _send(work: Callable[[list[T]], bytes], share: list[T], sender: Connection, parent: int) -> None:
    confinement.die_with_parent(parent)
    with contextlib.suppress(EngineError):
        sender.send_bytes(work(share))
