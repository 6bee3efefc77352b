"""Which device is chosen, and what is said where there is none."""

import pathlib
import threading
import time

import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.engine.devices import choose
from autograder.errors import UsageError
from autograder.timing import devices
from timing.cuda_standin import Gpu
from timing.smooth import SOLUTION


def machine(monkeypatch: pytest.MonkeyPatch, *, gpu: bool, built: bool = True, visible: str | None = None) -> None:
    found = [pathlib.Path("/dev/nvidia0")] if gpu else []
    monkeypatch.setattr(pathlib.Path, "glob", lambda _self, _pattern: iter(found))
    monkeypatch.setattr(devices, "_built_for_cuda", lambda: built)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)


def test_a_gpu_is_taken_where_there_is_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    Gpu().use(monkeypatch)
    assert [choose(wanted) for wanted in ("auto", "cpu", "cuda")] == [("cuda", ""), ("cpu", ""), ("cuda", "")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"gpu": False}, "no NVIDIA GPU"),
        ({"gpu": True, "built": False}, "was built without CUDA"),
        ({"gpu": True, "visible": ""}, "hides every GPU"),
    ],
)
def test_without_one_auto_is_the_cpu_and_cuda_an_error(monkeypatch, options, says) -> None:  # type: ignore[no-untyped-def]
    machine(monkeypatch, **options)
    device, why = choose("auto")
    assert device == "cpu"
    assert says in why
    with pytest.raises(UsageError, match=says):
        choose("cuda")


def test_the_command_says_so_and_exits_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(devices, "why_no_gpu", lambda: "there is none here")
    (tmp_path / "pooling.py").write_text("")
    result = CliRunner().invoke(main, ["grade", str(tmp_path / "pooling.py"), "--device", "cuda"])
    assert result.exit_code == 2
    assert "--device cuda: there is none here; use --device auto" in result.output


ERROR = "CUDA error: OS call failed or operation not supported on this OS"


def grade(course: pathlib.Path, folder: pathlib.Path, *options: str) -> Result:
    """`autograder` in this process, where the GPU can be one of our making."""
    (folder / "class" / "ada").mkdir(parents=True)
    (folder / "class" / "ada" / "timed.py").write_text(SOLUTION)
    submission = folder / "class" if options[0] == "batch" else folder / "class" / "ada" / "timed.py"
    arguments = [options[0], str(submission), "-a", "timed", "-o", str(folder / "out"), "--course", str(course)]
    return CliRunner().invoke(main, [*arguments, *options[1:]])


@pytest.mark.slow
@pytest.mark.parametrize("command", ["grade", "batch"])
@pytest.mark.parametrize(
    ("gpu", "says"),
    [
        (Gpu(errors={"start": ERROR}), f"the GPU cannot be used: CUDA does not start: {ERROR}"),
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
def test_a_batch_counts_what_a_gpu_did_not_measure_after_it_died(
    monkeypatch: pytest.MonkeyPatch, course: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    Gpu(errors={"start": ERROR}, first_failing=5).use(monkeypatch)
    for name in ("bob", "cleo", "dan", "eve"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "timed.py").write_text(SOLUTION + f"\n\nUNUSED = '{name}'\n")
    done = grade(course, tmp_path, "batch", "--device", "cuda", "--jobs", "1")
    assert done.exit_code == 0, done.output
    assert "3 checks could not be measured and counted as passed; --force measures again." in done.output
    assert ERROR in done.output


def test_two_measurements_never_share_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
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
