"""The process that forks workers: it has imported torch but nothing of the course, and never runs a student's code.

It gives every worker a uid (as root) and a private scratch folder and watches how much the worker writes there; when
the worker has ended, it kills whatever it left behind and wipes the scratch folder.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import mmap
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import torch

from autograder.sandbox import confinement, worker
from autograder.sandbox.forkserver import ForkServer, Hooks
from autograder.submissions.magics import transformer

MAX_SCRATCH_BYTES = 64 * 2**20
MAX_SCRATCH_ENTRIES = 2_000
MAX_SCRATCH_PATH = 1_000
_FIELDS = re.compile(rb"^(Uid|State):\s*([\d\s]+|\w)", re.MULTILINE)  # of /proc/<pid>/status


class WorkerRequest(msgspec.Struct, frozen=True):
    """`processors`: the ones that the worker may run on; none means all. With `gpu` it may use the machine's GPUs; for
    a `notebook` it needs IPython, and with `plots` it will import matplotlib."""

    memory_mb: int
    processors: tuple[int, ...] = ()
    gpu: bool = False
    notebook: bool = False
    plots: bool = False


@dataclass(frozen=True)
class _WorkerPlan:
    scratch: Path
    uid: int | None
    request: WorkerRequest


def serve(control: socket.socket, lifeline: socket.socket) -> NoReturn:
    """Serves until the lifeline breaks."""
    confinement.adopt_orphans()
    _switch_displays_off()
    _switch_compilers_off()
    gc.collect()
    gc.freeze()
    ForkServer(control, lifeline, Hooks(_prepare, _run, _clean_up, _inspect)).serve()


def _switch_displays_off() -> None:
    """Nobody sees a worker's windows and progress bars. tqdm's would leave a thread behind that watches them, and those
    for notebooks need a browser."""
    os.environ["MPLBACKEND"] = "Agg"
    with contextlib.suppress(ImportError):
        std: Any = importlib.import_module("tqdm.std")
        std.tqdm.monitor_interval = 0
        for_notebooks: Any = types.ModuleType("tqdm.notebook")
        for_notebooks.tqdm = for_notebooks.tqdm_notebook = std.tqdm
        for_notebooks.trange = for_notebooks.tnrange = std.trange
        sys.modules["tqdm.notebook"] = for_notebooks


def _switch_compilers_off() -> None:
    """They start processes, which a worker may not, and what they compile has to be right without them."""

    def compiled(model: Any = None, *_: object, **__: object) -> Any:
        return model if model is not None else compiled

    for place, name in ((torch, "compile"), (torch.jit, "script"), (torch.jit, "trace")):
        setattr(place, name, compiled)
    torch.nn.Module.compile = lambda *_, **__: None  # type: ignore[method-assign]


def _prepare(request: bytes) -> _WorkerPlan:
    decoded = msgspec.msgpack.decode(request, type=WorkerRequest)
    if decoded.notebook:
        transformer()  # once, and not in every worker
    if decoded.plots:
        _import_matplotlib()
    scratch, uid = Path(tempfile.mkdtemp(prefix="autograder-")), confinement.choose_uid()
    if uid is not None:
        os.chown(scratch, uid, uid)
    return _WorkerPlan(scratch, uid, decoded)


@functools.cache
def _import_matplotlib() -> None:
    """It takes longer than all else in loading a submission, and looks for fonts in a thread."""
    with contextlib.suppress(Exception), tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        importlib.import_module("matplotlib.pyplot")
    os.environ.pop("MPLCONFIGDIR", None)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    gc.freeze()


def _run(place: _WorkerPlan, channel: socket.socket, shared: int) -> None:
    memory = mmap.mmap(shared, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.dup2(channel.detach(), 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    if place.request.processors:
        os.sched_setaffinity(0, place.request.processors)
    for variable in ("HOME", "TMPDIR"):
        os.environ[variable] = str(place.scratch)
    tempfile.tempdir = None
    request = place.request
    layers = confinement.confine(scratch=place.scratch, uid=place.uid, memory_mb=request.memory_mb, gpu=request.gpu)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))  # what the layers needed (a Landlock ruleset, say)
    worker.work(socket.socket(fileno=3), layers, memory, "cuda" if request.gpu else "cpu", request.memory_mb)


def _inspect(place: _WorkerPlan) -> str:
    """A reason to kill the worker, or "": the kernel limits single files, but not a whole folder."""
    size = entries = 0
    folders = [str(place.scratch)]
    while folders:
        folder = folders.pop()
        if len(folder) > MAX_SCRATCH_PATH:
            return "it nested folders too deeply"
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    entries += 1
                    if entries > MAX_SCRATCH_ENTRIES:
                        return "it wrote too many files"
                    info = entry.stat(follow_symlinks=False)
                    size += info.st_blocks * 512
                    if stat.S_ISDIR(info.st_mode):
                        folders.append(entry.path)
        except FileNotFoundError:  # removed in the meantime
            continue
        except OSError:  # permissions removed: anything could grow in there
            return "it hid what it wrote to disk"
    return "it wrote too much to disk" if size > MAX_SCRATCH_BYTES else ""


def _clean_up(place: _WorkerPlan) -> None:
    if place.uid is not None:
        _end_processes_of(place.uid)
        for folder in ("/tmp", "/var/tmp", "/dev/shm"):  # writable for everyone if Landlock is missing
            _remove_files_of(place.uid, folder)
    _wipe(place.scratch)


def _end_processes_of(uid: int) -> None:
    """Kills every process of `uid` until none is left (for 5 s at most: one left then must be stuck in the kernel)."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        found = [int(name) for name in os.listdir("/proc") if name.isdigit() and _lives_as(uid, name)]  # noqa: PTH208
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        time.sleep(0.002)


def _lives_as(uid: int, pid: str) -> bool:
    """Runs for every process on the machine after each worker, so it must be fast."""
    try:  # the owner of /proc/<pid> would not do: it is root for a process that refuses debuggers
        with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            status = file.read(4096)
    except OSError:
        return False
    fields = dict(_FIELDS.findall(status))
    return str(uid).encode() in fields.get(b"Uid", b"").split() and fields.get(b"State") != b"Z"


def _remove_files_of(uid: int, folder: str) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as listing:
        for entry in listing:
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == uid:
                    if entry.is_dir(follow_symlinks=False):
                        _wipe(Path(entry.path))
                    else:
                        os.unlink(entry.path)  # noqa: PTH108


def _wipe(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        # Permissions removed, or nested deeper than Python recurses: coreutils handle both.
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf", "--one-file-system"]):
            subprocess.run([*command, "--", str(folder)], check=False, stderr=subprocess.DEVNULL)
