"""A first try of the GPU, before anything is timed on it: two workers at a time, as in a measurement, compute a little.

Otherwise a GPU that cannot be used would excuse every check of a class, and all would have full points.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import torch

from autograder.errors import EngineError
from autograder.jobs import GpuTried
from autograder.sandbox import shipping
from autograder.sandbox.client import Question, Worker, WorkerLost
from autograder.sandbox.forkserver import Client
from autograder.sandbox.forward_passes import encoded
from autograder.sandbox.values import Outcome, Raised
from autograder.timing.devices import locked

MEMORY_MB, SHARED_BYTES = 2_048, 2**20
SECONDS = 60.0  # for each step: the first one loads libraries of gigabytes
STEPS = ("CUDA starts", "first call", "next call")

_SOURCE = """\
import torch


def small(x):
    return torch.nn.functional.conv2d(x, x) + x @ x
"""


def try_gpu(client: Client) -> GpuTried:
    """What is known of the GPU then.

    Raises:
        EngineError: why nothing can be timed on it.
    """
    with locked("cuda"), contextlib.ExitStack() as workers:
        first, seconds = _started(client, workers)
        try:
            _, beside = _started(client, workers)
        except EngineError as error:
            text = f"{error}, though a single process can use it; let two (for NVIDIA, nvidia-smi --compute-mode=0)"
            raise EngineError(text) from None
        facts = first.ask(Question(shipping.dumps(_facts)), seconds=SECONDS)[0].outcome
        by_step = dict(zip(STEPS, zip(seconds, beside, strict=True), strict=True))
        return GpuTried(first.device, {name: str(fact) for name, fact in _value(facts).items()}, by_step)


def _facts(_: object) -> dict[str, Any]:
    """Evaluated in a worker."""
    gpu = torch.cuda.get_device_properties(0)
    known = {name: getattr(gpu, name, "not known") for name in ("major", "minor", "multi_processor_count")}
    return {
        "compute capability": f"{known['major']}.{known['minor']}",
        "multiprocessors": known["multi_processor_count"],
        "memory in bytes": getattr(gpu, "total_memory", "not known"),
        "L2 cache in bytes": getattr(gpu, "L2_cache_size", "not known"),
        "CUDA of PyTorch": str(torch.version.cuda),
        "cuDNN": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "kernels in PyTorch": " ".join(torch.cuda.get_arch_list()),
    }


def _started(client: Client, workers: contextlib.ExitStack) -> tuple[Worker, list[float]]:
    """A worker that has computed something on the GPU, and the seconds of each step."""
    began = time.perf_counter()
    worker = Worker(client, memory_mb=MEMORY_MB, gpu=True, shared_bytes=SHARED_BYTES)
    seconds = [time.perf_counter() - began]
    workers.callback(worker.stop)
    try:
        _value(worker.load("trial", [("trial.py", _SOURCE)], keep_going=False, seconds=SECONDS).outcome)
        _value(worker.prepare(shipping.dumps(lambda m: m.small), seed=0, seconds=SECONDS).outcome)
        inputs = encoded([(torch.ones(1, 1, 4, 4),)])
        for _ in STEPS[1:]:
            timed = worker.forward(inputs, seconds=SECONDS)
            _value(timed.answer.outcome)
            seconds.append(timed.wall)
    except WorkerLost as lost:
        raise EngineError(f"a first try on it failed: {lost}") from None
    return worker, seconds


def _value(outcome: Outcome) -> Any:
    if isinstance(outcome, Raised):
        raise EngineError(f"a first try on it failed: {outcome.type}: {outcome.message}")
    return outcome.value
