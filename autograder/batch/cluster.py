"""Grades on a Dask cluster: an existing one, or SLURM jobs that dask-jobqueue starts.

A task carries the submission and, by its hash, the bundle with graders and solution; Dask moves the bundle once to
each worker, which keeps one engine for it. Workers need this package and nothing of the course. When a worker is lost
Dask gives its tasks to another; results come back here and only this side writes.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import logging
import shutil
import socket
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from autograder import fingerprint
from autograder.batch.grader import CannotGrade
from autograder.batch.local import LocalGrader
from autograder.course import Assignment
from autograder.errors import EngineError, UsageError
from autograder.jobs import WarmUp
from autograder.results import model
from autograder.results.model import Result
from autograder.sandbox.processors import cores
from autograder.submissions.reading import Submission

_CONNECT_SECONDS = 15
_RETRIES = 2  # of a task that failed by itself; losing a worker is not counted here but by Dask's allowed-failures
_AHEAD = 2  # tasks per thread of the cluster that are handed over at a time
_FEW = 4


class Bundle(msgspec.Struct, frozen=True):
    """Graders and solution of one assignment as a zip, and its hash, which names it everywhere."""

    sha256: str
    data: bytes


class Request(msgspec.Struct, frozen=True):
    """What a worker is asked, apart from the bundle. `engine` is the hash of the client's engine."""

    slug: str
    salt: str
    device: str
    engine: str
    submission: Submission


# --- the client's side -----------------------------------------------------------------------------------------------


class ClusterGrader:
    """A context. `submit` hands a submission to the cluster; a lost worker is no failure, a lost scheduler is."""

    def __init__(self, assignment: Assignment, salt: str, device: str, client: Any, close: Callable[[], None]) -> None:
        self._slug = assignment.slug
        self._salt = salt
        self._client = client
        self._close = close
        self._engine = fingerprint.of_engine()
        # Work that needs a GPU goes one at a time to each: workers say `--resources GPU=1`.
        self.device = _chosen(device, client)
        self._resources = {"GPU": 1} if self.device == "cuda" else None
        bundle = pack(assignment)
        # A task and not scattered data: Dask can make it again when the worker that holds it is lost.
        key = f"autograder-bundle-{bundle.sha256}"
        self._bundle = client.submit(Bundle, bundle.sha256, bundle.data, key=key, pure=True)

    def __enter__(self) -> ClusterGrader:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self._close()

    @property
    def capacity(self) -> int:
        """Follows the cluster as it grows and shrinks."""
        with contextlib.suppress(Exception):
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            return max(_FEW, _AHEAD * sum(int(worker["nthreads"]) for worker in workers.values()))
        return _FEW

    def submit(self, submission: Submission) -> Future[Result]:
        request = msgspec.msgpack.encode(Request(self._slug, self._salt, self.device, self._engine, submission))
        task = self._client.submit(
            grade_there, self._bundle, request, pure=False, retries=_RETRIES, resources=self._resources
        )
        future: Future[Result] = Future()
        task.add_done_callback(functools.partial(_pass_on, future))
        return future


def connect(assignment: Assignment, salt: str, device: str, address: str) -> ClusterGrader:
    """Raises UsageError: no scheduler answers there, or the package for clusters is missing."""
    distributed = _imported("distributed")
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"No Dask scheduler answers at {address}; start one with `dask scheduler`.") from error
    return ClusterGrader(assignment, salt, device, client, client.close)


def start_slurm(assignment: Assignment, salt: str, device: str, jobs: int | None) -> ClusterGrader:
    """Starts a scheduler here and `jobs` SLURM jobs with workers, as dask-jobqueue's own configuration says.

    Raises:
        UsageError: SLURM cannot be used as it is configured, or a package is missing.
    """
    distributed, jobqueue = _imported("distributed"), _imported("dask_jobqueue")
    if shutil.which("sbatch") is None:
        raise UsageError("--slurm: there is no program sbatch here; run this where SLURM jobs can be submitted.")
    extra = ["--resources", "GPU=1"] if device == "cuda" else []
    try:
        cluster = jobqueue.SLURMCluster(worker_extra_args=extra)
        cluster.scale(jobs=jobs or 1)
        client = distributed.Client(cluster, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--slurm: {error}; set cores, memory and queue in dask-jobqueue's configuration (~/.config/dask)."
        ) from error

    def close() -> None:
        client.close()
        cluster.close()

    return ClusterGrader(assignment, salt, device, client, close)


def _chosen(device: str, client: Any) -> str:
    """For "auto" the GPUs of the cluster, if any of its workers offers one."""
    if device != "auto":
        return device
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return "cuda" if any(worker["resources"].get("GPU") for worker in workers) else "cpu"


def _imported(name: str) -> Any:
    try:
        module = __import__(name)
    except ImportError as error:
        raise UsageError(f"The package {error.name} is missing; pip install 'torch-autograder[cluster]'.") from error
    # Their log of lost workers and late heartbeats would run through the progress bar: what matters is reported here.
    for logger in list(logging.root.manager.loggerDict):
        if logger.split(".")[0] in ("distributed", "dask_jobqueue", "tornado", "asyncio"):
            logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return module


def _pass_on(future: Future[Result], task: Any) -> None:
    """The end of a Dask task as that of an ordinary future."""
    try:
        future.set_result(model.decode(task.result()))
    except EngineError as error:  # CannotGrade as well: it is our own and travels whole
        future.set_exception(error)
    except BaseException as error:
        kind = type(error).__name__
        if kind == "KilledWorker":
            future.set_exception(EngineError("several workers died while they graded it"))
        else:
            future.set_exception(CannotGrade(f"the cluster does not answer any more ({kind}: {error})"))
    finally:
        task.release()


# --- bundles ---------------------------------------------------------------------------------------------------------


def pack(assignment: Assignment) -> Bundle:
    """The files of the graders and of the solution, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in (assignment.graders, assignment.solution.parent):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    name = path.relative_to(assignment.root).as_posix()
                    archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    data = packed.getvalue()
    return Bundle(hashlib.sha256(data).hexdigest(), data)


def unpack(bundle: Bundle, folder: Path) -> None:
    """Into `folder`, which only this user may read: it holds the solutions.

    Raises:
        EngineError: the bytes are not those of the hash.
    """
    if hashlib.sha256(bundle.data).hexdigest() != bundle.sha256:
        raise EngineError("the bundle of graders was damaged on its way")
    with zipfile.ZipFile(io.BytesIO(bundle.data)) as archive:
        archive.extractall(folder)


# --- the worker's side -----------------------------------------------------------------------------------------------


@dataclass
class _Kept:
    grader: LocalGrader
    folder: Path
    users: int = 0


_lock = threading.Lock()
_kept: dict[tuple[str, str, str], _Kept] = {}
_own_engine = functools.cache(fingerprint.of_engine)  # the code that this process has loaded does not change


def grade_there(bundle: Bundle, encoded: bytes) -> bytes:
    """Runs on a worker. The engine stays for the next submission of the same class.

    Raises:
        EngineError: the judge died.
        CannotGrade: this worker cannot grade as the client would.
    """
    request = msgspec.msgpack.decode(encoded, type=Request)
    if request.engine != _own_engine():
        host = socket.gethostname()
        raise CannotGrade(f"the worker on {host} has another version of autograder, Python or PyTorch than yours")
    with _grader(bundle, request) as grader:
        return model.encode(grader.grade(request.submission))


@contextlib.contextmanager
def _grader(bundle: Bundle, request: Request) -> Iterator[LocalGrader]:
    key = (bundle.sha256, request.salt, request.device)
    with _lock:
        if key not in _kept:
            _forget_idle()  # an engine keeps hundreds of megabytes
            folder = Path(tempfile.mkdtemp(prefix="autograder-course-", dir=_scratch()))
            unpack(bundle, folder)
            stage = WarmUp(str(folder), request.slug, request.salt)
            _kept[key] = _Kept(LocalGrader(stage, cores(), request.device), folder)
        kept = _kept[key]
        kept.users += 1
    try:
        yield kept.grader
    finally:
        with _lock:
            kept.users -= 1


def _scratch() -> str | None:
    """The worker's own folder, which Dask removes even after the worker was killed; None outside of a worker."""
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None


def _forget_idle() -> None:
    for key, kept in list(_kept.items()):
        if not kept.users:
            del _kept[key]
            kept.grader.__exit__()
            shutil.rmtree(kept.folder, ignore_errors=True)


atexit.register(_forget_idle)
