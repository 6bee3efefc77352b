"""What a machine is, and what its timing was found to be worth: a page for whoever has to judge another machine."""

from __future__ import annotations

import contextlib
import datetime
import math
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

import autograder
from autograder.jobs import GpuTried
from autograder.output.inert import one_line
from autograder.timing import devices
from autograder.timing.calibration import Calibration, Decisions

_QUERY_SECONDS = 30.0
_ASKED = (
    "name",
    "driver_version",
    "persistence_mode",
    "compute_mode",
    "pstate",
    "clocks.sm",
    "clocks.max.sm",
    "clocks.mem",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "utilization.gpu",
)


def facts() -> dict[str, str]:
    """This machine and what computes on it."""
    return {
        "autograder": autograder.__version__,
        "Python": platform.python_version(),
        "PyTorch": metadata.version("torch"),
        "system": f"{platform.system()} {platform.release()}",
        "processors": f"{os.cpu_count()} × {_processor()}",
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def gpu_state() -> dict[str, str]:
    """What `nvidia-smi` says about the GPU now: driver, modes, clocks, power; why it says nothing, if so."""
    command = shutil.which("nvidia-smi", path=f"{os.environ.get('PATH', os.defpath)}:{devices.WSL}")
    if command is None:
        return {"nvidia-smi": "is not installed"}
    address = devices.physical_gpu()
    chosen = [] if address == devices.UNKNOWN else ["-i", address]
    command_line = [command, f"--query-gpu={','.join(_ASKED)}", "--format=csv,noheader", *chosen]
    try:
        done = subprocess.run(command_line, capture_output=True, text=True, check=False, timeout=_QUERY_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"nvidia-smi": one_line(f"failed: {error}", 300)}
    values = done.stdout.partition("\n")[0].split(", ")
    if done.returncode or len(values) != len(_ASKED):
        return {"nvidia-smi": one_line(f"failed: {done.stdout} {done.stderr}", 300)}
    return dict(zip(_ASKED, values, strict=True))


def page(
    states: Sequence[dict[str, str]], tried: GpuTried | None, found: Sequence[Calibration], trouble: str = ""
) -> str:
    """The page, in Markdown. `states` are the GPU's before and after; `trouble` is why something was not measured."""
    lines = [
        "# Timing of forward passes",
        "",
        f"Written by `autograder timing --report` at {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC.",
    ]
    lines += _section("Machine", ("what", "is"), [*facts().items(), *(tried.facts.items() if tried else ())])
    if states:
        names = dict.fromkeys(name for state in states for name in state)
        rows = [(name, *(state.get(name, "–") for state in states)) for name in names]
        lines += _section("GPU", ("what", *("before", "after")[: len(states)]), rows)
    if tried:
        rows = [(step, *(f"{second:.3f}" for second in seconds)) for step, seconds in tried.seconds.items()]
        lines += _section("First try, in seconds", ("step", "one worker", "another beside it"), rows)
    if found:
        lines += _section("Solutions against themselves", _HEADS, [_row(item.exercise, item.same) for item in found])
        slowed = [_row(f"{item.exercise}, {item.times} times", item.slow) for item in found if item.slow.count]
        lines += _section("Solutions slowed down", _HEADS, slowed)
        lines += ["", "## All ratios of the solutions to themselves", ""]
        lines += [f"- {item.exercise}: {', '.join(f'{one.ratio:.3f}' for one in item.same.timings)}" for item in found]
    lines += ["", "## What was not measured", "", *_not_measured(found, trouble)]
    if found:
        problems = [f"- {item.exercise}: {one_line(problem, 300)}" for item in found for problem in item.problems]
        lines += ["", "## Is this machine fit for timing?", "", *(problems or ["Yes."])]
    return "\n".join(lines) + "\n"


_HEADS = (
    "exercise",
    "ratio: median (smallest–largest)",
    "all points",
    "points lost",
    "not measured",
    "limits",
    "ms per call of the solution",
    "seconds for a check",
)


def _row(exercise: str, done: Decisions) -> tuple[str, ...]:
    low, middle, high = done.ratios
    last = done.timings[-1] if done.timings else None
    return (
        exercise,
        "–" if math.isnan(middle) else f"{middle:.2f} ({low:.2f}–{high:.2f})",
        f"{done.full}/{done.count}",
        f"{done.deducted}/{done.count}",
        f"{done.unmeasured}/{done.count}",
        f"{last.k_full:g}, {last.k_zero:g}" if last else "–",
        f"{1000 * last.reference_seconds:.3g}" if last else "–",
        f"{sum(done.seconds) / len(done.seconds):.1f}",
    )


def _not_measured(found: Sequence[Calibration], trouble: str) -> list[str]:
    lines = [f"- {trouble}"] if trouble else []
    for item in found:
        reasons = item.same.reasons + item.slow.reasons
        lines += [f"- {item.exercise}, {count} times: {one_line(why, 300)}" for why, count in reasons.most_common()]
    return lines or ["Everything was measured."]


def _section(title: str, heads: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    table = [heads, ["---" for _ in heads], *rows]
    return ["", f"## {title}", "", *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table)]
