"""The process behind every command that grades: imports torch once, forks the zygote, then a judge per job.

Its own memory holds nothing of the course when the zygote is forked: it is started with a clean environment and a
constant command line, and jobs arrive only afterwards.
"""

from __future__ import annotations

import gc
import os
import socket
from typing import NoReturn

# In this order: what the zygote may have, then (see `main`) what only judges need.
import msgspec
import torch

from autograder import probes as probes
from autograder.job import Job
from autograder.sandbox import confinement, zygote
from autograder.sandbox.forkserver import Client, ForkServer, Hooks
from autograder.sandbox.framing import receive_frame, send_frame
from autograder.sandbox.worker import reset_torch


def main(control_fd: int, lifeline_fd: int) -> NoReturn:
    """Serves on two inherited sockets until whoever holds the lifeline is gone."""
    confinement.refuse_debuggers()
    confinement.adopt_orphans()
    reset_torch()
    torch.set_num_interop_threads(1)
    gc.collect()
    gc.freeze()  # what all share is not to be copied because a collector touches it
    control, lifeline = (socket.socket(fileno=fd) for fd in (control_fd, lifeline_fd))
    client, zygote_pid = _start_zygote(control, lifeline)
    from autograder.grading import judge

    bench = os.getpid()

    def run(_: None, channel: socket.socket) -> None:
        confinement.die_with_parent(bench)
        job = msgspec.msgpack.decode(receive_frame(channel)[0], type=Job)
        result = judge.grade(job, client, lambda check: send_frame(channel, b"check", [msgspec.json.encode(check)]))
        send_frame(channel, b"result", [msgspec.json.encode(result)])

    gc.freeze()
    ForkServer(control, lifeline, Hooks(lambda _: None, run, lambda _: None), {zygote_pid}).serve()


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
    lifeline.set_inheritable(False)
    _held.append(lifeline)
    return Client(control), pid


_held: list[socket.socket] = []
