"""Lets a command that is told to end finish what must not be lost."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from autograder.errors import Stopped

# Ctrl-C; a batch system, `timeout` or `kill`; a closed terminal; a limit on processor time.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)


class Stops:
    """A context in which the signals that end a job raise `Stopped` in the main thread. What is ignored already, as
    under `nohup`, stays so."""

    def __init__(self) -> None:
        self._held = 0
        self._waiting: Stopped | None = None

    def __enter__(self) -> Stops:
        self._before = {each: signal.getsignal(each) for each in _SIGNALS if signal.getsignal(each) != signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is done in this context is done to its end; a signal that arrives meanwhile counts afterwards."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._waiting and not self._held:
                stopped, self._waiting = self._waiting, None
                raise stopped

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._held:
            raise Stopped(number)
        self._waiting = Stopped(number)
