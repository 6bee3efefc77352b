"""The two sides of a measurement: a worker each, what it is asked, and what can go wrong with it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from autograder.errors import EngineError
from autograder.sandbox.client import Encoded, Timed, Worker, WorkerLost
from autograder.sandbox.forward_passes import Inputs, encoded
from autograder.sandbox.layouts import Layout, OfAnotherKind
from autograder.sandbox.values import Raised

Arguments = tuple[torch.Tensor, ...]

CALL_SECONDS = 3.0  # for one request; a slower one of the submission's counts as this long
LOADING_SECONDS = {"cpu": 0.0, "cuda": 20.0}  # for a device's libraries, besides what runs on it
WARM_UP, WARM_UP_SECONDS = {"cpu": 2, "cuda": 10}, 1.0
_UNTIMED = "the reference could not be timed: "
RESTLESS_SECONDS, RESTLESS_SHARE = 0.02, 0.1


@dataclass(frozen=True)
class Workload:
    """What is timed: a shipped probe that returns a function, and what makes fresh inputs from a generator. The probe
    is evaluated with `seed`, which says nothing about the inputs, and may take `seconds`, and so may the first call."""

    probe: bytes
    inputs: Callable[[torch.Generator], Arguments]
    seed: int
    seconds: float


class Misbehaved(Exception):
    """The submission did something that costs all points; the text tells the student what."""


class NotReady(Misbehaved):
    """Building what is timed, or its first call, took too long (`timed_out`), the process was killed, or something was
    raised on a GPU. That may be the machine's fault, so it is tried twice."""

    def __init__(self, text: str, *, timed_out: bool = False) -> None:
        super().__init__(text)
        self.timed_out = timed_out


class ReferenceRaised(EngineError):
    """The reference raised an exception. Its worker can be asked for more."""


class TooLong(Exception):
    """A request to the submission was not answered in time; a call would have had so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Request:
    inputs: Encoded
    calls: int


class Requests:
    """Fresh inputs for every request, from a seed of its own: what a worker has received says nothing about what
    follows."""

    def __init__(self, workload: Workload, calls: int) -> None:
        self._workload = workload
        self.calls = calls

    def next(self) -> Request:
        generator = torch.Generator().manual_seed(int.from_bytes(os.urandom(8), "little"))
        inputs: Inputs = [self._workload.inputs(generator) for _ in range(self.calls)]
        return Request(encoded(inputs), self.calls)


class Side:
    """One worker. Watches what it does while it should be waiting. `layouts` are those of the reference's answers, by
    the number of calls."""

    def __init__(
        self,
        workers: contextlib.ExitStack,
        start: Callable[[], Worker],
        workload: Workload,
        device: str,
        layouts: dict[int, Layout],
        *,
        trusted: bool = False,
    ) -> None:
        self._trusted = trusted
        self.call_seconds = CALL_SECONDS
        self.worker = start()
        workers.callback(self.worker.stop)
        self._workload = workload
        self._device = device
        self._layouts = layouts
        self._idle = self._waited = self.spent = 0.0  # processor time between the calls, and time of the clock
        self._most = workload.seconds + LOADING_SECONDS[device]
        self.prepare()
        self.name = self.worker.device
        self._threads = self.worker.threads()
        self._mark = self._now()

    def prepare(self, *, float64: bool = False) -> None:
        """Builds what is timed; with `float64` it is to compute in float64, and its outputs may be of another dtype."""
        self._float64 = float64
        probe, seed = self._workload.probe, self._workload.seed
        try:
            answer = self.worker.prepare(probe, seed=seed, seconds=self._most, float64=float64)
        except WorkerLost as lost:
            raise self._not_ready("building what is timed", lost) from None
        if isinstance(answer.outcome, Raised):
            raise self._raised(f"Your code raised {answer.outcome.type}: {answer.outcome.message}")

    def warm_up(self) -> list[Timed]:
        """Calls with one input each, of which the first may take longer: it loads kernels, or makes tables."""
        requests = Requests(self._workload, 1)
        found = [self.ask(requests.next(), is_first=True)]
        while len(found) < WARM_UP[self._device] + 3 and sum(timed.wall for timed in found[1:]) < WARM_UP_SECONDS:
            found.append(self.ask(requests.next()))
        return found

    def ask(self, request: Request, *, echo: bool = False, is_first: bool = False) -> Timed:
        self._note_what_it_did_meanwhile()
        seconds = max(self._most, self.call_seconds) if is_first else self.call_seconds
        layouts = {} if self._float64 else self._layouts
        layout = layouts.get(request.calls) if self._trusted else layouts[request.calls]
        try:
            timed = self.worker.forward(request.inputs, seconds=seconds, echo=echo, layout=layout)
        except WorkerLost as lost:
            if is_first or lost.killed:
                raise self._not_ready("its first call", lost) from None
            if lost.timed_out and not self._trusted:
                raise TooLong(seconds / request.calls) from None
            raise self._failed(_no_answer(lost)) from None
        except OfAnotherKind:
            text = "it is of another kind or size than the reference's"
            raise self._failed(f"An answer in a timed call is wrong: {text}.") from None
        self.spent += timed.wall
        self._mark = self._now()
        outcome = timed.answer.outcome
        if isinstance(outcome, Raised):
            raise self._raised(f"Your code raised {outcome.type} in a timed call: {outcome.message}")
        if layout is None:
            layouts[request.calls] = Layout.of(outcome.value)
        return timed

    def _not_ready(self, what: str, lost: WorkerLost) -> Exception:
        if self._trusted or not (lost.timed_out or lost.killed):
            return self._failed(_no_answer(lost))
        text = f"Not timed: {what} took longer than {self._most:.3g} s." if lost.timed_out else _no_answer(lost)
        return NotReady(text, timed_out=lost.timed_out)

    def _raised(self, text: str) -> Exception:
        if self._trusted:
            return ReferenceRaised(_UNTIMED + text)
        return NotReady(text) if self._device == "cuda" else Misbehaved(text)

    def _failed(self, text: str) -> Exception:
        return EngineError(_UNTIMED + text) if self._trusted else Misbehaved(text)

    def _now(self) -> tuple[float, float]:
        return self.worker.processor_seconds(), time.perf_counter()

    def _note_what_it_did_meanwhile(self) -> None:
        before, self._mark = self._mark, self._now()
        self._idle += self._mark[0] - before[0]
        self._waited += self._mark[1] - before[1]

    def check_rest(self) -> None:
        """Raises Misbehaved if the worker computes outside its calls, or has more threads than before the calls.

        What it computes is compared with the time that it waits: in that time the reference takes its turn, and must
        not have to share the processor.
        """
        self._note_what_it_did_meanwhile()
        if self._idle > RESTLESS_SECONDS and self._idle > RESTLESS_SHARE * self._waited:
            raise Misbehaved("Your code keeps computing after it has returned its answer.")
        if self._threads and self.worker.threads() > self._threads and self._device == "cpu":
            raise Misbehaved("Your code starts threads, but only the time of one thread is measured.")


def _no_answer(lost: WorkerLost) -> str:
    return f"Your code did not return an answer: {lost}."
