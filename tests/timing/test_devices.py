"""Which device is chosen, and what is said where there is none."""

import os
import pathlib
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autograder.batch.store import Store
from autograder.cli import main
from autograder.engine.devices import choose
from autograder.errors import EngineError, UsageError
from autograder.results.model import Status
from autograder.timing import devices
from timing.cuda_standin import DEAD, NAME, Gpu
from timing.smooth import SOLUTION

INFORMATION = "Model: \t\t A GPU\nGPU UUID: \t {uuid}\nBus Location: \t {address}\nDevice Minor: \t {minor}\n"
UUIDS = ["GPU-aa11", "GPU-bb22", "GPU-cc33"]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Callable[..., None]:
    """Makes this a machine with these files in /dev, so many GPUs of the driver's, and so on."""

    def make(
        *dev: str, gpus: int = 0, built: str = "cuda", visible: str | None = None, mode: int = 0o666, system: str = ""
    ) -> None:
        for number, uuid in enumerate(UUIDS[:gpus]):
            address = f"0000:{number:02x}:00.0"
            (tmp_path / "gpus" / address).mkdir(parents=True)
            text = INFORMATION.format(uuid=uuid, address=address, minor=number)
            (tmp_path / "gpus" / address / "information").write_text(text)
        for name in dev:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            path.chmod(mode)
        monkeypatch.setattr(devices, "_DEV", tmp_path)
        monkeypatch.setattr(devices, "_GPUS", tmp_path / "gpus")
        monkeypatch.setattr(devices, "WSL", tmp_path / "wsl")
        monkeypatch.setattr(devices, "_LOCKS", tmp_path)
        monkeypatch.setattr(devices, "_built_for", lambda: built)
        monkeypatch.setattr(devices.sys, "platform", system or "linux")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return make


def test_a_gpu_is_taken_where_there_is_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    Gpu().use(monkeypatch)
    found = [choose(wanted) for wanted in ("auto", "cpu", "cuda", "")]
    assert [(device.name, device.remark) for device in found] == [("cuda", ""), ("cpu", ""), ("cuda", ""), ("", "")]


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ([], {}, "no NVIDIA GPU"),
        ([], {"gpus": 1}, "start this container with --gpus all"),
        ([], {"system": "darwin"}, "this is a Mac"),
        (["kfd"], {}, "an AMD GPU"),
        (["dxg"], {}, "install NVIDIA's driver in Windows"),
        (["nvidia0"], {"built": ""}, "was built without CUDA; install one with it"),
        (["nvidia0"], {"built": "hip"}, "was built for AMD GPUs; install one"),
        (["dxg", "wsl/libcuda.so.1"], {"built": ""}, "was built without CUDA"),
        (["nvidia0"], {"mode": 0o600 if os.geteuid() == 0 else 0}, "chmod a+rw"),
        *((["nvidia0"], {"visible": hidden}, "hides every GPU") for hidden in ("", "-1", "-1,0", "NoDevFiles", "none")),
    ],
)
def test_without_one_auto_is_the_cpu_and_cuda_an_error(
    machine: Callable[..., None], files: list[str], options: dict[str, Any], says: str
) -> None:
    machine(*files, **options)
    device = choose("auto")
    assert device.name == "cpu"
    assert says in device.remark
    with pytest.raises(UsageError, match=re.escape(says)):
        choose("cuda")


def test_the_command_says_so_and_exits_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(devices, "why_no_gpu", lambda: "there is none here")
    (tmp_path / "pooling.py").write_text("")
    result = CliRunner().invoke(main, ["grade", str(tmp_path / "pooling.py"), "--device", "cuda"])
    assert result.exit_code == 2
    assert "--device cuda: there is none here. Use --device auto" in result.output


def grade(course: pathlib.Path, folder: pathlib.Path, *options: str) -> Result:
    """`autograder` in this process, where the GPU can be one of our making."""
    (folder / "class" / "ada").mkdir(parents=True, exist_ok=True)
    (folder / "class" / "ada" / "timed.py").write_text(SOLUTION)
    submission = folder / "class" if options[0] == "batch" else folder / "class" / "ada" / "timed.py"
    return run(options[0], submission, "-a", "timed", "-o", folder / "out", "--course", course, *options[1:])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.slow
@pytest.mark.parametrize("command", ["grade", "batch"])
@pytest.mark.parametrize(
    ("gpu", "says"),
    [
        (Gpu(errors={"start": DEAD}), f"the GPU cannot be used: CUDA does not start: {DEAD}"),
        (Gpu(exclusive=True), "though a single process can use it"),
    ],
)
def test_a_gpu_that_does_not_work_excuses_nobody_in_silence(
    monkeypatch: pytest.MonkeyPatch, course: pathlib.Path, tmp_path: pathlib.Path, command: str, gpu: Gpu, says: str
) -> None:
    gpu.use(monkeypatch)
    done = grade(course, tmp_path / "auto", command, "--device", "auto")
    assert done.exit_code == 0, done.output
    assert says in " ".join(done.output.split())
    assert "Timed on the CPU" in done.output
    assert "not measured" not in done.output
    done = grade(course, tmp_path / "cuda", command, "--device", "cuda")
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert not (tmp_path / "cuda" / "out").exists() or command == "batch"


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_batch_whose_gpu_dies_goes_on_as_it_was_told(
    monkeypatch: pytest.MonkeyPatch, course: pathlib.Path, tmp_path: pathlib.Path, device: str
) -> None:
    """Cleo's code ends it."""
    Gpu().use(monkeypatch)
    for name in ("bob", "cleo", "dan", "eve"):
        (tmp_path / "class" / name).mkdir(parents=True)
        end = "getattr(torch.cuda, 'die', int)()" if name == "cleo" else ""
        (tmp_path / "class" / name / "timed.py").write_text(SOLUTION + f"\n\nUNUSED = '{name}'\n{end}\n")
    done = grade(course, tmp_path, "batch", "--device", device, "--jobs", "1")
    assert done.exit_code == 0, done.output
    fallen_back = f"The GPU stopped working, so the rest was timed on the CPU: CUDA does not start: {DEAD}."
    counted = "checks could not be measured and counted as passed; --force measures again."
    assert fallen_back in done.output if device == "auto" else counted in done.output
    assert DEAD in done.output
    out = tmp_path / "out"
    results = [Store(out).record(name).whole() for name in ("ada", "bob", "cleo", "dan", "eve")]  # type: ignore[union-attr]
    speeds = [result.checks[-1] for result in results]
    assert {speed.timing.device for speed in speeds[:2] if speed.timing} <= {NAME}
    assert {speed.timing.device for speed in speeds[2:] if speed.timing} <= {"CPU"}
    used = [result.environment["timed on"] for result in results]
    assert used == ["cuda"] * 2 + ["cpu" if device == "auto" else "cuda"] * 3
    if device == "cuda":
        assert all(speed.status is Status.EXCUSED for speed in speeds[2:])
    excused = sum(speed.status is Status.EXCUSED for speed in speeds)  # perhaps also by this machine's noise
    done = run("report", out)
    assert done.exit_code == 0, done.output
    assert f"<td></td><td>{excused or ''}</td><td>" in (out / "report.html").read_text()
    if device == "auto":  # what was timed on the CPU need not be graded again where there is no GPU
        Gpu(errors={"start": DEAD}).use(monkeypatch)
        done = grade(course, tmp_path, "batch", "--device", "auto")
        assert "2 graded, 3 unchanged since the last run" in done.output


@pytest.mark.parametrize("files", [["nvidia0"], ["dxg", "wsl/libcuda.so.1"]])
@pytest.mark.parametrize("visible", [None, "0", "GPU-aa11", "MIG-0000"])
def test_with_a_driver_and_a_build_for_it_nothing_is_missing(
    machine: Callable[..., None], files: list[str], visible: str | None
) -> None:
    machine(*files, visible=visible)
    assert devices.why_no_gpu() == ""


@pytest.mark.parametrize(
    ("visible", "path"),
    [
        *((first, "0000:00:00.0") for first in (None, "0", "0,1", "GPU-aa11", "GPU-aa")),
        *((second, "0000:02:00.0") for second in ("1", "1,0", "GPU-cc33")),
        *((other, "unknown") for other in ("7", "MIG-0000", "GPU-bb22")),
    ],
)
def test_a_gpu_has_one_lock_whatever_it_is_called(
    machine: Callable[..., None], tmp_path: pathlib.Path, visible: str | None, path: str
) -> None:
    """Of three GPUs, this container has got the first and the last."""
    machine("nvidia0", "nvidia2", gpus=3, visible=visible)
    before = os.umask(0o077)
    try:
        with devices.locked("cuda"):
            pass
    finally:
        os.umask(before)
    [lock] = tmp_path.glob("*.lock")
    assert lock.name == f"autograder-gpu-{path}.lock"
    assert lock.stat().st_mode & 0o777 == 0o444  # all users can open it


def test_who_waits_too_long_for_a_gpu_is_told_whom_for(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("nvidia0")
    monkeypatch.setattr(devices, "_WAIT_SECONDS", 0)
    with devices.locked("cuda"), pytest.raises(EngineError, match=r"find it with fuser .*\.lock"):  # noqa: SIM117
        with devices.locked("cuda"):
            pass
    with devices.locked("cuda"):
        pass


def test_a_lock_ends_with_the_process_that_holds_it(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("nvidia0")
    monkeypatch.setattr(devices, "_WAIT_SECONDS", 0)
    ready, holds = os.pipe()
    if (holder := os.fork()) == 0:
        with devices.locked("cuda"):
            os.write(holds, b"!")
            signal.pause()
    os.read(ready, 1)
    with pytest.raises(EngineError, match="another process"), devices.locked("cuda"):
        pass
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    with devices.locked("cuda"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_lock_that_another_user_made_can_be_taken(machine: Callable[..., None], tmp_path: pathlib.Path) -> None:
    machine("nvidia0")
    with devices.locked("cuda"):
        pass
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o711)
    os.seteuid(12345)
    try:
        with devices.locked("cuda"):
            pass
    finally:
        os.seteuid(0)


def test_what_is_no_lock_is_not_followed(machine: Callable[..., None], tmp_path: pathlib.Path) -> None:
    machine("nvidia0")
    (tmp_path / "autograder-gpu-unknown.lock").symlink_to("/etc/passwd")
    with pytest.raises(EngineError, match="cannot be opened"), devices.locked("cuda"):
        pass


def test_two_measurements_never_share_a_gpu(machine: Callable[..., None]) -> None:
    machine("nvidia0")
    inside, most = [0], [0]

    def measure() -> None:
        for _ in range(20):
            with devices.locked("cuda"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                inside[0] -= 1

    threads = [threading.Thread(target=measure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
