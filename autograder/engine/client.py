"""The command's side of grading: starts the bench, hands it jobs, and gets results back. Imports no torch."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from autograder.errors import EngineError
from autograder.jobs import ARCHIVE, CLASS_SERVER, JUDGE, SHOW, Job, WarmUp
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
    "CUDA_DEVICE_ORDER",
    "AUTOGRADER_WITHOUT_LAYERS",
    ARCHIVE,
)
# One thread: for the same numbers everywhere, for the fork, and because a class is graded in parallel.
_SET = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
# Where Hypothesis cannot write it does not: it would leave a folder in the working directory.
_SET["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(os.devnull, "hypothesis")  # noqa: PTH118
_SIGNS = {"optimizers": re.compile(rb"\boptim\b"), "meta device": re.compile(rb"\boutline\b|\bmeta\b")}
_OWN_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import gc, os, sys; gc.disable(); sys.path[:] = sys.argv[3].split(os.pathsep); "  # nothing imported is garbage
    "from autograder.engine.server import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:])"
)


class Engine:
    """A context: the bench starts with it (in the background) and ends, with everything below it, after it.

    Args:
        graders: the folders of those that it will run. It grades by others as well, but what they make PyTorch import
            is imported by each of their processes.
    """

    def __init__(self, *graders: Path) -> None:
        self._graders = graders

    def __enter__(self) -> Engine:
        control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lifeline, lifeline_there = socket.socketpair()
        with control_there, lifeline_there:
            self._process = _start_bench(control_there, lifeline_there, _warm_ups(self._graders))
        refuse_debuggers()  # this process' environment is nobody's business
        self._client = Client(control)
        self._clients: dict[WarmUp, Client] = {}
        self._stages: list[tuple[Child, socket.socket]] = []
        return self

    def __exit__(self, *_: object) -> None:
        for process, lifeline in self._stages:
            lifeline.close()
            with contextlib.suppress(EngineError):  # killed from outside: its judges are gone with it
                process.stop()
        self._lifeline.close()
        self._process.wait()

    def warm_up(self, order: WarmUp) -> None:
        """Prepares for many jobs of one assignment: their examples are made once. Costs about one grading run.

        Raises:
            EngineError: the graders do not run.
        """
        control, control_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        lifeline, lifeline_there = socket.socketpair()
        process = self._client.start(CLASS_SERVER)
        self._stages.append((process, lifeline))
        answers = dict[bytes, bytes]()
        with contextlib.suppress(Closed, ConnectionError), control_there, lifeline_there:
            fds = [control_there.fileno(), lifeline_there.fileno()]
            socket.send_fds(process.channel, [msgspec.msgpack.encode(order)], fds)
            answers.update(itertools.islice(frames(process.channel), 1))
        if b"ready" not in answers:
            reason = answers.get(b"failed", b"the rehearsal ended early").decode()
            raise EngineError(f"{order.slug}: {reason}")
        self._clients[order] = Client(control)

    def grade(self, job: Job, on_check: Callable[[CheckResult], None] = lambda _: None) -> Result:
        """Grades one submission in a process of its own. May be called from several threads.

        Raises:
            EngineError: the judge died before it had a result.
        """
        client = self._clients.get(WarmUp(job.course, job.slug, job.salt), self._client)
        judge = client.start(JUDGE)
        try:
            send_frame(judge.channel, msgspec.msgpack.encode(job))
            for kind, data in frames(judge.channel):
                if kind == b"result":
                    return msgspec.json.decode(data, type=Result)
                on_check(msgspec.json.decode(data, type=CheckResult))
        except (Closed, ConnectionError):
            pass
        finally:
            exit_ = judge.stop()
        cause = f"signal {exit_.signal}" if exit_.signal else f"exit code {exit_.code}"
        raise EngineError(f"the judge of {job.submission.name} ended early ({cause})")

    def show(self, order: Show) -> list[ShownCell]:
        """Runs the cells of a notebook in a worker; one answer for each cell.

        Raises:
            EngineError: the process in between died.
        """
        child = self._client.start(SHOW)
        try:
            send_frame(child.channel, msgspec.msgpack.encode(order))
            for _, data in frames(child.channel):
                return msgspec.msgpack.decode(data, type=list[ShownCell])
        except (Closed, ConnectionError):
            pass
        finally:
            child.stop()
        raise EngineError("the process that shows a notebook's cells ended early")


def _warm_ups(graders: tuple[Path, ...]) -> list[str]:
    """What of `bench.WARM_UPS` these graders need: its import is slow, and they speak of it."""
    texts = [path.read_bytes() for folder in graders for path in sorted(folder.glob("*.py"))]
    return [name for name, words in _SIGNS.items() if any(words.search(text) for text in texts)]


def _users_archive() -> str:
    """Empty where the user has no home."""
    import platformdirs  # the platform's container has a folder of its own, and not this package

    try:
        return str(platformdirs.user_cache_path("autograder"))
    except RuntimeError:
        return ""


def _start_bench(control: socket.socket, lifeline: socket.socket, warm_ups: list[str]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _SET
    if ARCHIVE not in environment:
        environment[ARCHIVE] = _users_archive()
    fds = (control.fileno(), lifeline.fileno())
    # Isolated, and with this process' own search path: the working directory may hold anything.
    search = [path for path in sys.path if path and (path != str(Path.cwd()) or path == _OWN_ROOT)]
    command = [sys.executable, "-I", "-c", _START, *map(str, fds), os.pathsep.join(search), *warm_ups]
    return subprocess.Popen(command, env=environment, pass_fds=fds, stdin=subprocess.DEVNULL, start_new_session=True)
