"""The process behind every command that grades: imports torch once, forks the zygote, then a judge per job.

Its own memory holds nothing of the course when the zygote is forked: it is started with a clean environment and a
constant command line, and jobs arrive only afterwards. For a class it also forks a *stage*: a process that rehearses
one assignment and then forks judges that have the graders imported and the examples made.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Sequence
from typing import Any, NoReturn

# In this order: what the zygote may have, then (see `main`) what only judges need.
import msgspec
import torch
from numpy import random as random  # Hypothesis would import it in each judge

from autograder import probes as probes
from autograder.engine.torch_without_compiler import import_compiler, import_meta_kernels, leave_compiler_alone
from autograder.engine.torchvision_beside_cpu_torch import declare_operators
from autograder.errors import EngineError, UsageError
from autograder.notebooks import cells as cells  # what shows notebooks runs in workers as well
from autograder.sandbox import confinement, zygote
from autograder.sandbox.forkserver import Client, ForkServer, Hooks
from autograder.sandbox.forward_passes import keep_memory
from autograder.sandbox.framing import receive_frame, send_frame
from autograder.sandbox.processors import ProcessorSlots
from autograder.sandbox.torch_state import reset_torch

# What takes long to import, and what some graders need.
WARM_UPS = {"optimizers": import_compiler, "meta device": import_meta_kernels}


def main(control_fd: int, lifeline_fd: int, warm_ups: Sequence[str] = ()) -> NoReturn:
    """Serves on two inherited sockets until whoever holds the lifeline is gone. `warm_ups` are names of `WARM_UPS`."""
    confinement.refuse_debuggers()
    confinement.adopt_orphans()
    keep_memory()
    reset_torch()
    torch.set_num_interop_threads(1)
    # Asks for the processor's features, which PyTorch does once and which a confined worker cannot: it reads /proc.
    torch.nn.functional.embedding_bag(torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1), mode="mean")
    torch.nn.functional.conv2d(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1))  # sets up oneDNN, and the next line MKL
    torch.ones(2, 2) @ torch.ones(2, 2)
    declare_operators()  # a submission may import torchvision
    leave_compiler_alone()
    for name in warm_ups:
        WARM_UPS[name]()
    _freeze()
    control, lifeline = (socket.socket(fileno=fd) for fd in (control_fd, lifeline_fd))
    client, zygote_pid = _start_zygote(control, lifeline)
    from autograder.grading import judge
    from autograder.jobs import CLASS_SERVER, SHOW, Job, WarmUp
    from autograder.notebooks import playback
    from autograder.notebooks.requests import Show

    def serve(control: socket.socket, lifeline: socket.socket, others: set[int], rehearsed: Any = None) -> NoReturn:
        server = os.getpid()
        slots = ProcessorSlots()

        def run(place: tuple[bytes, int], channel: socket.socket) -> None:
            confinement.die_with_parent(server)
            request, slot = place
            if request == CLASS_SERVER:
                open_stage(channel)
            slots.pin(slot)
            if request == SHOW:
                order = msgspec.msgpack.decode(receive_frame(channel)[0], type=Show)
                send_frame(channel, b"shown", [msgspec.msgpack.encode(playback.show(order, client))])
                return
            job = msgspec.msgpack.decode(receive_frame(channel)[0], type=Job)
            tell = lambda check: send_frame(channel, b"check", [msgspec.json.encode(check)])  # noqa: E731
            send_frame(channel, b"result", [msgspec.json.encode(judge.grade(job, client, tell, rehearsed))])

        hooks = Hooks(lambda request: (request, slots.take()), run, lambda place: slots.release(place[1]))
        ForkServer(control, lifeline, hooks, others).serve()

    def open_stage(channel: socket.socket) -> NoReturn:
        confinement.adopt_orphans()
        request, fds, _, _ = socket.recv_fds(channel, 4096, 2)
        stage = msgspec.msgpack.decode(request, type=WarmUp)
        control, lifeline = (socket.socket(fileno=fd) for fd in fds)

        def ready(*rehearsed: Any) -> NoReturn:
            send_frame(channel, b"ready")
            _freeze()
            serve(control, lifeline, set(), rehearsed)

        try:
            judge.rehearse(stage, ready)
        except (EngineError, UsageError) as error:
            send_frame(channel, b"failed", [str(error).encode()])
        os._exit(0)

    _freeze()
    serve(control, lifeline, {zygote_pid})


def _freeze() -> None:
    """What all children share is not to be copied because a garbage collector touches it. Models are no garbage, but
    they are many objects: with the usual 700, it would look for some a hundred times a second."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def _start_zygote(*ours: socket.socket) -> tuple[Client, int]:
    control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    lifeline, lifeline_there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for sock in (*ours, control, lifeline):
            sock.close()
        zygote.serve(control_there, lifeline_there)
    control_there.close()
    lifeline_there.close()
    # Held, never used: the zygote ends when the last process that has a copy of it is gone.
    _held.append(lifeline)
    return Client(control), pid


_held: list[socket.socket] = []
