"""The worker's part in timing: calls one function with fresh inputs, under the same conditions every time.

The judge measures the time, from sending a request until the answer says that the outputs are ready. Inputs and outputs
are in memory that judge and worker share: a socket would transfer them in pieces, and on a busy machine every piece
waits its turn. Only what a GPU did inside a call is measured here, with CUDA events; as this could be tampered with,
the judge's clock decides if it shows a longer time.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import struct
from collections.abc import Callable
from typing import Any

import torch

from autograder.sandbox.decoding import decode
from autograder.sandbox.encoding import encode
from autograder.sandbox.framing import Buffer
from autograder.sandbox.torch_state import use_full_precision
from autograder.sandbox.values import UNKNOWN_BYTES, Answer, Returned

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_L2_BYTES = 96 * 2**20  # PyTorch before 2.5 does not know it; no GPU of that time has more
SIZE = struct.Struct("!Q")

Inputs = list[tuple[torch.Tensor, ...]]


class ForwardPasses:
    """Keeps the function and what the last request returned."""

    def __init__(self, device: str) -> None:
        self._function: Callable[..., Any] | None = None
        self._device = torch.device(device)
        self._last: list[Any] = []
        self._rinse: torch.Tensor | None = None

    def start(self) -> str:
        """Starts the device and returns its name. Nothing of the submission runs before: an error is the machine's."""
        if self._device.type != "cuda":
            return "CPU"
        properties = torch.cuda.get_device_properties(self._device)
        # Twice the cache: after writing this, nothing else is left in the cache.
        size = 2 * (getattr(properties, "L2_cache_size", 0) or _L2_BYTES)
        self._rinse = torch.empty(size, dtype=torch.int8, device=self._device)
        torch.cuda.synchronize(self._device)
        return str(properties.name)

    def prepare(self, function: Any, *, float64: bool = False) -> None:
        """Sets the function to be called from now on; with `float64` it computes in float64.

        Raises:
            TypeError: it is not callable.
        """
        if not callable(function):
            raise TypeError(f"a function or a module was expected, but this is a {type(function).__name__}")
        if isinstance(function, torch.nn.Module):
            function = function.to(self._device)
        self._function, self._last = _in_float64(function) if float64 else function, []
        if self._device.type == "cuda":
            torch.cuda.empty_cache()  # the other side needs memory, too

    def run(self, header: bytes, body: bytearray) -> dict[str, Any]:
        """The outputs, one for each tuple of inputs, and of a GPU the milliseconds and the peak bytes."""
        function = self._function
        assert function is not None
        inputs = self._decoded(header, body)
        torch.set_flush_denormal(True)  # numbers very close to zero would take many times longer
        with torch.no_grad():
            if self._device.type != "cuda":
                self._last = [function(*arguments) for arguments in inputs]
                return self._answer()
            self._last = []  # before the memory is read: the last outputs are not part of these calls
            torch.cuda.reset_peak_memory_stats(self._device)
            before = torch.cuda.memory_allocated(self._device)
            milliseconds = 0.0
            for arguments in inputs:
                milliseconds += self._on_gpu(function, arguments)
            peak = torch.cuda.max_memory_allocated(self._device) - before
        return self._answer(milliseconds, peak)

    def echo(self, header: bytes, body: bytearray) -> dict[str, Any]:
        """Everything that `run` does except calling the function: the cost of the protocol."""
        inputs = self._decoded(header, body)
        if self._device.type == "cuda":
            for _ in inputs:
                self._prepare_gpu()
                torch.cuda.synchronize(self._device)
        return self._answer()

    def _answer(self, milliseconds: float = 0.0, peak: int = 0) -> dict[str, Any]:
        return {"outputs": self._last, "milliseconds": milliseconds, "peak_bytes": peak}

    def _decoded(self, header: bytes, body: bytearray) -> Inputs:
        outcome = decode(header, body)[1][0].outcome
        assert isinstance(outcome, Returned)
        return [tuple(tensor.to(self._device) for tensor in arguments) for arguments in outcome.value]

    def _on_gpu(self, function: Callable[..., Any], arguments: tuple[torch.Tensor, ...]) -> float:
        self._prepare_gpu()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        self._last.append(function(*arguments))
        end.record()
        torch.cuda.synchronize(self._device)  # all streams: this also waits for work on other streams
        return float(start.elapsed_time(end))

    def _prepare_gpu(self) -> None:
        """Sets the same precision and algorithms for everyone and clears the previous call from the cache."""
        use_full_precision()
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = False
        assert self._rinse is not None
        self._rinse.zero_()
        torch.cuda.synchronize(self._device)


def _in_float64(function: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(function, torch.nn.Module):
        function.double()
    return lambda *inputs: function(*(tensor.double() if tensor.is_floating_point() else tensor for tensor in inputs))


def keep_memory() -> None:
    """Makes freed memory be reused, here and in all forks, instead of being returned to the kernel and requested again.
    Otherwise it is chance which happens, and that can double the time of a forward pass (mallopt(3))."""
    most = 2**25  # what glibc allows
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, most)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**30)
        libc.mallopt(_M_TOP_PAD, most)


def in_memory(ticket: int, answer: Answer, shared: mmap.mmap) -> tuple[bytes, list[Buffer]]:
    """Puts an answer's tensors into the shared memory; the frame that is left to send has their size as its body."""
    header, chunks = encode(ticket, answer, min(len(shared), UNKNOWN_BYTES))
    shared.seek(0)
    for chunk in chunks:
        shared.write(chunk)
    return header, [SIZE.pack(shared.tell())]


def encoded(inputs: Inputs) -> tuple[bytes, list[Buffer]]:
    """Header and body for `ForwardPasses.run`."""
    return encode(0, Answer(Returned([list(arguments) for arguments in inputs])))
