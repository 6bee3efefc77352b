"""Which device is chosen, and what is said where there is none."""

import pathlib
import threading
import time

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.errors import UsageError
from autograder.timing import devices


def machine(monkeypatch: pytest.MonkeyPatch, *, gpu: bool, built: bool = True, visible: str | None = None) -> None:
    found = [pathlib.Path("/dev/nvidia0")] if gpu else []
    monkeypatch.setattr(pathlib.Path, "glob", lambda _self, _pattern: iter(found))
    monkeypatch.setattr(devices, "_built_for_cuda", lambda: built)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, gpu=True)
    assert [devices.choose(wanted) for wanted in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]


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
    assert devices.choose("auto") == "cpu"
    with pytest.raises(UsageError, match=says):
        devices.choose("cuda")


def test_the_command_says_so_and_exits_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(devices, "why_no_gpu", lambda: "there is none here")
    (tmp_path / "pooling.py").write_text("")
    result = CliRunner().invoke(main, ["grade", str(tmp_path / "pooling.py"), "--device", "cuda"])
    assert result.exit_code == 2
    assert "--device cuda: there is none here; use --device auto" in result.output


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
