"""Which processor a judge works on.

Judge and worker (which sits where its judge does) take turns and never run at once. On one processor a turn is a
context switch; across two it is waking an idle processor, which costs more than the rest of a small call.
"""

from __future__ import annotations

import os
from pathlib import Path


class ProcessorSlots:
    """Gives each judge a processor: one with as few other judges as can be, and of those the idlest of late."""

    def __init__(self) -> None:
        self._taken = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0) if hasattr(os, "sched_getaffinity") else {}
        self._busy_before = _busy_times()

    def take(self) -> int:
        """The number of a processor, to be given back with `release`; -1 where processors cannot be chosen."""
        busy = _busy_times()
        work = {slot: busy.get(slot, 0) - self._busy_before.get(slot, 0) for slot in self._taken}
        self._busy_before = busy
        slot = min(self._taken, key=lambda slot: (self._taken[slot], work[slot]), default=-1)
        if slot >= 0:
            self._taken[slot] += 1
        return slot

    def release(self, slot: int) -> None:
        if slot >= 0:
            self._taken[slot] -= 1

    @staticmethod
    def pin(slot: int) -> None:
        """Binds this process to the processor."""
        if slot >= 0:
            os.sched_setaffinity(0, {slot})


def occupied() -> tuple[int, ...]:
    """The processors that this process may run on; none where that cannot be told."""
    return tuple(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()


def cores() -> int:
    """How many processors this process may use."""
    return len(occupied()) or os.cpu_count() or 1


def _busy_times() -> dict[int, int]:
    """Clock ticks that each processor has worked since it was started (proc(5): user, nice, system of /proc/stat)."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return {}
    cells = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
    return {int(cell[0][3:]): sum(map(int, cell[1:4])) for cell in cells}
