"""Which processor a judge runs on.

A judge and its worker (which runs on the same processor) take turns and never run at the same time. On one processor a
turn is a context switch; across two it means waking an idle processor, which costs more than the rest of a small call.
"""

from __future__ import annotations

import os
from pathlib import Path


class ProcessorSlots:
    """Gives each judge a processor slot: on one of the processors with the fewest judges, the least busy lately."""

    def __init__(self) -> None:
        self._taken = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0) if hasattr(os, "sched_getaffinity") else {}
        self._busy_before = _busy_times()

    def take(self) -> int:
        """The number of a processor; give it back with `release`. -1 where processors cannot be chosen."""
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
    """The processors that this process may run on; empty where this is unknown."""
    return tuple(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()


def cores() -> int:
    """How many processors this process may use."""
    return len(occupied()) or os.cpu_count() or 1


def _busy_times() -> dict[int, int]:
    """Clock ticks that each processor has been busy since boot (proc(5): user, nice, system in /proc/stat)."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return {}
    cells = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
    return {int(cell[0][3:]): sum(map(int, cell[1:4])) for cell in cells}
