"""The judge's handle on a worker, with a worker that misbehaves in its place."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

import msgspec
import pytest
import torch

from autograder.errors import EngineError, EngineGone
from autograder.sandbox.client import Question, Worker, WorkerLost
from autograder.sandbox.encoding import encode, known
from autograder.sandbox.forkserver import BROKEN_DOWN, Exit
from autograder.sandbox.framing import Buffer, receive_frame, send_frame
from autograder.sandbox.values import Answer, Returned


class StandIn:
    """Plays the fork server and the child that it starts."""

    def __init__(self, reply: Callable[[socket.socket, int], None], exit_: Exit | None = None) -> None:
        self.channel, self._there = socket.socketpair()
        self._reply, self._exit, self.stopped = reply, exit_ or Exit(), False
        hello = {"layers": {"seccomp": ""}, "pid": 1, "device": "CPU", "trouble": ""}
        send_frame(self._there, *encode(0, Answer(Returned(hello))))

    def start(self, _request: bytes, _shared: list[int]) -> StandIn:
        threading.Thread(target=self._answer, daemon=True).start()
        return self

    def _answer(self) -> None:
        header, _ = receive_frame(self._there)
        self._reply(self._there, msgspec.msgpack.decode(header)[1])

    def stop(self) -> Exit:
        self.stopped = True
        return self._exit


def ask(stand_in: StandIn, seconds: float = 10) -> Answer:
    return Worker(stand_in, memory_mb=64).ask(Question(b""), seconds=seconds)[0]  # type: ignore[arg-type]


def answer(ticket: int) -> tuple[bytes, list[Buffer]]:
    return encode(ticket, Answer(Returned(1)))


def test_the_answer_to_the_question_is_returned() -> None:
    stand_in = StandIn(lambda there, ticket: send_frame(there, *answer(ticket)))
    assert ask(stand_in).outcome == Returned(1)
    assert not stand_in.stopped


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda there, ticket: send_frame(there, *answer(ticket + 1)), "not to this question"),
        (lambda there, _ticket: send_frame(there, b"rubbish"), "not valid"),
        (lambda there, _ticket: there.sendall(struct.pack("!II", 2**32 - 1, 0)), "announced"),
        (lambda there, _ticket: there.close(), "exit code 3"),
    ],
)
def test_anything_else_loses_the_worker_with_a_reason(reply: Callable[[socket.socket, int], None], reason: str) -> None:
    stand_in = StandIn(reply, Exit(code=3))
    with pytest.raises(WorkerLost, match=reason) as lost:
        ask(stand_in)
    assert not lost.value.timed_out
    assert stand_in.stopped


class NeverStarted:
    """Plays a fork server of which no child says anything."""

    def __init__(self, end: Exit | EngineGone) -> None:
        self.channel, there = socket.socketpair()
        there.close()
        self._end = end

    def start(self, _request: bytes, _shared: list[int]) -> NeverStarted:
        return self

    def stop(self) -> Exit:
        if isinstance(self._end, EngineGone):
            raise self._end
        return self._end


@pytest.mark.parametrize(
    ("end", "error", "reason"),
    [
        (EngineGone("the process that starts workers is gone"), EngineGone, "is gone"),
        (Exit(BROKEN_DOWN, 0, "OSError: disk full"), EngineError, "could not be started: OSError: disk full"),
    ],
    ids=["zygote_killed", "not_forked"],
)
def test_a_worker_that_never_started_tells_whether_the_zygote_is_gone(
    end: Exit | EngineGone, error: type[EngineError], reason: str
) -> None:
    with pytest.raises(EngineError, match=reason) as caught:
        Worker(NeverStarted(end), memory_mb=64)  # type: ignore[arg-type]
    assert caught.type is error


def test_the_right_answer_determines_how_large_an_answer_may_be() -> None:
    large = encode(0, Answer(Returned(torch.zeros(3 * 2**20))))
    for likely, words in ((known(Returned(1)), "announced"), (known(Returned(torch.zeros(2**20))), "not to this")):
        stand_in = StandIn(lambda there, _ticket: send_frame(there, *large))
        with pytest.raises(WorkerLost, match=words):
            Worker(stand_in, memory_mb=64).ask(Question(b"", likely=likely), seconds=10)  # type: ignore[arg-type]


def test_no_answer_in_time_is_told_from_a_death() -> None:
    stand_in = StandIn(lambda _there, _ticket: None)
    with pytest.raises(WorkerLost, match="longer than") as lost:
        ask(stand_in, seconds=0.05)
    assert lost.value.timed_out


@pytest.mark.parametrize("seconds", [0.0, -0.5])
def test_a_question_for_which_no_time_is_left_is_late_and_no_mistake_of_ours(seconds: float) -> None:
    with pytest.raises(WorkerLost) as lost:
        ask(StandIn(lambda there, ticket: send_frame(there, *answer(ticket))), seconds=seconds)
    assert lost.value.timed_out


def test_what_was_written_before_the_question_is_refused() -> None:
    stand_in = StandIn(lambda there, ticket: send_frame(there, *answer(ticket)))
    worker = Worker(stand_in, memory_mb=64)  # type: ignore[arg-type]
    send_frame(stand_in._there, *answer(1))
    with pytest.raises(WorkerLost, match="before the question"):
        worker.ask(Question(b""), seconds=10)


@pytest.mark.parametrize(
    ("exit_", "reason"),
    [
        (Exit(signal=11), "segmentation fault"),
        (Exit(signal=9), "64 MB of memory"),
        (Exit(signal=35), "signal 35"),
        (Exit(code=70), "broke down"),
        (Exit(note="it wrote too much to disk", signal=9), "too much to disk"),
    ],
)
def test_the_cause_of_death_is_named(exit_: Exit, reason: str) -> None:
    with pytest.raises(WorkerLost, match=reason):
        ask(StandIn(lambda there, _ticket: there.close(), exit_))
