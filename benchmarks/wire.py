"""What does one call through the sandbox cost? A 6×7 tensor goes to the worker and comes back, plus 1.

In alternating blocks, the same probe is evaluated on the same function in this process; the difference is the wire:
pickling, two context switches, encoding, decoding. `python benchmarks/wire.py`.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import time
import types
from collections.abc import Callable

import torch

from autograder.sandbox import shipping, zygote
from autograder.sandbox.client import Question, Worker
from autograder.sandbox.forkserver import Client
from autograder.sandbox.processors import ProcessorSlots

SOURCE = "def f(x):\n    return x + 1\n"
BLOCKS, CALLS = 40, 250


def main() -> None:
    torch.set_num_threads(1)
    control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    lifeline, lifeline_there = socket.socketpair()
    if os.fork() == 0:
        lifeline.close()
        zygote.serve(control_there, lifeline_there)
    slots = ProcessorSlots()
    slots.pin(slots.take())  # as every judge does; its worker follows
    worker = Worker(Client(control), memory_mb=1024)
    worker.load("m", [("m.py", SOURCE)], keep_going=False, seconds=10)
    here = types.ModuleType("m")
    exec(SOURCE, here.__dict__)
    x = torch.randn(6, 7)

    def there() -> None:
        worker.ask(Question(shipping.dumps(lambda m: m.f(x))), seconds=5)

    def local() -> None:
        shipping.loads(DATA)(here)

    DATA = shipping.dumps(lambda m: m.f(x))
    wire, direct = [], []
    for _ in range(BLOCKS):
        wire.append(per_call(there))
        direct.append(per_call(local))
    overhead = [(one - other) * 1e3 for one, other in zip(wire, direct, strict=True)]
    print(
        f"over the wire {statistics.median(wire) * 1e3:.3f} ms, here {statistics.median(direct) * 1e3:.3f} ms per call"
    )
    print(f"overhead: median {statistics.median(overhead):.3f} ms, {min(overhead):.3f} to {max(overhead):.3f} ms")
    worker.stop()
    lifeline.close()
    sys.stdout.flush()


def per_call(function: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        function()
    return (time.perf_counter() - started) / CALLS


if __name__ == "__main__":
    main()
