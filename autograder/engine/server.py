"""The grading server, the process behind every command that grades: it imports torch once, forks the zygote, and then
forks a judge for each job.

Its memory contains nothing of the course when the zygote is forked: it is started with a clean environment and a
constant command line, and jobs arrive only later. For a class it also forks a *class server*, which warms up one
assignment (imports the graders, makes the examples and records the reference's answers) and then forks the judges.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

# In this order: first what the zygote may have, then (see `main`) what only judges need.
import msgspec
import torch
from numpy import random as random  # Hypothesis would import it in each judge

from autograder import probes as probes
from autograder.engine.torch_without_compiler import import_compiler, import_meta_kernels, leave_compiler_alone
from autograder.engine.torchvision_beside_cpu_torch import declare_operators
from autograder.errors import EngineError, EngineGone, UsageError
from autograder.notebooks import cells as cells  # workers need it to show notebooks
from autograder.sandbox import confinement, zygote
from autograder.sandbox.forkserver import Client, ForkServer, Hooks
from autograder.sandbox.forward_passes import keep_memory
from autograder.sandbox.framing import receive_frame, send_frame
from autograder.sandbox.processors import ProcessorSlots
from autograder.sandbox.torch_state import reset_torch

# Slow imports: an assignment's assignment.toml says which of them its graders or submissions need.
PRELOADS = {"optimizers": import_compiler, "meta device": import_meta_kernels}


def main(control_fd: int, lifeline_fd: int, preload: Sequence[str] = ()) -> NoReturn:
    """Serves on two inherited sockets until nobody holds the lifeline any more. `preload` are keys of `PRELOADS`."""
    confinement.refuse_debuggers()
    confinement.adopt_orphans()
    keep_memory()
    reset_torch()
    torch.set_num_interop_threads(1)
    # Makes PyTorch look up the processor's features, once: this reads /proc, which a confined worker cannot.
    torch.nn.functional.embedding_bag(torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1), mode="mean")
    torch.nn.functional.conv2d(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1))  # sets up oneDNN, and the next line MKL
    torch.ones(2, 2) @ torch.ones(2, 2)
    declare_operators()  # a submission may import torchvision
    leave_compiler_alone()
    for name in preload:
        PRELOADS[name]()
    _freeze()
    control, lifeline = (socket.socket(fileno=fd) for fd in (control_fd, lifeline_fd))
    # `_held` is never used: the zygote ends when the last process that has a copy of it ends.
    client, zygote_pid, _held = _start_zygote(control, lifeline)
    from autograder.grading import judge, pairs
    from autograder.jobs import CLASS_SERVER, NOTEBOOK, PAIRS, TRIAL, Job, Pairs, WarmUp
    from autograder.notebooks import playback
    from autograder.notebooks.requests import Show
    from autograder.timing.trial import try_gpu

    def serve(control: socket.socket, lifeline: socket.socket, others: set[int], warm: Any = None) -> NoReturn:
        server = os.getpid()
        slots = ProcessorSlots()

        def run(place: tuple[bytes, int], channel: socket.socket) -> None:
            confinement.die_with_parent(server)
            request, slot = place
            if request == CLASS_SERVER:
                become_class_server(channel)
            if request == PAIRS:
                try_pairs(channel, warm)
                return
            if request == TRIAL:
                with _told(channel):
                    send_frame(channel, b"done", [msgspec.msgpack.encode(try_gpu(client))])
                return
            slots.pin(slot)
            if request == NOTEBOOK:
                order = msgspec.msgpack.decode(receive_frame(channel)[1], type=Show)
                send_frame(channel, b"done", [msgspec.msgpack.encode(playback.show(order, client))])
            else:
                judge_submission(channel, warm)

        hooks = Hooks(lambda request: (request, slots.take()), run, lambda place: slots.release(place[1]))
        ForkServer(control, lifeline, hooks, others).serve()

    def judge_submission(channel: socket.socket, warm: Any) -> None:
        job = msgspec.msgpack.decode(receive_frame(channel)[1], type=Job)
        tell = lambda check: send_frame(channel, b"check", [msgspec.json.encode(check)])  # noqa: E731
        with _told(channel):
            send_frame(channel, b"result", [msgspec.json.encode(judge.grade(job, client, tell, warm))])

    def try_pairs(channel: socket.socket, warm: Any) -> None:
        order = msgspec.msgpack.decode(receive_frame(channel)[1], type=Pairs)
        with _told(channel):
            send_frame(channel, b"done", [msgspec.msgpack.encode(pairs.tried(order, *warm))])

    def become_class_server(channel: socket.socket) -> NoReturn:
        confinement.adopt_orphans()
        request, fds, _, _ = socket.recv_fds(channel, 4096, 2)
        order = msgspec.msgpack.decode(request, type=WarmUp)
        control, lifeline = (socket.socket(fileno=fd) for fd in fds)

        def ready(*warm: Any) -> NoReturn:
            send_frame(channel, b"ready", [msgspec.msgpack.encode(judge.declared(warm[1]))])
            _freeze()
            serve(control, lifeline, set(), warm)

        with _told(channel):
            judge.warm_up(order, ready)
        os._exit(0)

    _freeze()
    serve(control, lifeline, {zygote_pid})


@contextlib.contextmanager
def _told(channel: socket.socket) -> Iterator[None]:
    """Tells the client why grading or warming up failed."""
    try:
        yield
    except EngineGone as error:
        send_frame(channel, b"gone", [str(error).encode()])
    except (EngineError, UsageError) as error:
        send_frame(channel, b"failed", [str(error).encode()])


def _freeze() -> None:
    """Keeps the garbage collector from touching, and so copying, the memory that all children share. Models are not
    garbage but consist of many objects: with the usual threshold of 700, it would run a hundred times a second."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def _start_zygote(*ours: socket.socket) -> tuple[Client, int, socket.socket]:
    """Starts the zygote; returns the client that asks it for workers, its pid, and its lifeline."""
    control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    lifeline, lifeline_there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for sock in (*ours, control, lifeline):
            sock.close()
        zygote.serve(control_there, lifeline_there)
    control_there.close()
    lifeline_there.close()
    return Client(control), pid, lifeline
