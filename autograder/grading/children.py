"""Trusted work in forked processes: on several processors, or so that whatever it changes is gone afterwards."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from autograder.errors import EngineError, EngineGone
from autograder.sandbox import confinement
from autograder.sandbox.processors import occupied

T = TypeVar("T")
U = TypeVar("U")

_FORK = multiprocessing.get_context("fork")
_DONE, _FAILED, _GONE = b"\1", b"\0", b"\2"


def isolated(work: Callable[[], bytes]) -> bytes:
    """What `work` returns in a process of its own.

    Raises:
        EngineGone: it raised that.
        EngineError: it raised another exception, or the process ended.
    """
    return _result(_started(work))


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
    running = [(share, _started(functools.partial(lambda share: encode(work(share)), share))) for share in others]
    done = work(first)
    for share, child in running:
        try:
            done |= decode(_result(child))
        except EngineError:  # doing it here raises what is wrong
            done |= work(share)
    return done


_Child = tuple[Connection, multiprocessing.process.BaseProcess]


def _started(work: Callable[[], bytes]) -> _Child:
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_send, args=(work, sender, os.getpid()))
    process.start()
    sender.close()
    return receiver, process


def _send(work: Callable[[], bytes], sender: Connection, parent: int) -> None:
    confinement.die_with_parent(parent)
    try:
        message = _DONE + work()
    except BaseException as error:
        kind = _GONE if isinstance(error, EngineGone) else _FAILED
        message = kind + f"{type(error).__name__}: {error}".encode()
    sender.send_bytes(message)


def _result(child: _Child) -> bytes:
    receiver, process = child
    try:
        with receiver:
            message = receiver.recv_bytes()
    except (EOFError, OSError):
        message = _FAILED + b"the process ended"
    process.join()
    if message[:1] == _GONE:
        raise EngineGone(message[1:].decode())
    if message[:1] == _FAILED:
        raise EngineError(message[1:].decode())
    return message[1:]
