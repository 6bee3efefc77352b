"""Grades on a Dask cluster: an existing one, or SLURM jobs that dask-jobqueue starts.

A task carries the submission and refers to the bundle with graders and solution by its hash; Dask moves the bundle to
each worker once, and the worker keeps one engine for it. Workers need this package but no files of the course. When a
worker is lost, Dask gives its tasks to another; results come back here and only this side writes.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from autograder import fingerprint
from autograder.batch.bundles import Bundle, Request, pack
from autograder.batch.grader import CannotGrade
from autograder.course import Assignment
from autograder.errors import EngineError, UsageError
from autograder.results import model
from autograder.results.model import Result
from autograder.submissions.reading import Submission

_CONNECT_SECONDS = 15
_RETRIES = 2  # of a task that failed by itself; lost workers count towards Dask's allowed-failures instead
_AHEAD = 2  # tasks that are handed over at a time, per thread of the cluster
_FEW = 4


class ClusterGrader:
    """A context. `submit` gives a submission to the cluster; a lost worker is not a failure, a lost scheduler is."""

    def __init__(self, assignment: Assignment, salt: str, device: str, client: Any, close: Callable[[], None]) -> None:
        self._slug = assignment.slug
        self._salt = salt
        self._client = client
        self._close = close
        self._engine = fingerprint.of_engine()
        # Each GPU gets one task at a time: workers are started with `--resources GPU=1`.
        self.device = _chosen(device, client)
        self._resources = {"GPU": 1} if self.device == "cuda" else None
        from autograder.batch.cluster_worker import KeptGraders, grade_there

        client.register_plugin(KeptGraders())
        self._task = grade_there
        bundle = pack(assignment)
        # A task, not scattered data: Dask can recompute it when the worker that holds it is lost.
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
            self._task, self._bundle, request, pure=False, retries=_RETRIES, resources=self._resources
        )
        future: Future[Result] = Future()
        task.add_done_callback(functools.partial(_pass_on, future))
        return future


def connect(assignment: Assignment, salt: str, device: str, address: str) -> ClusterGrader:
    """Raises UsageError: no scheduler answers at `address`, or the package for clusters is missing."""
    distributed = _imported("distributed")
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"No Dask scheduler answers at {address}; start one with `dask scheduler`.") from error
    return ClusterGrader(assignment, salt, device, client, client.close)


def start_slurm(assignment: Assignment, salt: str, device: str, jobs: int | None) -> ClusterGrader:
    """Starts a scheduler here and `jobs` SLURM jobs with workers, following dask-jobqueue's own configuration.

    Raises:
        UsageError: SLURM cannot be used as it is configured, or a package is missing.
    """
    distributed, jobqueue = _imported("distributed"), _imported("dask_jobqueue")
    if shutil.which("sbatch") is None:
        raise UsageError("--slurm: sbatch is not installed here; run this where SLURM jobs can be submitted.")
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
    """The device; "auto" means the cluster's GPUs if any of its workers offers one."""
    if device != "auto":
        return device
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return "cuda" if any(worker["resources"].get("GPU") for worker in workers) else "cpu"


def _imported(name: str) -> Any:
    try:
        module = __import__(name)
    except ImportError as error:
        raise UsageError(f"The package {error.name} is missing; pip install 'torch-autograder[cluster]'.") from error
    # Their messages about lost workers and late heartbeats would break the progress bar; we report what matters.
    for logger in list(logging.root.manager.loggerDict):
        if logger.split(".")[0] in ("distributed", "dask_jobqueue", "tornado", "asyncio"):
            logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return module


def _pass_on(future: Future[Result], task: Any) -> None:
    """Passes the outcome of a Dask task on to an ordinary future."""
    try:
        future.set_result(model.decode(task.result()))
    except EngineError as error:  # CannotGrade too: it is our own and arrives unchanged
        future.set_exception(error)
    except BaseException as error:
        kind = type(error).__name__
        if kind == "KilledWorker":
            future.set_exception(EngineError("several workers died while grading it"))
        else:
            future.set_exception(CannotGrade(f"the cluster no longer answers ({kind}: {error})"))
    finally:
        task.release()
