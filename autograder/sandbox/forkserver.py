"""A single-threaded process that forks one child per request and lets none outlive it.

Used twice: the *zygote* forks workers, the *grading server* forks judges. A request comes with two sockets: the
`channel`, which the child gets, and the `lease`, which the server keeps. Closing the lease (or half of it) ends the
child; the child's end is reported on the lease, after the server has cleaned up after it. A third socket, the
`lifeline`, is held by whoever started the server: when that process dies for any reason, the server ends all its
children and itself.
"""

from __future__ import annotations

import array
import contextlib
import os
import selectors
import signal
import socket
import time
import traceback
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from autograder.errors import EngineGone

BROKEN_DOWN = 70  # exit code of a child whose `run` raised
_REQUEST_BYTES = 4096
_TICK_SECONDS = 0.25

Context = TypeVar("Context")


@dataclass(frozen=True)
class Exit:
    """How a child ended: an exit code, or the number of the signal that killed it."""

    code: int = 0
    signal: int = 0
    note: str = ""


# --- the client's side -----------------------------------------------------------------------------------------------


class Child:
    """A client's handle on a running child: talk over `channel`, `stop` it, or drop it and it dies."""

    def __init__(self, channel: socket.socket, lease: socket.socket) -> None:
        self.channel = channel
        self._lease = lease

    def stop(self) -> Exit:
        """Ends the child if it is still running, and waits until everything it left behind is gone."""
        with contextlib.suppress(OSError):
            self._lease.shutdown(socket.SHUT_WR)
        return self.wait()

    def wait(self) -> Exit:
        """Waits until the child ends by itself."""
        report = b""
        with contextlib.suppress(OSError):  # also if an earlier call found that the server is gone
            self._lease.settimeout(30)
            while not report.endswith(b"\n") and (data := self._lease.recv(4096)):
                report += data
        self.close()
        if not report.endswith(b"\n"):
            raise EngineGone("the process that starts workers is gone")
        code, number, note = report.decode().rstrip("\n").split(" ", 2)
        return Exit(int(code), int(number), note)

    def close(self) -> None:
        self.channel.close()
        self._lease.close()


class Client:
    """Asks a fork server for children. Safe to share between forked processes: requests are datagrams."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def start(self, request: bytes = b"-", passed: Sequence[int] = ()) -> Child:
        """A new child, for a request of at most 4096 bytes and at most one descriptor to pass on.

        Raises:
            EngineGone: the server is gone.
        """
        channel, channel_there = socket.socketpair()
        lease, lease_there = socket.socketpair()
        with channel_there, lease_there:
            fds = array.array("i", [channel_there.fileno(), lease_there.fileno(), *passed])
            try:
                self._control.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            except OSError as error:
                raise EngineGone(f"the process that starts workers is gone ({error.strerror})") from error
        return Child(channel, lease)


# --- the server's side -----------------------------------------------------------------------------------------------


@dataclass
class Hooks(Generic[Context]):
    """What one kind of server does: `prepare` before the fork, `run` in the child (with the channel and the descriptors
    that came with the request), `clean_up` after it ends; `inspect` is called four times a second and returns a reason
    to kill the child, or "" to let it run."""

    prepare: Callable[[bytes], Context]
    run: Callable[..., None]
    clean_up: Callable[[Context], None]
    inspect: Callable[[Context], str] = field(default=lambda _context: "")


@dataclass
class _Running(Generic[Context]):
    pid: int
    context: Context
    lease: socket.socket
    note: str = ""


class ForkServer(Generic[Context]):
    """`others` are the pids of children that it did not fork and leaves alone."""

    def __init__(
        self,
        control: socket.socket,
        lifeline: socket.socket,
        hooks: Hooks[Context],
        others: Container[int] = (),
    ) -> None:
        self._others = others
        self._control = control
        self._lifeline = lifeline
        self._hooks = hooks
        self._running: dict[int, _Running[Context]] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> NoReturn:
        """Serves until the lifeline breaks, then exits the process."""
        wake_read, wake_write = os.pipe()
        for fd in (wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._own = [wake_read, wake_write]
        for readable in (self._control, self._lifeline, wake_read):
            self._selector.register(readable, selectors.EVENT_READ)
        inspected = 0.0
        while True:
            ready = {key.fileobj for key, _ in self._selector.select(_TICK_SECONDS if self._running else None)}
            if self._lifeline in ready:
                break
            if wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
            for child in [child for child in self._running.values() if child.lease in ready]:
                self._selector.unregister(child.lease)
                self._kill(child)
            self._reap()
            if self._control in ready:
                self._accept()
            if time.monotonic() > inspected + _TICK_SECONDS:
                self._inspect()
                inspected = time.monotonic()
        for child in list(self._running.values()):
            self._kill(child)
        while self._running:
            self._reap(block=True)
        os._exit(0)

    def _accept(self) -> None:
        request, ancillary, _flags, _address = self._control.recvmsg(_REQUEST_BYTES, socket.CMSG_SPACE(12))
        fds = array.array("i")
        for _level, _kind, data in ancillary:
            fds.frombytes(data)
        if len(fds) < 2:
            return
        channel, lease = (socket.socket(fileno=fd) for fd in fds[:2])
        passed = list(fds[2:])
        try:
            context = self._hooks.prepare(request)
            pid = self._fork(context)
        except Exception as error:  # a full disk, say: this request fails, but the next one may not
            traceback.print_exc()
            channel.close()
            self._report(lease, BROKEN_DOWN, 0, f"{type(error).__name__}: {error}")
            return
        if pid == 0:
            self._become_child(context, channel, lease, passed)
        channel.close()
        for fd in passed:
            os.close(fd)
        self._running[pid] = _Running(pid, context, lease)
        self._selector.register(lease, selectors.EVENT_READ)

    def _fork(self, context: Context) -> int:
        try:
            return os.fork()
        except OSError:
            self._hooks.clean_up(context)
            raise

    def _become_child(
        self, context: Context, channel: socket.socket, lease: socket.socket, passed: list[int]
    ) -> NoReturn:
        status = BROKEN_DOWN
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for own in (
                self._control,
                self._lifeline,
                lease,
                *(child.lease for child in self._running.values()),
            ):
                own.close()
            for fd in self._own:
                os.close(fd)
            self._hooks.run(context, channel, *passed)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _inspect(self) -> None:
        for child in self._running.values():
            if reason := self._hooks.inspect(child.context):
                child.note = reason
                self._kill(child)

    @staticmethod
    def _kill(child: _Running[Any]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)

    def _reap(self, *, block: bool = False) -> None:
        """Reaps children, and strays that became ours because their own parent died."""
        while True:
            try:
                pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._running.pop(pid, None)
            if child is None:
                continue
            self._end_strays()
            self._hooks.clean_up(child.context)
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.lease)
            code = os.waitstatus_to_exitcode(status)
            self._report(child.lease, max(code, 0), max(-code, 0), child.note)
            if block:
                return

    @staticmethod
    def _report(lease: socket.socket, code: int, number: int, note: str) -> None:
        """Says how a child ended. A lease that closes without a report tells that the server is gone."""
        with lease, contextlib.suppress(OSError):
            lease.sendall(f"{code} {number} {' '.join(note.split())}\n".encode())

    def _end_strays(self) -> None:
        """Kills orphans that became our children: descendants of a dead child (see `adopt_orphans`)."""
        path = Path(f"/proc/self/task/{os.getpid()}/children")
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up:
            try:
                strays = {int(pid) for pid in path.read_text().split() if int(pid) not in self._others}
                strays -= self._running.keys()
            except (OSError, ValueError):  # not Linux, or a kernel built without it
                return
            ended = {pid for pid in strays if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)}
            for pid in strays - ended:
                os.kill(pid, signal.SIGKILL)
            if not strays - ended:
                return
            time.sleep(0.002)
