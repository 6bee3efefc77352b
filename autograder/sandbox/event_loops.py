"""Lets asyncio work in a worker: its loops wake up through a pipe, where they would use a pair of sockets."""

from __future__ import annotations

import os
from asyncio import selector_events
from typing import Any


class _End:
    """One end of the pipe, with what a loop calls of a socket."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        return self._descriptor

    def recv(self, size: int) -> bytes:
        return os.read(self._descriptor, size)

    def send(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def close(self) -> None:
        os.close(self._descriptor)


def use_pipes() -> None:
    """There are no sockets in a worker."""
    loops: Any = selector_events.BaseSelectorEventLoop
    loops._make_self_pipe = _make_self_pipe


def _make_self_pipe(loop: Any) -> None:
    loop._ssock, loop._csock = map(_End, os.pipe())
    loop._internal_fds += 1
    loop._add_reader(loop._ssock.fileno(), loop._read_from_self)
