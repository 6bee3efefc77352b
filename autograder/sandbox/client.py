"""The judge's handle on workers. Trusts nothing that a worker says, only that it is an answer."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.errors import EngineError
from autograder.sandbox.deadlines import Deadline
from autograder.sandbox.decoding import decode
from autograder.sandbox.forkserver import BROKEN_DOWN, Child, Client, Exit
from autograder.sandbox.forward_passes import SIZE
from autograder.sandbox.framing import Buffer, Closed, FrameError, Late, receive_frame, send_frame
from autograder.sandbox.layouts import Layout
from autograder.sandbox.messages import POSITION, Ask, Asked, Forward, Load, Prepare
from autograder.sandbox.processors import occupied
from autograder.sandbox.values import MAX_ANSWERS_BYTES, Answer, Known, Returned, bytes_allowed
from autograder.sandbox.zygote import WorkerRequest

START_SECONDS = 30.0

_encoder = msgspec.msgpack.Encoder()


Encoded = tuple[bytes, list[Buffer]]


@dataclass(frozen=True)
class Timed:
    """An answer, and its time in seconds: on the judge's clock, and as processor time of the worker."""

    answer: Answer
    wall: float
    processor: float


@dataclass(frozen=True)
class Question:
    """A shipped probe, the seed of torch's generator, what to report about its work (see `messages.Asked`), and the
    likely answer, if there is one; an answer may have a few times its bytes."""

    probe: bytes
    seed: int = 0
    operators: bool = False
    lines: bool = False
    likely: Known | None = None


class WorkerLost(Exception):
    """No answer came. `timed_out`: the call took too long, rather than the process ending or writing nonsense;
    `killed`: SIGKILL ended the process, wherever it came from; `position`: which question or cell was running then, if
    the worker can be trusted."""

    def __init__(self, reason: str, position: int, *, timed_out: bool = False, killed: bool = False) -> None:
        super().__init__(reason)
        self.position = position
        self.timed_out = timed_out
        self.killed = killed

    @property
    def told(self) -> str:
        """The reason as a sentence for the student."""
        return f"{self}. Does every loop end?" if self.timed_out else f"{self}."


class Worker:
    """One confined process with one student's module in it. Once a call has raised `WorkerLost`, it is gone."""

    def __init__(
        self,
        client: Client,
        *,
        memory_mb: int,
        gpu: bool = False,
        shared_bytes: int = 0,
        notebook: bool = False,
        plots: bool = False,
    ) -> None:
        """`shared_bytes` is how much `forward` can pass in each direction; with `gpu` the worker may use a GPU. For a
        `notebook`, and for code that `plots`, it is ready sooner if it is told so.

        Raises:
            EngineGone: the zygote is gone.
            EngineError: the worker ended, or said nothing, before it had loaded anything, or the GPU does not start.
        """
        request = _encoder.encode(WorkerRequest(memory_mb, occupied(), gpu, notebook, plots))
        self._exit: Exit | None = None
        self.spent = 0.0  # seconds of the last request, as its deadline counts them
        self._parts = self._position = 0  # of the current request; which of them ran when the worker ended
        with _memory(max(shared_bytes, POSITION.size)) as descriptor:
            self._shared = mmap.mmap(descriptor, 0)
            self._child: Child = client.start(request, [descriptor])
        self.memory_mb = memory_mb
        try:
            _, [hello] = decode(*receive_frame(self._child.channel, Deadline(START_SECONDS)))
        except (Closed, Late, FrameError) as error:
            exit_ = self._child.stop()  # raises EngineGone if that is why
            raise EngineError(f"a worker could not be started: {exit_.note or repr(error)}") from error
        assert isinstance(hello.outcome, Returned)
        # Sent before anything of the submission runs.
        self.layers: dict[str, str] = hello.outcome.value["layers"]
        self._pid: int = hello.outcome.value["pid"]
        self.device: str = hello.outcome.value["device"]
        if trouble := hello.outcome.value["trouble"]:
            self.stop()
            raise EngineError(f"CUDA does not start: {trouble}")

    def load(
        self,
        name: str,
        cells: Sequence[tuple[str, str]],
        *,
        keep_going: bool,
        seconds: float,
        exercises: Sequence[str] = (),
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Answer:
        """Runs the student's file, beside which `files` lie. The outcome is what it raised, or contains its names, the
        errors of single cells and which of `exercises` are built on which.

        Raises:
            WorkerLost: it hung, died or wrote nonsense.
        """
        sizes = tuple((file, len(data)) for file, data in files)
        header = _encoder.encode(Load(name, tuple(cells), keep_going, tuple(exercises), sizes))
        return self._exchange(header, [data for _, data in files], 0, seconds, parts=len(cells))[0]

    def ask(self, *questions: Question, seconds: float, afresh: bool = False) -> list[Answer]:
        """Evaluates shipped probes one after the other. There may be fewer answers than questions.

        Raises:
            WorkerLost: no valid answers within `seconds`.
        """
        ticket = _new_ticket()
        asked = [
            Asked(len(one.probe), one.seed, bytes_allowed(one.likely), one.operators, one.lines) for one in questions
        ]
        header = _encoder.encode(Ask(ticket, tuple(asked), afresh))
        body = [one.probe for one in questions]
        likely = [one.likely for one in questions]
        return self._exchange(header, body, ticket, seconds, parts=len(questions), likely=likely)

    def prepare(self, probe: bytes, *, seed: int, seconds: float, float64: bool = False) -> Answer:
        """Evaluates a shipped probe and keeps the function that it returns, to be timed by `forward`; with `float64` it
        computes in float64. The answer's outcome is None, or what the probe raised.

        Raises:
            WorkerLost: no valid answer within `seconds`.
        """
        ticket = _new_ticket()
        return self._exchange(_encoder.encode(Prepare(ticket, seed, float64)), (probe,), ticket, seconds)[0]

    def forward(self, inputs: Encoded, *, seconds: float, echo: bool = False, layout: Layout | None = None) -> Timed:
        """Calls the prepared function once with each of `inputs` (see `forward_passes.encoded`) and measures the time.
        With `echo` nothing is called, to measure the cost of the protocol alone. Without a `layout` any answer will do.

        Raises:
            WorkerLost: no valid answer within `seconds`.
            OfAnotherKind: the answer does not have the layout.
        """
        ticket = _new_ticket()
        header, chunks = inputs
        self._shared.seek(0)
        for chunk in chunks:
            self._shared.write(chunk)
        request = _encoder.encode(Forward(ticket, header, self._shared.tell(), echo))
        busy = self.processor_seconds()
        started = time.perf_counter()
        (answer, body), ended = self._frame(request, (), seconds, SIZE.size)
        busy = self.processor_seconds() - busy
        return Timed(self._decoded((answer, self._outputs(answer, body, layout)), ticket)[0], ended - started, busy)

    def _outputs(self, header: bytes, body: bytearray, layout: Layout | None) -> bytearray:
        """A copy of the shared memory, as far as the answer to `forward` says."""
        try:
            if len(body) != SIZE.size:
                raise FrameError(f"{len(body)} bytes where {SIZE.size} say how many there are")
            (size,) = SIZE.unpack(body)
            if layout is not None:
                layout.require(header, size)
        except FrameError as error:
            raise self._nonsense(error) from error
        return bytearray(self._shared[:size])

    def processor_seconds(self) -> float:
        """The processor time of the worker's process so far, all its threads together; NaN if the kernel does not
        report it."""
        try:
            return time.clock_gettime((~self._pid << 3) | 2)  # as clock_getcpuclockid(3) makes it
        except (OSError, OverflowError, AttributeError):
            return math.nan

    def threads(self) -> int:
        """How many threads the worker's process has now; 0 if the kernel does not report it."""
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
                if line.startswith("Threads:"):
                    return int(line.split()[1])
        return 0

    def stop(self) -> Exit:
        """Ends the worker and everything it has started; returns when all of it is gone. Further calls do nothing."""
        if self._exit is None:
            self._exit = self._child.stop()
            (position,) = POSITION.unpack_from(self._shared)
            self._position = min(position, max(self._parts - 1, 0))
            self._shared.close()
        return self._exit

    def _exchange(
        self,
        header: bytes,
        body: Sequence[Buffer],
        ticket: int,
        seconds: float,
        *,
        parts: int = 1,
        likely: Sequence[Known | None] = (None,),
    ) -> list[Answer]:
        self._parts = parts
        POSITION.pack_into(self._shared, 0, 0)
        most = MAX_ANSWERS_BYTES + max(map(bytes_allowed, likely))
        return self._decoded(self._frame(header, body, seconds, most)[0], ticket, likely)

    def _frame(
        self, header: bytes, body: Sequence[Buffer], seconds: float, most: int = MAX_ANSWERS_BYTES
    ) -> tuple[tuple[bytes, bytearray], float]:
        """The worker's next frame, whose body has `most` bytes, and when its last one arrived (`time.perf_counter`)."""
        channel, deadline = self._child.channel, Deadline(seconds, self._pid)
        try:
            self._refuse_early_answers()
            if seconds <= 0:  # the previous answer came just in time, and decoding it took the rest
                raise Late
            channel.settimeout(deadline.longest)
            send_frame(channel, header, body)
            return receive_frame(channel, deadline, most), time.perf_counter()
        except Late:
            exit_ = self.stop()
            reason = exit_.note or f"it took longer than {seconds:.3g} s"
            raise WorkerLost(reason, self._position, timed_out=not exit_.note) from None
        except FrameError as error:
            raise self._nonsense(error) from error
        except Closed:
            exit_ = self.stop()
            killed = exit_.signal == signal.SIGKILL and not exit_.note
            raise WorkerLost(self._cause_of_death(exit_), self._position, killed=killed) from None
        finally:
            self.spent = deadline.spent()

    def _decoded(
        self, frame: tuple[bytes, bytearray], ticket: int, likely: Sequence[Known | None] = (None,)
    ) -> list[Answer]:
        try:
            quoted, answers = decode(*frame, likely)
            if quoted != ticket:
                raise FrameError("the answer is not to this question")
            return answers
        except FrameError as error:
            raise self._nonsense(error) from error

    def _nonsense(self, error: FrameError) -> WorkerLost:
        self.stop()
        return WorkerLost(f"it sent back an answer that is not valid ({error})", self._position)

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
                8: "an arithmetic error, such as an integer division by zero",
                9: f"a kill signal, as happens when it uses more than the {self.memory_mb} MB of memory allowed",
                11: "a segmentation fault",
                31: "a system call that is not allowed",
            }
            return f"its process was ended by {causes.get(exit_.signal, f'signal {exit_.signal}')}"
        if exit_.code == BROKEN_DOWN:
            return "its process broke down before it could answer"
        return f"its process ended with exit code {exit_.code}, as after os._exit({exit_.code})"


@contextlib.contextmanager
def _memory(size: int) -> Iterator[int]:
    """A descriptor of memory that processes can share; on Linux it works even if the disk is full."""
    in_memory = hasattr(os, "memfd_create")
    with open(os.memfd_create("autograder"), "r+b") if in_memory else tempfile.TemporaryFile() as file:
        file.truncate(size)
        yield file.fileno()


def plots(sources: Iterable[str]) -> bool:
    """Whether code seems to import matplotlib."""
    return any("matplotlib" in source for source in sources)


def _new_ticket() -> int:
    """An answer must quote a number that did not exist before the question, so none can be written in advance."""
    return int.from_bytes(os.urandom(7), "little") + 1
