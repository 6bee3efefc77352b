"""Timing on a GPU, or on a stand-in where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import CheckResult, Result, State, Status
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from autograder.timing.devices import why_no_gpu
from timing.cuda_standin import BUSY, Gpu
from timing.smooth import SOLUTION, Graded

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="shares memory as Linux does")]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        if why_no_gpu():
            Gpu().use(patch)
        with Engine() as engine:
            yield engine


SIDE_STREAM = """

whole = smooth


def smooth(x):
    if not x.is_cuda:
        return whole(x)
    with torch.cuda.stream(torch.cuda.Stream()):
        for _ in range(200):
            y = whole(x)
    return y
"""
FALSE_EVENTS = (
    SIDE_STREAM.replace("with torch.cuda.stream(torch.cuda.Stream()):", "if True:")
    + """

torch.cuda.Event.elapsed_time = lambda self, end: 0.001
"""
)
ON_THE_CPU = """

whole = smooth


def smooth(x):
    return whole(x.to("cpu")).to("cuda") if x.is_cuda else whole(x)
"""
NO_SYNCHRONISING = SIDE_STREAM + "\n\ntorch.cuda.synchronize = lambda *args: None\n"
# Only on a GPU: on the CPU the results must be right, or nothing is timed.
HALF = "\n\nwhole = smooth\n\n\ndef smooth(x):\n    return whole(x.half()).float() if x.is_cuda else whole(x)\n"


def test_the_solution_is_as_fast_as_itself(graded: Graded) -> None:
    _, speed = graded(SOLUTION, "cuda")
    assert speed.points == speed.max_points, speed.message
    if speed.status is Status.PASSED:
        assert speed.timing is not None
        assert speed.timing.device not in ("", "CPU")
        assert speed.timing.peak_bytes > 0


@pytest.mark.parametrize("cheat", [SIDE_STREAM, FALSE_EVENTS, NO_SYNCHRONISING, HALF])
def test_cheats_get_no_points_for_speed(graded: Graded, cheat: str) -> None:
    for _ in range(3):  # other tests use the stand-in's processor: a cheat would be excused every time
        _, speed = graded(SOLUTION + cheat, "cuda")
        if speed.status is not Status.EXCUSED:
            break
    assert speed.points == 0, speed.message


ERROR = "CUDA error: unknown error"


def timed(gpu: Gpu, course: Path, source: str) -> tuple[CheckResult, Result]:
    """The speed check, graded on a GPU of our making."""
    with pytest.MonkeyPatch.context() as patch:
        gpu.use(patch)
        with Engine() as engine:
            submission = Submission("timed", "timed.py", (Cell("timed.py", source),), False)
            result = engine.grade(Job(str(course), "timed", submission, device="cuda", only_timed=True))
    assert result.state is State.GRADED, result.log
    return result.checks[-1], result


def measured(gpu: Gpu, course: Path, source: str) -> CheckResult:
    """The same, where it is to be measured: the stand-in's time is that of the processor, which others may use."""
    speed, _ = timed(gpu, course, source)
    if speed.status is Status.EXCUSED and os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip(f"other processes keep this machine busy: {speed.message}")
    return speed


@pytest.mark.parametrize(
    ("gpu", "says"),
    [
        (Gpu(errors={"start": ERROR}), ERROR),
        (Gpu(errors={"allocate": ERROR}), ERROR),
        (Gpu(errors={"synchronize": ERROR}), ERROR),
        (Gpu(errors={"copy": ERROR}), ERROR),
        (Gpu(errors={"record": ERROR}), ERROR),
        (Gpu(exclusive=True), BUSY),
        (Gpu(errors={"copy": ERROR}, failing=(2, 3, 4)), ERROR),
        (Gpu(errors={"record": ERROR}, failing=(1, 3)), ERROR),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_error_of_the_machine_costs_no_points_and_the_instructor_reads_it(course: Path, gpu: Gpu, says: str) -> None:
    speed, result = timed(gpu, course, SOLUTION)
    assert (speed.status, speed.points) == (Status.EXCUSED, speed.max_points), speed.message
    assert says not in speed.message
    assert any(says in line for line in result.log), result.log


def test_a_gpu_whose_cache_pytorch_does_not_know_is_measured_and_all_outputs_count_as_memory(course: Path) -> None:
    speed = measured(Gpu(l2_bytes=0), course, SOLUTION)
    assert speed.timing is not None, speed.message
    output = 64 * 256 * 4
    assert speed.timing.peak_bytes >= output
    assert speed.timing.peak_bytes % output == 0


def test_work_on_the_cpu_shows(course: Path) -> None:
    """Copies that a submission makes are part of its time, and those of its inputs are not."""
    gpu = Gpu(delays={"copy": 0.003}) if why_no_gpu() else Gpu()
    speed, _ = timed(gpu, course, SOLUTION + ON_THE_CPU)
    assert speed.timing is None or speed.timing.ratio > 1.1, speed.message


SLOW_AT_FIRST = """

whole, calls = smooth, []


def smooth(x):
    if x.is_cuda and not calls:
        calls.append(torch.cuda.synchronize())
        __import__("time").sleep(4)
    return whole(x)
"""


def test_starting_cuda_and_a_cold_first_call_are_not_timed(course: Path) -> None:
    speed = measured(Gpu(delays={"start": 4.0}), course, SOLUTION + SLOW_AT_FIRST)
    assert (speed.status, speed.points) == (Status.PASSED, speed.max_points), speed.message


def test_an_error_that_does_not_come_again_is_nobody_s(course: Path) -> None:
    speed = measured(Gpu(errors={"copy": ERROR}, failing=(2,)), course, SOLUTION)
    assert (speed.status, speed.points) == (Status.PASSED, speed.max_points), speed.message


BLAMES_THE_MACHINE = f"""

whole = smooth


def smooth(x):
    if x.is_cuda:
        raise RuntimeError("{BUSY}")
    return whole(x)
"""
TAKES_ALL_MEMORY = """

whole = smooth


def smooth(x):
    if x.is_cuda:
        torch.cuda.take_all_memory()
    return whole(x)
"""


FLOAT64 = "\n\nwhole = smooth\n\n\ndef smooth(x):\n    return whole(x.double()).float()\n"


def test_float64_inside_costs_nothing_on_a_gpu_that_is_slow_at_it(course: Path) -> None:
    speed = measured(Gpu(delays={"float64": 0.02}), course, SOLUTION + FLOAT64)
    assert (speed.status, speed.points) == (Status.PASSED, speed.max_points), speed.message
    assert speed.timing is not None
    assert speed.timing.ratio > 3
    assert speed.timing.k_full > speed.timing.ratio
    assert speed.timing.k_zero == pytest.approx(8 / 3 * speed.timing.k_full, rel=0.1)
    assert "float64" not in speed.message


HOARDS = """

whole, hoard = smooth, []


def smooth(x):
    if x.is_cuda:
        hoard[:] = [bytearray(9 * 2**30)]  # on the host
    return whole(x)
"""


@pytest.mark.parametrize(
    ("cheat", "says"),
    [(BLAMES_THE_MACHINE, BUSY), (TAKES_ALL_MEMORY, "beside your code"), (HOARDS, "raised MemoryError")],
)
def test_who_makes_an_error_gets_no_points(course: Path, cheat: str, says: str) -> None:
    speed, _ = timed(Gpu(), course, SOLUTION + cheat)
    assert (speed.status, speed.points) == (Status.FAILED, 0), speed.message
    assert says in speed.message


KEEPS_IT_BUSY = """

whole = smooth


def smooth(x):
    for _ in range(30):
        y = whole(x)
    if x.is_cuda:
        torch.cuda.leave_running(30)
    return y
"""


def test_who_keeps_the_gpu_busy_beside_the_reference_is_not_excused(course: Path) -> None:
    speed = measured(Gpu(), course, SOLUTION + KEEPS_IT_BUSY)
    assert (speed.status, speed.points) == (Status.FAILED, 0), speed.message
    assert "eside your code, the reference" in speed.message  # it took longer, or could not go on at all
