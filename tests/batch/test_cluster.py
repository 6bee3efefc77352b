"""The same class on a real Dask cluster on this machine: a scheduler and two workers, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import psutil
import pytest

from autograder.batch.bundles import Bundle, pack, unpack
from autograder.course import load_assignment
from autograder.errors import EngineError
from autograder.timing.devices import why_no_gpu
from batch.tiny_course import HANGING, RIGHT, WRONG, batch, make_class, start, until, varied
from command_line import ROOT
from toy_course import write_files

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


class Cluster:
    """`workers` by name; each has one thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return str(json.loads(self.file.read_text())["address"])

    def run(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *map(str, arguments), "--scheduler-file", str(self.file)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False"}
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=environment, start_new_session=True
            )
        self.processes[name] = process
        return process

    def scheduler(self) -> None:
        self.run("scheduler", "scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--no-show")
        until(self.file.exists)

    def worker(self, name: str, *options: object) -> None:
        fixed = ["--nworkers", 1, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--name", name, *options]
        self.run(name, "worker", *fixed, "--local-directory", self.folder / name)
        until(lambda: b"Registered to" in (self.folder / f"{name}.log").read_bytes())

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    with contextlib.closing(cluster):
        cluster.scheduler()
        for name in ("one", "two"):
            cluster.worker(name)
        yield cluster


HELPED = """\
import numpy
from helpers import double


def negate(x):
    return numpy.load("data/minus.npy").item() * x
"""


@pytest.fixture(scope="module")
def class_(tmp_path_factory):
    slow = RIGHT.replace("    return 2 * x", "    import time\n\n    time.sleep(0.2)\n    return 2 * x")
    sources = {f"a{number}": varied(slow, number) for number in range(8)}
    sources |= {"b": WRONG, "c": WRONG, "d": "def double(x:\n", "e": HANGING}
    folder = make_class(tmp_path_factory.mktemp("cluster") / "class", sources | {"f": HELPED})
    write_files(folder / "f", {"helpers.py": RIGHT})
    (folder / "f/data").mkdir()
    numpy.save(folder / "f/data/minus.npy", numpy.array(-1.0))
    return folder


@pytest.fixture(scope="module")
def local(course, class_, tmp_path_factory):
    out = tmp_path_factory.mktemp("local") / "out"
    assert batch(course, class_, out).returncode == 0
    assert json.loads((out / "f.json").read_text())["score"] == 5
    return files(out)


def files(out: Path) -> dict[str, object]:
    """The result files without what differs from one run to the next: the seconds."""
    found: dict[str, object] = {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}
    for result in found.values():
        del result["execution_time"]
        for test in result["tests"]:
            del test["extra_data"]["seconds"]
    return found | {"grades.csv": (out / "grades.csv").read_text()}


def test_result_files_equal_those_of_a_local_run(course, class_, local, cluster, tmp_path):
    done = batch(course, class_, tmp_path / "out", "--scheduler", cluster.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "out") == local
    assert "c: identical to b" in done.stdout
    again = batch(course, class_, tmp_path / "out")
    assert "13 submissions: 13 unchanged since the last run" in again.stdout


def test_a_worker_killed_half_way_loses_nothing_and_nothing_is_graded_twice(course, class_, local, cluster, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out, "--scheduler", cluster.address) as process:
        until(lambda: len(list(out.glob("*.json"))) >= 4)
        first = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json")}
        engine = psutil.Process(cluster.processes["one"].pid).children(recursive=True)
        cluster.processes["one"].kill()
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert files(out) == local
    assert {name: (out / name).stat().st_mtime_ns for name in first} == first
    assert "12 graded" in output
    psutil.wait_procs(engine, timeout=10)
    assert not [each for each in engine if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_a_lost_scheduler_ends_the_run_with_a_sentence_and_whole_results(course, class_, local, cluster, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out, "--scheduler", cluster.address) as process:
        until(lambda: len(list(out.glob("*.json"))) >= 3)
        cluster.processes["scheduler"].send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the cluster no longer answers" in errors
    assert "Traceback" not in errors
    assert batch(course, class_, out).returncode == 0
    assert files(out) == local


def test_where_no_scheduler_answers_one_sentence_says_so(course, class_, tmp_path):
    done = batch(course, class_, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert done.stderr.count("\n") == 1


def test_gpu_work_waits_for_a_worker_with_that_resource(course, class_, cluster, tmp_path):
    out = tmp_path / "out"
    few = ["--scheduler", cluster.address, "--device", "cuda", "--only", "a0", "--only", "a1"]
    with start(course, class_, out, *few) as process:
        time.sleep(8)  # two idle workers without a GPU
        assert not list(out.glob("*.json"))
        cluster.worker("three", "--resources", "GPU=1")
        _, errors = process.communicate(timeout=120)
    if why := why_no_gpu():  # the worker offers one that it does not have: nobody gets full points for that
        assert process.returncode == 1
        assert f"--device cuda: {why}" in errors
        assert not list(out.glob("*.json"))
    else:
        assert (process.returncode, errors) == (0, "")
        assert len(list(out.glob("*.json"))) == 2
    assert not list((tmp_path / "one").rglob("graders"))


def test_slurm_jobs_grade_the_class(course, class_, local, tmp_path, monkeypatch):
    """With stand-ins for SLURM's commands that run a job's script on this machine."""
    pytest.importorskip("dask_jobqueue")
    programs, config = tmp_path / "bin", tmp_path / "config"
    programs.mkdir()
    config.mkdir()
    scripts = {
        "sbatch": 'cp "$1" "$0.job"; setsid bash "$0.job" >"$0.log" 2>&1 & echo "Submitted batch job $!"',
        "scancel": 'for job in "$@"; do kill -- "-$job" 2>/dev/null; done; true',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/bash\n{script}\n")
        (programs / name).chmod(0o755 | stat.S_IXUSR)
    (config / "jobqueue.yaml").write_text(
        textwrap.dedent(f"""\
        jobqueue:
          slurm:
            cores: 1
            processes: 1
            memory: 2GB
            interface: lo
            log-directory: {tmp_path}
            local-directory: {tmp_path}
            python: {sys.executable}
        """)
    )
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DASK_CONFIG", str(config))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = batch(course, class_, tmp_path / "out", "--slurm", "--jobs", 2)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "out") == local


def test_without_slurm_one_sentence_says_so(course, class_, tmp_path):
    if shutil.which("sbatch"):
        pytest.skip("there is a SLURM here")
    done = batch(course, class_, tmp_path / "out", "--slurm")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "sbatch" in done.stderr


def test_a_bundle_is_the_same_for_the_same_files_and_refused_when_damaged(course, tmp_path):
    assignment = load_assignment(course, "tiny")
    bundle = pack(assignment)
    assert pack(assignment) == bundle
    unpack(bundle, tmp_path)
    assert (tmp_path / "solutions/tiny/tiny.py").read_text() == RIGHT
    with pytest.raises(EngineError, match="damaged"):
        unpack(Bundle(bundle.sha256, bundle.data + b"x"), tmp_path)
