"""What commands take: wall time, and processor time of every process that they start, whether waited for or not."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.sandbox.confinement import adopt_orphans


@dataclass
class Spent:
    """Seconds."""

    wall: float = 0.0
    processor: float = 0.0


@contextlib.contextmanager
def measured() -> Iterator[Spent]:
    """Fills in what it yields when the block ends."""
    adopt_orphans()
    spent, before, started = Spent(), _of_children(), time.perf_counter()
    yield spent
    spent.wall = time.perf_counter() - started
    with contextlib.suppress(ChildProcessError):  # the kernel counts a child when it is waited for
        while True:
            os.waitpid(-1, 0)
    spent.processor = _of_children() - before


def _of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
