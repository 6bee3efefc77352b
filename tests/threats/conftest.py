"""Mounts attacks on the real command: a tiny course, hostile student files, and what became of them.

A test declares its attack with a mark: `@attack(SOURCE)`, a piece of a student's file. All attacks of the selected
tests are graded by one command per kind of user, with honest submissions (witnesses) between them; then each test looks
at its own `result`. Every attack file starts with `PRELUDE`, which does two exercises honestly and not the third.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from toy_course import toy_course, write_files

REPO = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPO / "tests/results/gradescope.schema.json").read_text())
HONEST = {"refusing": 2.0, "honest": 4.0}
WITNESS_AFTER = 6  # attacks between two honest submissions
KINDS = ["root", "ordinary"]
OURS = "root" if os.geteuid() == 0 else "ordinary"  # what the tests run as
NAME = pytest.StashKey[str]()
MARKER = "zqx"  # every planted secret starts with it

LIMITS = {"check_seconds": 0.6, "import_seconds": 1, "total_seconds": 5, "memory_mb": 512}

CHECKS = """\
import torch
from hypothesis import given

from autograder.grading import exercise, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import gradients

SECRET = "{secret}"
maps = tensors(shapes((1, 3), (1, 3)))


@exercise("attacked")
@points(6)
def test_hidden_grader_of_attacked(same_outcome):
    '''Three times the input.'''
    same_outcome(lambda m: m.attacked(torch.tensor([1.0, 2.0, 4.0])), exact="dtype shape")
    same_outcome(lambda m: m.attacked(torch.tensor([8.0, 3.0])), exact="dtype shape")


@exercise("refusing")
@points(2)
def test_refusing(same_outcome):
    '''A ValueError.'''
    same_outcome(lambda m: m.refusing(torch.zeros(2)), raises=ValueError)


@exercise("honest")
@points(2)
@given(x=maps)
def test_honest(same_outcome, x):
    '''Twice the input plus one.'''
    same_outcome(lambda m: (m.honest(x), x))


@exercise("honest")
@points(1)
@given(x=maps)
def test_gradient(same_outcome, x):
    '''With a gradient.'''
    same_outcome(lambda m: gradients(m.honest, x))


@exercise("honest")
@points(1)
@given(x=maps)
def test_noise(same_outcome, x):
    '''With random numbers.'''
    same_outcome(lambda m: m.honest(x, noise=True))
"""

HONEST_CODE = """\
import torch


def refusing(x):
    raise ValueError("this is refused")


def honest(x, noise=False):
    return 2 * x + torch.ones(x.shape) + (torch.rand(x.shape) if noise else 0)


"""

SOLUTION = HONEST_CODE + "SECRET = '{secret}'\n\n\ndef attacked(x):\n    return 3 * x\n"
WITNESS = HONEST_CODE + "def attacked(x):\n    return x + x + x\n"

# What an attack file can use. `attempt` runs one try; `verdict` raises what became of them, and the feedback shows it.
PRELUDE = (
    "import ctypes, errno, os, sys, time\n"
    + HONEST_CODE
    + """\
libc = ctypes.CDLL(None, use_errno=True)
got, broken, tried = [], [], []


def attempt(name, action, *arguments):
    tried.append(name)
    try:
        if action(*arguments):
            got.append(name)
    except OSError:
        pass
    except BaseException as error:
        broken.append(f"{name}: {type(error).__name__}: {str(error)[:40]}")


def system(result):
    number = ctypes.get_errno()
    if result != -1:
        return True
    if number in (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EXDEV):
        raise PermissionError(number, "refused")
    raise RuntimeError(f"errno {number}")  # it got past the defences and failed for another reason


def verdict():
    raise RuntimeError(f"got {got} broken {broken} of {len(tried)}.")


"""
)


@dataclass(frozen=True)
class Runner:
    """A kind of user. `uid` None means whoever runs the tests; `reads_all` lets another uid ignore file modes."""

    kind: str
    uid: int | None = None
    reads_all: bool = False

    def start(self, arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
        become = None if self.uid is None else self._become
        return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, preexec_fn=become, **options)

    def own(self, folder: Path) -> None:
        if self.uid is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def _become(self) -> None:
        assert self.uid is not None
        os.setgroups([])
        os.setresgid(self.uid, self.uid, self.uid)
        libc = ctypes.CDLL(None, use_errno=True)
        if self.reads_all:
            libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        os.setresuid(self.uid, self.uid, self.uid)
        if self.reads_all:
            header, mask = (ctypes.c_uint32 * 2)(0x20080522, 0), 1 << 2  # CAP_DAC_READ_SEARCH
            if libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, mask)) or libc.prctl(47, 2, 2, 0, 0):
                raise OSError(ctypes.get_errno(), "no ambient capability")


@dataclass(frozen=True)
class Graded:
    """The result of one submission."""

    data: dict[str, Any]
    text: str
    log: str

    @property
    def points(self) -> dict[str, float]:
        return {name: exercise["score"] for name, exercise in self.data["extra_data"]["exercises"].items()}

    @property
    def honest_points(self) -> dict[str, float]:
        return {name: self.points[name] for name in HONEST}

    @property
    def notice(self) -> str:
        output: str = self.data["output"]
        return output

    @property
    def verdict(self) -> str:
        """What the student reads about the attacked exercise."""
        (output,) = [test["output"] for test in self.data["tests"] if test["tags"] == ["attacked"]]
        assert isinstance(output, str)
        return output

    @property
    def status(self) -> str:
        (status,) = [test["extra_data"]["status"] for test in self.data["tests"] if test["tags"] == ["attacked"]]
        assert isinstance(status, str)
        return status

    def missing_layers(self) -> dict[str, str]:
        lines = [
            line.split("confinement without ", 1)[1] for line in self.log.splitlines() if "confinement without " in line
        ]
        return dict(line.split(": ", 1) for line in lines)

    def was_refused(self, *layers: str) -> None:
        """All attempts failed as they should, and nothing else was affected. Skips if one of `layers` is missing."""
        for layer in layers:
            if layer in self.missing_layers():
                pytest.skip(f"no {layer} here: {self.missing_layers()[layer]}")
        assert "got [] broken []" in self.verdict
        assert self.points == {"attacked": 0.0, **HONEST}

    def failed_alone(self, pattern: str = "") -> None:
        """Only the attacked exercise lost its points, for a reason that matches `pattern`."""
        assert self.points == {"attacked": 0.0, **HONEST}
        assert re.search(pattern, self.verdict), self.verdict


@dataclass
class Course:
    """A tiny course in its own folder, and the command that grades it."""

    root: Path
    runner: Runner
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        return self.root / "temporary"

    @property
    def submissions(self) -> Path:
        return self.root / "submissions"

    def places(self) -> str:
        """Where everything is, which an attacker knows."""
        places = {
            "COURSE": self.root / "course",
            "GRADER": self.root / "course/graders/attack/test_attack.py",
            "SOLUTION": self.root / "course/solutions/attack/attack.py",
            "METADATA": self.root / "course/submission_metadata.json",
            "SUBMISSIONS": self.submissions,
            "NEIGHBOUR": self.submissions / "000_witness.py",
            "RESULTS": self.root / "results",
            "TEMPORARY": self.temporary,
            "OTHERS_FILE": self.root / "course/not_yours.txt",
            "ENGINE": REPO / "autograder",
            "PACKAGES": sysconfig.get_path("purelib"),
            "HOME": self.root / "home",
            "ARCHIVE": self.root / "archive",
        }
        return "".join(f"{name} = {str(path)!r}\n" for name, path in places.items()) + "\n\n"

    def environment(self) -> dict[str, str]:
        """A mark in PYTHONPATH identifies all our processes by their command lines."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join([str(REPO), str(self.root / "mark")]),
            "TMPDIR": str(self.temporary),
            "HOME": str(self.root / "home"),
            "AUTOGRADER_CACHE": str(self.root / "archive"),
            "LANG": "C.UTF-8",
            "AUTOGRADER_TEST_SECRET": self.secrets["environment"],
            **{name: os.environ[name] for name in ("AUTOGRADER_WITHOUT_LAYERS",) if name in os.environ},
        }

    def processes(self) -> dict[int, str]:
        """Living processes that belong to commands on this course, by pid."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if str(self.root) in command and state != "Z":
                    found[int(folder.name)] = command
        return found

    def left_alive(self, seconds: float = 10) -> dict[int, str]:
        """Our processes that are still alive after a while."""
        deadline = time.monotonic() + seconds
        while (alive := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive

    def scratch(self, seconds: float = 10) -> list[str]:
        """What is still in the temporary folder after a while."""
        deadline = time.monotonic() + seconds
        while (left := [path.name for path in self.temporary.iterdir()]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def state(self) -> dict[str, tuple[object, ...]]:
        """Everything in the course and among the submissions that must not change."""
        found = {}
        for folder in (self.root / "course", self.submissions, self.root / "home"):
            for path in (folder, *folder.rglob("*")):
                if ".hypothesis" in path.parts:  # see test_the_working_directory_stays_clean
                    continue
                info = path.lstat()
                is_file = stat.S_ISREG(info.st_mode)
                content = hashlib.sha256(path.read_bytes()).hexdigest() if is_file and info.st_size < 2**20 else ""
                times = info.st_mtime_ns if is_file else 0
                found[str(path)] = (info.st_mode, info.st_uid, info.st_size if is_file else 0, times, content)
        return found

    def start(
        self,
        *submissions: Path,
        output: Path,
        cwd: Path | None = None,
        python: tuple[str, ...] = ("-m", "autograder"),
        extra: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts the command; what it prints goes to files."""
        arguments = [sys.executable, *python, "grade", *map(str, submissions), "-a", "attack", "-o", str(output)]
        arguments += ["--course", str(self.root / "course")]
        with (self.root / "stdout").open("wb") as stdout, (self.root / "stderr").open("wb") as stderr:
            return self.runner.start(
                arguments,
                cwd=cwd or self.root / "course",
                env={**self.environment(), **(extra or {})},
                stdout=stdout,
                stderr=stderr,
            )

    def attack(self, name: str, source: str, files: dict[str, str | bytes] | None = None) -> Path:
        """A submission that starts with the prelude."""
        return self.write(name, self.places() + PRELUDE + source, files)

    def write(self, name: str, source: str | bytes, files: dict[str, str | bytes] | None = None) -> Path:
        """A submission: a file, or a folder with `files` beside it."""
        suffix = "" if files is not None else ".ipynb" if name.endswith("notebook") else ".py"
        path = self.submissions / f"{name}{suffix}"
        contents = {path: source} if files is None else {path / name: text for name, text in files.items()}
        if files is not None:
            contents[path / "attack.py"] = source
        for file, text in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        self.runner.own(path)
        return path


@dataclass(frozen=True)
class ClassResult:
    """The results of one command."""

    course: Course
    code: int
    stdout: str
    stderr: str
    results: dict[str, Graded]
    before: dict[str, tuple[object, ...]]
    after: dict[str, tuple[object, ...]]


def read_result(path: Path) -> dict[str, Any]:
    """A result file, which must be valid and complete at any time."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{path} holds {constant}")

    data = json.loads(path.read_text(), parse_constant=refuse)
    with contextlib.suppress(ImportError):
        import jsonschema

        jsonschema.validate(data, SCHEMA)
    exercises = data["extra_data"]["exercises"]
    assert set(exercises) == {"attacked", *HONEST}
    assert data["score"] == pytest.approx(sum(exercise["score"] for exercise in exercises.values()))
    assert all(0 <= exercise["score"] <= exercise["max_score"] for exercise in exercises.values())
    assert isinstance(data, dict)
    return data


@dataclass(frozen=True)
class Running:
    """A command that grades."""

    course: Course
    process: subprocess.Popen[bytes]
    results: dict[str, Path]
    before: dict[str, tuple[object, ...]]

    def finish(self) -> ClassResult:
        """Waits for the command and reads its results."""
        try:
            code = self.process.wait(timeout=600)
        finally:
            self.process.kill()
        stdout, stderr = ((self.course.root / name).read_text(errors="replace") for name in ("stdout", "stderr"))
        after = self.course.state()
        results = {}
        for name, path in self.results.items():
            log = "\n".join(line for line in stderr.splitlines() if line.startswith(f"autograder: {name}: "))
            assert path.exists(), f"exit code {code}: {stderr[-3000:]}"
            results[name] = Graded(read_result(path), path.read_text(), log)
        return ClassResult(self.course, code, stdout, stderr, results, self.before, after)


def start(course: Course, *submissions: Path, **options: Any) -> Running:
    """Runs the command on submissions, with one result file for each in `results`."""
    output = course.root / "results"
    paths = {path.name: output / f"{path.name}.json" for path in submissions}
    if len(submissions) == 1:
        output /= f"{submissions[0].name}.json"
        output.parent.mkdir(exist_ok=True)
        course.runner.own(output.parent)
    before = course.state()
    return Running(course, course.start(*submissions, output=output, **options), paths, before)


def grade(course: Course, *submissions: Path, **options: Any) -> ClassResult:
    return start(course, *submissions, **options).finish()


@contextlib.contextmanager
def make_course(runner: Runner) -> Iterator[Course]:
    root = Path(tempfile.mkdtemp(prefix="threats-", dir="/tmp"))  # pytest's own folder is closed to other users
    root.chmod(0o755)
    planted = {
        place: MARKER + secrets.token_hex(12) for place in ("salt", "grader", "solution", "metadata", "environment")
    }
    course = Course(root, runner, planted)
    metadata = json.dumps({"student": planted["metadata"]})
    toy_course(
        root / "course",
        "attack",
        salt=planted["salt"],
        examples=5,
        exercises={"attacked": 6} | HONEST,
        limits=LIMITS,
        checks=CHECKS.replace("{secret}", planted["grader"]),
        solution=SOLUTION.replace("{secret}", planted["solution"]),
        files={"submission_metadata.json": metadata, "not_yours.txt": planted["metadata"]},
    )
    write_files(root, {"submissions/000_witness.py": WITNESS})
    for name in ("temporary", "home", "archive"):
        (root / name).mkdir()
    runner.own(root)
    if runner.uid is not None:
        os.chown(root / "course/not_yours.txt", 0, 0)
    (root / "course/not_yours.txt").chmod(0o600 if runner.uid is not None else 0o644)
    try:
        yield course
    finally:
        for pid in course.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        shutil.rmtree(root, ignore_errors=True)


def _is_open_to_all(path: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path.resolve(), *path.resolve().parents))


@functools.cache
def make_runner(kind: str) -> Runner | str:
    """A kind of user, or why this machine cannot run as one."""
    if sys.platform != "linux":
        return "confinement is for Linux"
    is_root = os.geteuid() == 0
    if kind == "root":
        return Runner("root") if is_root else "the tests do not run as root"
    if not is_root:
        return Runner("ordinary")
    uid = 3_000_000 + secrets.randbelow(1_000_000)
    needed = [
        Path(sys.executable),
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
        REPO / "autograder",
    ]
    runner = Runner("ordinary", uid, reads_all=not all(map(_is_open_to_all, needed)))
    try:
        runner.start([sys.executable, "-c", ""], cwd=Path("/"), env={}).communicate()
    except (OSError, subprocess.SubprocessError) as error:
        return f"no other user can run {sys.executable}: {error}"
    return runner


@pytest.fixture(
    scope="session", params=[kind if kind == OURS else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def runner(request: pytest.FixtureRequest) -> Runner:
    """Both kinds of user, if this machine can run as them."""
    runner = make_runner(request.param)
    if isinstance(runner, str):
        pytest.skip(runner)
    return runner


@pytest.fixture
def course(runner: Runner) -> Iterator[Course]:
    """A course for this test alone."""
    with make_course(runner) as course:
        yield course


@pytest.fixture
def own_course() -> Iterator[Course]:
    """A course for this test alone, graded as whoever runs the tests: the kind of user makes no difference."""
    runner = make_runner(OURS)
    if isinstance(runner, str):
        pytest.skip(runner)
    with make_course(runner) as course:
        yield course


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Running]]:
    """One command per kind of user on the attacks of all selected tests: all at once, but where several processes run
    the tests (`-n`), each kind only where it is asked for."""
    with contextlib.ExitStack() as stack:
        commands: dict[str, Running] = {}

        def command(kind: str) -> Running:
            for one in [kind] if hasattr(request.config, "workerinput") else KINDS:
                runner = make_runner(one)
                items = [item for item in request.session.items if _kind(item) == one]
                if one not in commands and isinstance(runner, Runner) and items:
                    course = stack.enter_context(make_course(runner))
                    commands[one] = start(course, *_mount_all(course, items))
            return commands[kind]

        yield command


@pytest.fixture(scope="session")
def graded(running: Callable[[str], Running], runner: Runner) -> ClassResult:
    """The results of the attacks of all selected tests and of the honest submissions between them."""
    return running(runner.kind).finish()


def _kind(item: pytest.Item) -> str:
    parameters = getattr(item, "callspec", None)
    return parameters.params.get("runner", "") if parameters else ""


def _mount_all(course: Course, items: list[pytest.Item]) -> Iterator[Path]:
    yield course.submissions / "000_witness.py"
    marked = [(item, mark) for item in items if (mark := item.get_closest_marker("attack"))]
    for count, (item, mark) in enumerate(marked, 1):
        name = f"{count:03d}_{item.originalname.removeprefix('test_')[:60]}"  # type: ignore[attr-defined]
        raw = mark.kwargs.get("raw", False)
        name += "_notebook" * mark.kwargs.get("notebook", False)
        path = (course.write if raw else course.attack)(name, mark.args[0], mark.kwargs.get("files"))
        item.stash[NAME] = path.name
        yield path
        if count % WITNESS_AFTER == 0:
            yield course.write(f"{count:03d}_witness", WITNESS)
    yield course.write("999_witness", WITNESS)


@pytest.fixture
def result(request: pytest.FixtureRequest, graded: ClassResult) -> Graded:
    """The result of the test's own attack."""
    return graded.results[request.node.stash[NAME]]


@pytest.fixture(name="grade")
def _grade() -> Callable[..., ClassResult]:
    return grade


@pytest.fixture(name="start")
def _start() -> Callable[..., Running]:
    return start


@pytest.fixture(name="read_result")
def _read_result() -> Callable[[Path], dict[str, Any]]:
    return read_result


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "attack(source, files=None): the student's file that this test grades")
