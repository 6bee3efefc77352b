"""The command's side of grading: starts the grading server, sends it jobs and gets results. Does not import torch."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from autograder.course import Assignment
from autograder.errors import EngineError, EngineGone
from autograder.jobs import (
    CACHE,
    CLASS_SERVER,
    JUDGE,
    NOTEBOOK,
    PAIRS,
    TRIAL,
    Declared,
    GpuTried,
    Job,
    Pairs,
    PairsTried,
    WarmUp,
)
from autograder.notebooks.requests import Show, ShownCell
from autograder.results.model import CheckResult, Result
from autograder.sandbox.confinement import refuse_debuggers
from autograder.sandbox.forkserver import Child, Client
from autograder.sandbox.framing import Closed, frames, send_frame

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "AUTOGRADER_WITHOUT_LAYERS",
    CACHE,
)
# One thread, for the same numbers everywhere, for forking, and because a class is graded in parallel.
_SET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
# GPUs are counted as nvidia-smi counts them, so that each has one lock. What the driver compiles for a new GPU is not
# kept: it would be more than a worker may write.
_SET |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_CACHE_DISABLE": "1"}
# A path that Hypothesis cannot write to: otherwise it would leave a folder in the working directory.
_SET["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(os.devnull, "hypothesis")  # noqa: PTH118
_OWN_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import gc, os, sys; gc.disable(); sys.path[:] = sys.argv[3].split(os.pathsep); "  # nothing imported is garbage
    "from autograder.engine.server import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:])"
)


class Engine:
    """The processes that grade. Used as a context manager, it ends them all on leaving.

    Args:
        assignments: those whose `preload` is imported before anything else. Others can be graded too, but what their
            graders make PyTorch import is then imported by each of their processes.
    """

    def __init__(self, *assignments: Assignment) -> None:
        self._preload = sorted({name for assignment in assignments for name in assignment.preload})
        self._class_servers: dict[WarmUp, tuple[Child, socket.socket, Client]] = {}

    def start(self) -> Engine:
        """Starts the grading server in the background: requests to it wait until it is ready.

        Raises:
            EngineError: a package is missing without which students' notebooks would fail.
        """
        if importlib.util.find_spec("IPython") is None:
            raise EngineError(
                "IPython is not installed here, but notebooks cannot be graded without it; install ipython."
            )
        control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lifeline, lifeline_there = socket.socketpair()
        with control_there, lifeline_there:
            self._process = _start_server(control_there, lifeline_there, self._preload)
        refuse_debuggers()  # nobody may read this process's environment
        self._client = Client(control)
        return self

    def close(self) -> None:
        """Ends all the processes that were started."""
        for process, lifeline, _ in self._class_servers.values():
            lifeline.close()
            with contextlib.suppress(EngineError):  # killed from outside, and its judges with it
                process.stop()
        self._lifeline.close()
        self._process.wait()

    def __enter__(self) -> Engine:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self, order: WarmUp) -> list[Declared]:
        """Prepares for many jobs of one assignment: their examples are made only once. Takes about one grading run.
        Returns what the graders declare about each check.

        Raises:
            EngineError: the graders do not run.
            EngineGone: the process that prepares them ended.
        """
        control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        lifeline, lifeline_there = socket.socketpair()
        process = self._client.start(CLASS_SERVER)
        key = msgspec.structs.replace(order, thorough=False)  # what a job asks for
        self._class_servers[key] = process, lifeline, self._client
        answer = b"gone", b"warming up ended early"
        with contextlib.suppress(Closed, ConnectionError), control_there, lifeline_there:
            fds = [control_there.fileno(), lifeline_there.fileno()]
            socket.send_fds(process.channel, [msgspec.msgpack.encode(order)], fds)
            answer = next(frames(process.channel), answer)
        kind, text = answer
        if kind != b"ready":
            error = EngineGone if kind == b"gone" else EngineError
            raise error(f"{order.slug}: {text.decode()}")
        self._class_servers[key] = process, lifeline, Client(control)
        return msgspec.msgpack.decode(text, type=list[Declared])

    def grade(self, job: Job, on_check: Callable[[CheckResult], None] = lambda _: None) -> Result:
        """Grades one submission in its own process. Can be called from several threads.

        Raises:
            EngineError: the judge cannot grade, or died before it had a result.
            EngineGone: a process that every judge needs has ended.
        """
        _, _, client = self._class_servers.get(job.warm_up, (None, None, self._client))
        judge = client.start(JUDGE)
        try:
            send_frame(judge.channel, b"", [msgspec.msgpack.encode(job)])
            for kind, data in frames(judge.channel):
                if kind == b"result":
                    return msgspec.json.decode(data, type=Result)
                if kind != b"check":
                    raise (EngineGone if kind == b"gone" else EngineError)(data.decode())
                on_check(msgspec.json.decode(data, type=CheckResult))
        except (Closed, ConnectionError):
            pass
        finally:
            exit_ = judge.stop()
        cause = f"signal {exit_.signal}" if exit_.signal else f"exit code {exit_.code}"
        raise EngineError(f"the judge of {job.submission.name} ended early ({cause})")

    def try_gpu(self) -> GpuTried:
        """What the GPU is, if workers can use it.

        Raises:
            EngineError: why they cannot.
        """
        answer = _answer(self._client, TRIAL, None, "the first try of the GPU")
        return msgspec.msgpack.decode(answer, type=GpuTried)

    def show(self, order: Show) -> list[ShownCell]:
        """Runs the cells of a notebook in a worker; returns one answer per cell.

        Raises:
            EngineError: the process in between died.
        """
        what = "the process that shows a notebook's cells"
        return msgspec.msgpack.decode(_answer(self._client, NOTEBOOK, order, what), type=list[ShownCell])

    def try_pairs(self, order: Pairs) -> dict[str, PairsTried]:
        """How submissions with two mistakes fare, by exercise. The assignment must be warmed up.

        Raises:
            EngineError: the process that tries them failed.
        """
        _, _, client = self._class_servers[order.warm_up]
        answer = _answer(client, PAIRS, order, "the process that tries pairs of mistakes")
        return msgspec.msgpack.decode(answer, type=dict[str, PairsTried])


def _answer(client: Client, kind: bytes, order: Show | Pairs | None, what: str) -> bytes:
    """What a process that is started for one request answers."""
    child = client.start(kind)
    try:
        send_frame(child.channel, b"", [msgspec.msgpack.encode(order)])
        for outcome, data in frames(child.channel):
            if outcome == b"done":
                return data
            raise EngineError(data.decode())
    except (Closed, ConnectionError):
        pass
    finally:
        child.stop()
    raise EngineError(f"{what} ended early")


def _users_cache() -> str:
    """The user's cache folder; empty if the user has no home."""
    import platformdirs  # not installed in the platform's container, which sets a folder of its own

    try:
        return str(platformdirs.user_cache_path("autograder"))
    except RuntimeError:
        return ""


def _start_server(control: socket.socket, lifeline: socket.socket, preload: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _SET
    if CACHE not in environment:
        environment[CACHE] = _users_cache()
    fds = (control.fileno(), lifeline.fileno())
    # Isolated, with this process's own search path: the working directory may contain anything.
    search = [path for path in sys.path if path and (path != str(Path.cwd()) or path == _OWN_ROOT)]
    command = [sys.executable, "-I", "-c", _START, *map(str, fds), os.pathsep.join(search), *preload]
    return subprocess.Popen(command, env=environment, pass_fds=fds, stdin=subprocess.DEVNULL, start_new_session=True)
