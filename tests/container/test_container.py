"""The real image, built from the Dockerfile and run as the platform runs it. `make container-test` runs these tests.

They take minutes, root, and the programs that `engine.NEEDED` names, so the ordinary suite leaves them out. Set
AUTOGRADER_CONTAINERS to a folder to keep base and layers between runs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from container.engine import CPUS, MEMORY_MB, REPO, ContainerEngine, missing_tools

PLATFORM = json.loads((REPO / "tests/platforms/gradescope/platform.schema.json").read_text())
OURS = json.loads((REPO / "tests/results/gradescope.schema.json").read_text())
LAYERS = {"everything on": "", "Landlock off": "landlock", "uid separation alone": "landlock,seccomp"}
SECRET = "zqx-only-the-platform-knows"

METADATA = {
    "id": 123456789,
    "created_at": "2026-11-20T14:22:32.365935-08:00",
    "assignment": {
        "due_date": "2026-11-20T23:59:00.000000-08:00",
        "group_size": 4,
        "group_submission": True,
        "id": 25828,
        "course_id": 1357,
        "late_due_date": None,
        "release_date": "2026-11-02T00:00:00.000000-08:00",
        "title": "Programming Assignment 1: Pooling from scratch",
        "total_points": "100.0",
    },
    "submission_method": "upload",
    "users": [{"email": "ada@example.org", "id": 1234, "name": SECRET}],
    "previous_submissions": [
        {
            "submission_time": "2026-11-19T14:22:32.365935-08:00",
            "score": 40.0,
            "autograder_error": False,
            "results": {"tests": [], "score": 40.0},
        }
    ],
}

# All of the solution but its last class, which tries what a submission may not do and tells what worked.
HOSTILE = """

import ctypes
import os
import signal
import socket
import threading

got = []


def attempt(name, action, *arguments):
    try:
        if action(*arguments):
            got.append(name)
    except (Exception, SystemExit):
        pass


def opens(path, mode):
    with open(path, mode) as file:
        return file.write("x") if mode == "a" else file.read(10) or True


def finds_secret(path):
    with open(path, "rb") as file:
        return b"zqx-only" in file.read(1 << 20)


def connects(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as there:
        there.settimeout(1)
        there.connect(address)
        return True


class StochasticPooling(nn.Module):
    def __init__(self, *arguments, **keywords):
        super().__init__()
        root = "/autograder"
        for name in ("", "source", "source/graders/pooling", "source/solutions/pooling", "results", "submission"):
            attempt(f"list {name}", os.listdir, f"{root}/{name}")
        for name in (
            "submission_metadata.json", "results/results.json", "run_autograder", "submission/pooling.py",
            "source/solutions/pooling/pooling.py", "source/graders/pooling/assignment.toml",
            "source/autograder/platforms/gradescope/supervisor.py", "source/default_assignment",
        ):
            attempt(f"read {name}", opens, f"{root}/{name}", "r")
            attempt(f"append to {name}", opens, f"{root}/{name}", "a")
            attempt(f"link {name}", os.link, f"{root}/{name}", f"/tmp/linked-{name.replace('/', '-')}")
        for name in ("results/other.json", "source/torch.py", "submission/other.py", "new"):
            attempt(f"make {name}", opens, f"{root}/{name}", "a")
        for path in ("/etc/shadow", "/root/.profile", "/proc/1/environ", "/proc/1/mem", "/proc/kcore"):
            attempt(f"read {path}", opens, path, "r")
        attempt("write the packages", opens, torch.__file__, "a")
        attempt("add a package", opens, os.path.dirname(torch.__file__) + "/../zqx.pth", "a")
        for pid in (1, os.getppid()):
            for name in ("environ", "mem", "maps", "cmdline", "fd/0"):
                attempt(f"secret in /proc/{pid}/{name}", finds_secret, f"/proc/{pid}/{name}")
        attempt("secret in its environment", lambda: any("zqx" in value for value in os.environ.values()))
        for pid in (1, os.getppid(), -1):
            attempt(f"kill {pid}", lambda pid=pid: os.kill(pid, signal.SIGKILL) is None if pid != -1 else False)
        libc = ctypes.CDLL(None, use_errno=True)
        for name, *values in (("setuid", 0), ("unshare", 0x10000000), ("chroot", b"/tmp"), ("ptrace", 16, 1, 0, 0)):
            attempt(name, lambda name=name, values=values: getattr(libc, name)(*values) == 0)
        attempt("TCP", connects, socket.AF_INET, ("127.0.0.1", 1))
        attempt("out", connects, socket.AF_INET, ("192.0.2.1", 80))
        if "fork" in MAY:
            try:
                child = os.fork()
            except BlockingIOError:  # it has as many as it may have
                child = -1
            if child == 0:  # stays, and would write later what it finds
                os.setsid()
                if os.fork() == 0:
                    import time
                    while True:
                        time.sleep(0.1)
                        attempt("later", opens, "/autograder/results/results.json", "a")
                os._exit(0)
        open(os.environ.get("HOME", "/tmp") + "/zqx-scratch", "w").write("x")
        if "tmp" in MAY:
            open("/tmp/zqx-left", "w").write("x")
        raise RuntimeError(f"got {got}.")
"""


@dataclass
class Run:
    """What came of one submission in a container."""

    code: int
    printed: str
    result: dict[str, Any]
    seconds: float

    @property
    def layers(self) -> str:
        return next((line.rpartition(": ")[2] for line in self.printed.splitlines() if "layers around" in line), "?")


@pytest.fixture(scope="module")
def engine() -> Iterator[ContainerEngine]:
    if os.environ.get("AUTOGRADER_CONTAINER_TEST") != "1":
        pytest.skip("takes minutes: run `make container-test`")
    if os.geteuid() != 0 or missing_tools():
        pytest.fail(f"needs root and {', '.join(missing_tools())}")
    kept = os.environ.get("AUTOGRADER_CONTAINERS")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="containers-", dir="/var/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    made = ContainerEngine(folder.resolve())
    try:
        started = time.monotonic()
        made.make_base()
        say(f"stand-in for the base after {time.monotonic() - started:.0f} s")
        made.build()
        say(f"image after {time.monotonic() - started:.0f} s; runs with {MEMORY_MB} MB and {CPUS} CPU, no network")
        yield made
    finally:
        if not kept:
            made.call("podman", "system", "reset", "--force", check=False)
            shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    print(f"container: {text}", flush=True)


def grade(engine: ContainerEngine, source: str, folder: Path, *, without: str = "", command: str = "") -> Run:
    """One submission, mounted as the platform lays it out."""
    for name in ("submission", "results"):
        (folder / name).mkdir(parents=True)
    (folder / "submission/pooling.py").write_text(source)
    (folder / "submission_metadata.json").write_text(json.dumps(METADATA))
    mounts = {folder / name: f"/autograder/{name}" for name in ("submission", "results", "submission_metadata.json")}
    environment = {"AUTOGRADER_WITHOUT_LAYERS": without} if without else {}
    environment["PLATFORM_SECRET"] = SECRET
    started = time.monotonic()
    arguments = ["sh", "-c", command] if command else ["/autograder/run_autograder"]
    done = engine.run(*arguments, volumes=mounts, environment=environment)
    seconds = time.monotonic() - started
    text = (folder / "results/results.json").read_text()
    result = json.loads(text)
    jsonschema.validate(result, PLATFORM)
    jsonschema.validate(result, OURS)
    assert SECRET not in text
    return Run(done.returncode, done.stdout + done.stderr, result, seconds)


def test_the_size_of_the_image_and_what_takes_it(engine: ContainerEngine) -> None:
    total, layers = engine.sizes()
    say(f"the image has {total / 1e6:.0f} MB:")
    for size, instruction in layers:
        if size > 1e5:
            say(f"  {size / 1e6:6.1f} MB  {instruction.split('-c ', 1)[-1][:90]}")
    what = "du -sm /opt/autograder/lib/python3*/site-packages/*/ | sort -rn | head -8"
    say(f"of which in the environment:\n{engine.run('sh', '-c', what, volumes={}).stdout}")
    assert total < 1.3e9


def test_a_change_of_graders_builds_no_large_layer_again(engine: ContainerEngine, tmp_path: Path) -> None:
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(REPO / name, tmp_path)
    for name in ("autograder", "graders", "solutions"):
        shutil.copytree(REPO / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    changed = tmp_path / "graders/pooling/assignment.toml"
    changed.write_text(changed.read_text().replace("autumn-2026", "spring-2027"))
    started = time.monotonic()
    engine.build(tmp_path)
    seconds = time.monotonic() - started
    say(f"built again after a change of graders in {seconds:.0f} s")
    assert seconds < 60
    engine.build()


def test_a_perfect_submission(engine: ContainerEngine, tmp_path: Path) -> None:
    run = grade(engine, (REPO / "solutions/pooling/pooling.py").read_text(), tmp_path)
    say(f"perfect: {run.result['score']} points in {run.seconds:.1f} s; layers: {run.layers}\n{run.printed}")
    assert (run.code, run.result["score"]) == (0, 100)
    for layer in ("rlimits", "uid", "no_new_privs", "seccomp"):
        assert layer in run.layers


def test_a_half_right_submission(engine: ContainerEngine, tmp_path: Path) -> None:
    run = grade(engine, (REPO / "examples/pooling/dana/pooling.py").read_text(), tmp_path)
    say(f"half right: {run.result['score']} points in {run.seconds:.1f} s")
    assert run.code == 0
    assert 45 <= run.result["score"] <= 50  # timed checks may be excused on a busy machine
    points = [exercise["score"] for exercise in run.result["extra_data"]["exercises"].values()]
    assert sum(points) == pytest.approx(run.result["score"])


@pytest.mark.parametrize("without", LAYERS.values(), ids=LAYERS)
def test_a_hostile_submission_gets_what_its_honest_functions_earn(
    engine: ContainerEngine, tmp_path: Path, without: str
) -> None:
    may = [] if "seccomp" not in without else ["fork"]
    may += ["tmp"] if "landlock" in without else []
    source = (REPO / "solutions/pooling/pooling.py").read_text() + HOSTILE.replace("MAY", repr(may))
    look = "/autograder/run_autograder; code=$?; echo left: $(ls /tmp | grep zqx) $(ps_uids); exit $code"
    uids = "$(cat /proc/[0-9]*/status | awk '/^Uid:/ && $2 != 0 {print $2}')"
    run = grade(engine, source, tmp_path, without=without, command=look.replace("$(ps_uids)", uids))
    say(f"hostile: {run.result['score']} points in {run.seconds:.1f} s; layers: {run.layers}")
    attacked = [test for test in run.result["tests"] if test["tags"] == ["StochasticPooling"]]
    assert {test["status"] for test in attacked} == {"failed"}
    tried = {verdict for test in attacked for verdict in re.findall(r"RuntimeError: got (.*)", test["output"])}
    assert tried == {"[]"}, tried
    assert (run.code, run.result["score"]) == (0, 90), run.printed
    assert "left:\n" in run.printed.replace("left: \n", "left:\n"), run.printed
    assert json.loads((tmp_path / "submission_metadata.json").read_text()) == METADATA
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["results.json"]


def test_memory_that_the_tier_does_not_have_costs_the_check_and_not_the_grade(
    engine: ContainerEngine, tmp_path: Path
) -> None:
    greedy = """

class StochasticPooling(nn.Module):
    def __init__(self, *arguments, **keywords):
        super().__init__()
        self.hoard = [torch.ones(1 << 22) for _ in range(1000)]
"""
    run = grade(engine, (REPO / "solutions/pooling/pooling.py").read_text() + greedy, tmp_path)
    say(f"greedy: {run.result['score']} points in {run.seconds:.1f} s")
    assert (run.code, run.result["score"]) == (0, 90), run.printed


@pytest.mark.parametrize("without", ["", "landlock"], ids=["everything on", "Landlock off"])
def test_the_red_team_in_the_container(engine: ContainerEngine, tmp_path: Path, without: str) -> None:
    """As root only, which is who grades in there: without Landlock nothing keeps an ordinary user's worker, which has
    the user's own uid, from the user's own files."""
    repo = tmp_path / "repo"
    for name in ("autograder", "tests/threats", "tests/results"):
        shutil.copytree(REPO / name, repo / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "tests/toy_course.py", repo / "tests")
    shutil.copy(REPO / "pyproject.toml", repo)
    for name in ("click", "rich", "markdown_it", "mdurl"):  # for the command; the image needs only the supervisor
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        shutil.copytree(spec.submodule_search_locations[0], repo / name)
    pytest_ = ["/opt/autograder/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/threats"]
    pytest_ += ["-k", "not ordinary"]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/repo"}
    environment |= {"AUTOGRADER_WITHOUT_LAYERS": without} if without else {}
    command = f"cd /repo && exec {subprocess.list2cmdline(pytest_)}"
    started = time.monotonic()
    done = engine.run("sh", "-c", command, volumes={repo: "/repo"}, environment=environment, seconds=1500)
    run = grade(engine, (REPO / "solutions/pooling/pooling.py").read_text(), tmp_path / "plain", without=without)
    say(f"red team, active layers: {run.layers}: {time.monotonic() - started:.0f} s\n{done.stdout[-4000:]}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
