"""How long an answer may take, on a machine that has other things to do."""

from __future__ import annotations

import contextlib
import time

MOST_TIMES = 4  # a process that waits for a processor has at most so many times its seconds


class Deadline:
    """So many seconds from now, in which a process may compute or sleep as it likes. While its main thread is ready to
    run and others have the processor, the clock stands still: the same code takes as long on a busy machine."""

    def __init__(self, seconds: float, pid: int = 0) -> None:
        """`pid` 0: no process is meant, and the clock never stands still. Nor does it where the kernel does not report
        how long a process waited."""
        self._seconds = seconds
        self._delays = f"/proc/{pid}/schedstat" if pid else ""
        self._delay = self._delay_before = 0.0
        self._started = time.monotonic()
        self._delay_before = self._waited()

    @property
    def longest(self) -> float:
        """So many seconds at most, however busy the machine is."""
        return self._seconds * (MOST_TIMES if self._delays else 1)

    def left(self) -> float:
        """Seconds that may still pass, at least; 0 or less if the time is over."""
        left = self._seconds - (time.monotonic() - self._started)
        return left if left > 0 else self._seconds - self.spent()

    def spent(self) -> float:
        """Seconds since the start, as this clock counts them."""
        elapsed = time.monotonic() - self._started
        return max(elapsed - self._waited(), elapsed / MOST_TIMES)

    def _waited(self) -> float:
        """Seconds that the process has waited for a processor since the start, or until it ended."""
        self._delay = self._read()
        return self._delay - self._delay_before

    def _read(self) -> float:
        if self._delays:
            with contextlib.suppress(OSError, ValueError, IndexError), open(self._delays, "rb", 0) as file:
                return int(file.read().split()[1]) / 1e9
        return self._delay
