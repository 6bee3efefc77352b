"""A first try of the GPU, before anything is timed on it: two workers at a time, as in a measurement, compute a little.

Otherwise a GPU that cannot be used would excuse every check of a class, and all would have full points.
"""

from __future__ import annotations

import contextlib

import torch

from autograder.errors import EngineError
from autograder.sandbox import shipping
from autograder.sandbox.client import Worker, WorkerLost
from autograder.sandbox.forkserver import Client
from autograder.sandbox.forward_passes import encoded
from autograder.sandbox.values import Outcome, Raised

MEMORY_MB, SHARED_BYTES = 2_048, 2**20
SECONDS = 60.0  # for each step: the first one loads libraries of gigabytes

_SOURCE = """\
import torch


def small(x):
    return torch.nn.functional.conv2d(x, x) + x @ x
"""


def try_gpu(client: Client) -> str:
    """The GPU's name.

    Raises:
        EngineError: why nothing can be timed on it.
    """
    with contextlib.ExitStack() as workers:
        first = _started(client, workers)
        try:
            _started(client, workers)
        except EngineError as error:
            text = f"{error}, though a single process can use it; let two (for NVIDIA, nvidia-smi --compute-mode=0)"
            raise EngineError(text) from None
        return first.device


def _started(client: Client, workers: contextlib.ExitStack) -> Worker:
    worker = Worker(client, memory_mb=MEMORY_MB, gpu=True, shared_bytes=SHARED_BYTES)
    workers.callback(worker.stop)
    try:
        _require_value(worker.load("trial", [("trial.py", _SOURCE)], keep_going=False, seconds=SECONDS).outcome)
        _require_value(worker.prepare(shipping.dumps(lambda m: m.small), seed=0, seconds=SECONDS).outcome)
        inputs = encoded([(torch.ones(1, 1, 4, 4),)])
        _require_value(worker.forward(inputs, seconds=SECONDS).answer.outcome)
    except WorkerLost as lost:
        raise EngineError(f"a first try on it failed: {lost}") from None
    return worker


def _require_value(outcome: Outcome) -> None:
    if isinstance(outcome, Raised):
        raise EngineError(f"a first try on it failed: {outcome.type}: {outcome.message}")
