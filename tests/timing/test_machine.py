"""What a report says about a machine and its timing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.results.model import CheckResult, Status, Timing
from autograder.timing import machine
from autograder.timing.calibration import Calibration
from timing.cuda_standin import NAME, Gpu

ERROR = "CUDA error: unknown error"


def nvidia_smi(folder: Path, script: str) -> None:
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)


@pytest.mark.parametrize(
    ("script", "name", "value"),
    [
        (f"echo '{', '.join(str(n) for n in range(len(machine._ASKED)))}'; echo another", "clocks.sm", "5"),
        ("echo Driver/library version mismatch; exit 18", "nvidia-smi", "failed: Driver/library version mismatch"),
        ("echo too, few", "nvidia-smi", "failed: too, few"),
        ("", "nvidia-smi", "failed:"),
    ],
)
def test_what_nvidia_smi_says_or_why_it_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, name: str, value: str
) -> None:
    nvidia_smi(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert machine.gpu_state()[name].strip() == value


def test_without_it_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert machine.gpu_state() == {"nvidia-smi": "is not installed"}


def test_the_page_says_what_was_measured_and_what_was_not() -> None:
    item = Calibration("smooth", times=9)
    timing = Timing(1.25, 1.0, 3, 12, NAME, 9, 0.004, 0.003)
    item.same.add(CheckResult("smooth", "speed", "Fast.", Status.PASSED, 1, 1, timing=timing, seconds=2))
    item.same.add(CheckResult("smooth", "speed", "Fast.", Status.EXCUSED, 1, 1, "Not measured."), [ERROR])
    item.slow.add(CheckResult("smooth", "speed", "Fast.", Status.FAILED, 1, 0))
    page = machine.page([{"clocks.sm": "210 MHz"}, {"clocks.sm": "1980 MHz"}], None, [item])
    assert "| clocks.sm | 210 MHz | 1980 MHz |" in page
    assert "| smooth | 1.25 (1.25–1.25) | 1/2 | 0/2 | 1/2 | 3, 12 | 3 | 1.0 |" in page
    assert "| smooth, 9 times | – | 0/1 | 1/1 | 0/1 | – | – | 0.0 |" in page
    assert "- smooth: 1.250\n" in page
    assert f"- smooth, 1 times: {ERROR}" in page
    assert page.endswith(f"- smooth: 1 of 2 decisions were not possible: {ERROR}\n")


def timed(course: Path, report: Path, *options: str) -> Result:
    arguments = ["timing", "timed", "--device", "cuda", "--report", str(report), "--course", str(course), *options]
    return CliRunner().invoke(main, arguments)


@pytest.mark.slow
def test_a_report_of_a_gpu_has_all_that_a_stranger_needs_to_judge_it(
    monkeypatch: pytest.MonkeyPatch, course: Path, tmp_path: Path
) -> None:
    Gpu(delays={"start": 0.5}).use(monkeypatch)
    done = timed(course, tmp_path / "gpu.md", "--decisions", "2", "--slowed", "1")
    assert done.exit_code in (0, 1), done.output  # this machine may be busy
    page = (tmp_path / "gpu.md").read_text()
    for row in ("PyTorch", "compute capability", "first call", "smooth", r"smooth, \d+ times"):
        assert re.search(rf"^\| {row} \| ", page, re.MULTILINE), row
    [starts] = [line for line in page.splitlines() if line.startswith("| CUDA starts |")]
    assert all(float(seconds) >= 0.5 for seconds in starts.split("|")[2:4])
    for title in ("What was not measured", "Is this machine fit for timing?"):
        assert f"## {title}\n\n" in page


@pytest.mark.slow
def test_a_gpu_that_does_not_start_has_a_report_too(
    monkeypatch: pytest.MonkeyPatch, course: Path, tmp_path: Path
) -> None:
    Gpu(errors={"start": ERROR}).use(monkeypatch)
    done = timed(course, tmp_path / "gpu.md")
    assert done.exit_code == 2
    page = (tmp_path / "gpu.md").read_text()
    assert f"- --device cuda: the GPU cannot be used: CUDA does not start: {ERROR}." in page


def test_a_report_that_cannot_be_written_is_refused_at_once(course: Path, tmp_path: Path) -> None:
    done = timed(course, tmp_path / "nowhere" / "gpu.md")
    assert done.exit_code == 2
    assert "create it or name another place" in done.output
