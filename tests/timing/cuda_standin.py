"""A stand-in for CUDA where there is no GPU. `install` it in the grading server before that forks.

Tensors stay in the machine's own memory and operators run at once, so there is nothing to wait for; events leave out
what runs on another stream, as CUDA's do. A context starts with its process's first use of the GPU, and contexts are
numbered. While one has left something running, they take turns: the others need four times as long. What takes time
or fails is configured by step: `start`, `allocate`, `copy`, `float64` (where numbers become such), `record`,
`synchronize`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import mmap
import os
import struct
import time
import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
import torch

NAME = "stand-in for a GPU"
DEAD = "CUDA error: OS call failed or operation not supported on this OS"
BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
# Contexts so far, the processes with the latest and with all the memory, and the one that has left something running
# until then (`time.monotonic`); whether the GPU is dead.
_STATE = struct.Struct("!QQQQdB")


@dataclass(frozen=True)
class Gpu:
    """`errors` and `delays` (seconds) are by step; errors are raised in the contexts with the numbers `failing` only,
    if there are any. If it is `exclusive`, one process at a time can have a
    context."""

    errors: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    failing: tuple[int, ...] = ()
    exclusive: bool = False
    l2_bytes: int = 4096  # 0: PyTorch does not know

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Makes all engines that are started from now on believe that the machine has this GPU."""
        from autograder.engine import client
        from autograder.timing import devices

        first = f"from timing.cuda_standin import install; install({json.dumps(asdict(self))!r}); "
        patch.setattr(client, "_START", client._START.replace("from autograder", first + "from autograder", 1))
        patch.setattr(devices, "why_no_gpu", lambda: "")


def install(settings: str) -> None:
    _Cuda(Gpu(**json.loads(settings))).install()


class _Cuda:
    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.shared = mmap.mmap(-1, _STATE.size)  # by all forks
        self.number = 0
        self.peak = 0
        self.seen = time.monotonic()  # the last time that all was done
        self.elsewhere = 0.0  # seconds on streams other than the usual one

    def step(self, name: str) -> None:
        count, holder, full_for, busy_for, busy_until, dead = _STATE.unpack_from(self.shared)
        if dead:
            raise RuntimeError(DEAD)
        if not self.number:
            self.number = count + 1
            self.note(count=self.number)
            self.step("start")
            if self.gpu.exclusive and _lives(holder):
                raise RuntimeError(BUSY)
            self.note(holder=os.getpid())
        time.sleep(self.gpu.delays.get(name, 0))
        if self.number in (self.gpu.failing or (self.number,)) and name in self.gpu.errors:
            raise RuntimeError(self.gpu.errors[name])
        if name in ("allocate", "copy") and full_for != os.getpid() and _lives(full_for):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if name in ("record", "synchronize"):
            busy = busy_until > time.monotonic() and busy_for != os.getpid() and _lives(busy_for)
            if busy and name == "record":
                time.sleep(3 * (time.monotonic() - self.seen))
            self.seen = time.monotonic()

    def note(self, **changed: float) -> None:
        names = ("count", "holder", "full_for", "busy_for", "busy_until", "dead")
        known = dict(zip(names, _STATE.unpack_from(self.shared), strict=True)) | changed
        _STATE.pack_into(self.shared, 0, *known.values())

    def die(self) -> None:
        """For all processes, for good."""
        self.note(dead=True)

    def take_all_memory(self) -> None:
        self.note(full_for=os.getpid())

    def leave_running(self, seconds: float) -> None:
        """What kernels on a stream that nobody waits for do."""
        self.note(busy_for=os.getpid(), busy_until=time.monotonic() + seconds)

    def install(self) -> None:
        torch.empty = self._moved(torch.empty, "allocate")  # type: ignore[assignment]
        torch.Tensor.to = self._moved(torch.Tensor.to, "copy")  # type: ignore[method-assign]
        torch.Tensor.double = self._slow(torch.Tensor.double, "float64")  # type: ignore[method-assign]
        torch.Tensor.is_cuda = property(lambda _: self.number > 0)  # type: ignore[assignment, method-assign]
        for name in ("synchronize", "memory_allocated", "reset_peak_memory_stats", "get_device_properties", "stream"):
            setattr(torch.cuda, name, getattr(self, name))
        torch.cuda.max_memory_allocated = lambda *_: self.peak
        torch.cuda.take_all_memory = self.take_all_memory  # type: ignore[attr-defined]
        torch.cuda.die = self.die  # type: ignore[attr-defined]
        torch.cuda.leave_running = self.leave_running  # type: ignore[attr-defined]
        torch.cuda.Stream = object  # type: ignore[assignment, misc]
        torch.cuda.Event = functools.partial(_Event, self)  # type: ignore[assignment, misc]

    def _slow(self, made: Any, step: str) -> Any:
        @functools.wraps(made)
        def with_a_step(*arguments: Any) -> Any:
            if self.number:
                self.step(step)
            return made(*arguments)

        return with_a_step

    def _moved(self, made: Any, step: str) -> Any:
        """The same function, but where it would need a GPU, it takes a step on this one."""

        @functools.wraps(made)
        def on_the_cpu(*arguments: Any, **named: Any) -> Any:
            places = [*arguments, named.get("device")]
            if not any(_is_cuda(place) for place in places):
                return made(*arguments, **named)
            self.step(step)
            cpu = ["cpu" if _is_cuda(argument) else argument for argument in arguments]
            found = made(*cpu, **named | ({"device": "cpu"} if "device" in named else {}))
            return found.clone() if step == "copy" else found

        return on_the_cpu

    def get_device_properties(self, _device: object) -> object:
        self.step("start")
        known = {"L2_cache_size": self.gpu.l2_bytes} if self.gpu.l2_bytes else {}
        return types.SimpleNamespace(name=NAME, **known)

    def synchronize(self, _device: object = None) -> None:
        self.step("synchronize")
        self.peak = max(self.peak, self.memory_allocated())

    def memory_allocated(self, _device: object = None) -> int:
        tensors = (thing for thing in gc.get_objects() if isinstance(thing, torch.Tensor))
        return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())

    def reset_peak_memory_stats(self, _device: object = None) -> None:
        self.peak = self.memory_allocated()

    @contextlib.contextmanager
    def stream(self, _stream: object) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.elsewhere += time.perf_counter() - started


class _Event:
    def __init__(self, cuda: _Cuda, **_: object) -> None:
        self.cuda, self.at = cuda, 0.0

    def record(self) -> None:
        self.cuda.step("record")
        self.at = time.perf_counter() - self.cuda.elsewhere

    def elapsed_time(self, end: _Event) -> float:
        return 1000 * (end.at - self.at)


def _is_cuda(place: object) -> bool:
    return isinstance(place, (str, torch.device)) and torch.device(place).type == "cuda"


def _lives(pid: int) -> bool:
    try:
        return pid > 0 and os.getsid(pid) >= 0
    except ProcessLookupError:
        return False
