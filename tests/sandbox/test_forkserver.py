"""The fork server: no child outlives its lease, its server, or whoever started that."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.errors import EngineError, EngineGone
from autograder.sandbox import confinement
from autograder.sandbox.forkserver import BROKEN_DOWN, Client, Exit, ForkServer, Hooks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@dataclass
class Server:
    pid: int
    client: Client
    lifeline: socket.socket
    log: Path

    def cleaned(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


def obey(context: str, channel: socket.socket) -> None:
    """What a child does is what its request says."""
    channel.sendall(str(os.getpid()).encode().ljust(16))
    if context == "exit":
        os._exit(5)
    elif context == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif context == "raise":
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise RuntimeError
    elif context in ("stay", "watched"):
        time.sleep(600)
    elif context == "daemon":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                channel.sendall(str(os.getpid()).encode().ljust(16))
                time.sleep(600)
            os._exit(0)
        time.sleep(600)


def prepare(request: bytes) -> str:
    if request == b"refuse":
        raise OSError("disk full")
    return request.decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    lifeline, lifeline_there = socket.socketpair()
    log = tmp_path / "cleaned"

    def clean_up(context: str) -> None:
        with log.open("a") as file:
            file.write(f"{context}\n")

    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            control.close()
            lifeline.close()
            confinement.adopt_orphans()
            hooks = Hooks(prepare, obey, clean_up, lambda context: "it was watched" if context == "watched" else "")
            ForkServer(control_there, lifeline_there, hooks).serve()
        finally:
            os._exit(99)
    control_there.close()
    lifeline_there.close()
    yield Server(pid, Client(control), lifeline, log)
    lifeline.close()
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    control.close()


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def said(child: object) -> int:
    return int(child.channel.recv(16))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("request_", "code", "number"), [("return", 0, 0), ("exit", 5, 0), ("kill", 0, 9), ("raise", BROKEN_DOWN, 0)]
)
def test_the_end_of_a_child_is_reported(server: Server, request_: str, code: int, number: int) -> None:
    exit_ = server.client.start(request_.encode()).wait()
    assert (exit_.code, exit_.signal, exit_.note) == (code, number, "")
    assert server.cleaned() == [request_]


def test_a_stopped_child_is_dead_and_cleaned_up_when_stop_returns(server: Server) -> None:
    child = server.client.start(b"stay")
    pid = said(child)
    assert child.stop().signal == signal.SIGKILL
    assert gone(pid)
    assert server.cleaned() == ["stay"]


def test_a_dropped_lease_ends_the_child(server: Server) -> None:
    child = server.client.start(b"stay")
    pid = said(child)
    child.close()
    assert eventually(lambda: gone(pid))


def test_a_daemon_dies_with_its_parent(server: Server) -> None:
    child = server.client.start(b"daemon")
    pids = [said(child), said(child)]
    child.stop()
    assert all(map(gone, pids))


def test_one_childs_end_leaves_the_others_alone(server: Server) -> None:
    first, second = server.client.start(b"stay"), server.client.start(b"stay")
    said(first)
    pid = said(second)
    first.stop()
    assert not gone(pid)
    second.stop()
    assert gone(pid)


def test_a_child_that_inspection_objects_to_is_ended_with_the_reason(server: Server) -> None:
    assert server.client.start(b"watched").wait().note == "it was watched"


def test_everything_ends_when_the_lifeline_breaks(server: Server) -> None:
    children = [server.client.start(b"stay") for _ in range(3)]
    pids = [said(child) for child in children]
    server.lifeline.close()
    assert eventually(lambda: all(map(gone, pids)))
    assert os.waitpid(server.pid, 0)[1] == 0
    assert server.cleaned() == ["stay"] * 3


def test_without_a_server_there_are_no_children(server: Server) -> None:
    child = server.client.start(b"stay")
    pid = said(child)
    os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)
    with pytest.raises(EngineError, match="is gone"):
        server.client.start(b"stay")
    with pytest.raises(EngineError, match="is gone"):
        child.stop()
    os.kill(pid, signal.SIGKILL)


def test_a_child_that_never_started_because_the_server_was_killed_is_told_from_one_that_ended(server: Server) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    child = server.client.start(b"exit")
    os.kill(server.pid, signal.SIGKILL)
    assert child.channel.recv(1) == b""
    with pytest.raises(EngineGone):
        child.stop()


def test_a_request_that_cannot_be_prepared_does_not_end_the_server(server: Server) -> None:
    refused = server.client.start(b"refuse")
    assert refused.channel.recv(1) == b""
    assert refused.stop() == Exit(BROKEN_DOWN, 0, "OSError: disk full")
    assert server.client.start(b"exit").wait().code == 5
