"""Timing on a GPU, or on a stand-in where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from autograder.engine.client import Engine
from autograder.results.model import Status
from autograder.timing.devices import why_no_gpu
from timing.cuda_standin import Gpu
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
ON_THE_CPU = "\n\nwhole = smooth\n\n\ndef smooth(x):\n    return whole(x.cpu()).to(x.device)\n"
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
    _, speed = graded(SOLUTION + cheat, "cuda")
    assert speed.points == 0, speed.message


def test_work_on_the_cpu_shows(graded: Graded) -> None:
    _, speed = graded(SOLUTION + ON_THE_CPU, "cuda")
    assert speed.timing is None or speed.timing.ratio > 1.1, speed.message
