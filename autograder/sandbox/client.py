"""The judge's handle on workers. Believes nothing that a worker says beyond its being an answer."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence

import msgspec

from autograder.errors import EngineError
from autograder.sandbox import values
from autograder.sandbox.forkserver import BROKEN_DOWN, Child, Client, Exit
from autograder.sandbox.framing import Closed, FrameError, Late, receive_frame, send_frame
from autograder.sandbox.seats import occupied
from autograder.sandbox.values import Answer, Returned
from autograder.sandbox.worker import Ask, Load
from autograder.sandbox.zygote import WorkerRequest

START_SECONDS = 30.0

_encoder = msgspec.msgpack.Encoder()


class WorkerLost(Exception):
    """No answer came. `timed_out` tells a call that took too long from a process that ended or wrote nonsense."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


class Worker:
    """One confined process with one student's module in it. Once a call has failed with `WorkerLost` it is gone."""

    def __init__(self, client: Client, *, memory_mb: int) -> None:
        self._child: Child = client.start(_encoder.encode(WorkerRequest(memory_mb, occupied())))
        self.memory_mb = memory_mb
        try:
            hello = values.decode(*receive_frame(self._child.channel, time.monotonic() + START_SECONDS))
        except (Closed, Late, FrameError) as error:
            self._child.close()
            raise EngineError(f"a worker could not be started: {error!r}") from error
        assert isinstance(hello.outcome, Returned)
        self.layers: dict[str, str] = hello.outcome.value

    def load(
        self,
        name: str,
        cells: Sequence[tuple[str, str]],
        *,
        keep_going: bool,
        seconds: float,
        exercises: Sequence[str] = (),
    ) -> Answer:
        """Runs the student's file. The outcome holds its names, the errors of single cells and which of `exercises` is
        built on which; or is what it raised.

        Raises:
            WorkerLost: it hung, died or wrote nonsense.
        """
        return self._exchange(_encoder.encode(Load(name, tuple(cells), keep_going, tuple(exercises))), b"", 0, seconds)

    def ask(
        self,
        probe: bytes,
        *,
        seed: int,
        seconds: float,
        afresh: bool = False,
        operators: bool = False,
        lines: bool = False,
    ) -> Answer:
        """Evaluates a shipped probe.

        Raises:
            WorkerLost: no valid answer within `seconds`.
        """
        # An answer must quote a number that did not exist before the question: none can be written in advance.
        ticket = int.from_bytes(os.urandom(7), "little") + 1
        header = _encoder.encode(Ask(ticket, seed, afresh, operators, lines))
        return self._exchange(header, probe, ticket, seconds)

    def stop(self) -> Exit:
        """Ends the worker and everything it has started; returns when all of it is gone."""
        return self._child.stop()

    def _exchange(self, header: bytes, body: bytes, ticket: int, seconds: float) -> Answer:
        channel = self._child.channel
        deadline = time.monotonic() + seconds
        try:
            self._refuse_early_answers()
            if seconds <= 0:  # the answer before came just in time, and decoding it took the rest
                raise Late
            channel.settimeout(seconds)
            send_frame(channel, header, (body,))
            answer = values.decode(*receive_frame(channel, deadline))
            if answer.ticket != ticket:
                raise FrameError("the answer is not to this question")
            return answer
        except Late:
            exit_ = self.stop()
            raise WorkerLost(exit_.note or f"it took longer than {seconds:.3g} s", timed_out=not exit_.note) from None
        except FrameError as error:
            self.stop()
            raise WorkerLost(f"it sent back an answer that is not valid ({error})") from error
        except Closed:
            raise WorkerLost(self._cause_of_death(self._child.stop())) from None

    def _refuse_early_answers(self) -> None:
        channel = self._child.channel
        channel.setblocking(False)
        try:
            early = channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        if early:
            raise FrameError("something was written before the question was asked")
        raise Closed

    def _cause_of_death(self, exit_: Exit) -> str:
        if exit_.note:
            return exit_.note
        if exit_.signal:
            causes = {
                4: "an illegal instruction",
                6: "abort()",
                7: "a bus error",
                8: "a division fault",
                9: f"being killed, as happens when more than the {self.memory_mb} MB of memory allowed are used",
                11: "a segmentation fault",
                31: "a system call that is not allowed",
            }
            return f"its process was ended by {causes.get(exit_.signal, f'signal {exit_.signal}')}"
        if exit_.code == BROKEN_DOWN:
            return "its process broke down before it could answer"
        return f"its process ended with exit code {exit_.code}, as after os._exit({exit_.code})"
