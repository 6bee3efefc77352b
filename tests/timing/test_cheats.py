"""Ways to look fast without being it, mounted on the real engine. Honest submissions never lose by chance; what is
slow here is slow beyond any noise (thirty times the reference's work)."""

from __future__ import annotations

import sys

import pytest

from autograder.results.model import Status
from timing.smooth import SOLUTION, Graded

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="shares memory as Linux does")]


SLOW = (
    SOLUTION
    + """

def slowly(x):
    for _ in range(30):
        y = smooth_of(x)
    return y


smooth_of = smooth


def smooth(x):
    return slowly(x)
"""
)

FAST_CLOCKS = """
import time

START = time.time()
for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time"):
    setattr(time, name, lambda: START)
    setattr(time, name + "_ns", lambda: 0)
"""

CACHE = """
known = {{}}


def smooth(x):
    key = {key}
    if key not in known:
        known[key] = slowly(x)
    return known[key]
"""

# Continues the judge's generators from the seed that the worker was given, in calls that do not count.
FORETELLS = """
known = {}


def remember(stream):
    for _ in range(12):
        x = torch.randn((64, 256), generator=stream)
        known[x[0, :4].numpy().tobytes()] = smooth_of(x)


def smooth(x):
    if len(x) != 64 or torch.is_grad_enabled():
        return smooth_of(x)
    if not known:
        seed = torch.initial_seed()
        streams.extend(torch.Generator().manual_seed(8 * seed + stream) for stream in (0, 2))
    if (y := known.get(x[0, :4].numpy().tobytes())) is not None:
        return y
    for stream in streams:
        remember(stream)
    return slowly(x)


streams = []
"""

# Bytes that nobody asked for, which only the judge's time is spent on.
FREIGHT = """
import sys

passes = sys.modules["autograder.sandbox.forward_passes"].ForwardPasses
plain = passes.run


def run(self, header, body):
    answer = plain(self, header, body)
    return {freighted}


passes.run = run
"""

# name → the submission, and what the message of the speed check says
WRONG = "An answer in a timed call is wrong"
ANOTHER_KIND = "is of another kind"
NOT_RIGHT = "the result is wrong"  # found before anything is timed
CHEATS = {
    "slow": (SLOW, "times as long"),
    "clocks": (SLOW + FAST_CLOCKS, "times as long"),
    "by_address": (SLOW + CACHE.format(key="x.data_ptr()"), ""),
    "by_shape": (SLOW + CACHE.format(key="x.shape"), WRONG),
    "by_content": (SLOW + CACHE.format(key="x.numpy().tobytes()"), "times as long"),
    "first_call_only": (
        SLOW
        + """
calls = 0


def smooth(x):
    global calls
    calls += 1
    return smooth_of(x) if calls < 30 else torch.zeros_like(x)
""",
        WRONG,
    ),
    "first_rows_only": (
        SOLUTION
        + """
whole = smooth


def smooth(x):
    y = torch.zeros_like(x)
    y[:32] = whole(x[:32])
    return y if len(x) == 64 else whole(x)
""",
        NOT_RIGHT,
    ),
    "left_in_memory": (
        SLOW + "\n\ndef smooth(x):\n    return torch.empty_like(x) if len(x) == 64 else smooth_of(x)\n",
        NOT_RIGHT,
    ),
    "empties_its_input": (
        SLOW
        + """

def smooth(x):
    if len(x) == 64 and not x.requires_grad:
        x.zero_()
        return torch.zeros_like(x)
    return smooth_of(x)
""",
        NOT_RIGHT,
    ),
    "half_precision": (
        SLOW + "\n\ndef smooth(x):\n    return smooth_of(x.bfloat16()).float() if len(x) == 64 else smooth_of(x)\n",
        NOT_RIGHT,
    ),
    "lazy": (
        SLOW
        + """

class Later(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        args = [slowly(a.x) if type(a) is Later else a for a in args]
        return func(*args, **(kwargs or {}))


def smooth(x):
    if len(x) != 64:
        return smooth_of(x)
    later = torch.zeros_like(x).as_subclass(Later)
    later.x = x
    return later
""",
        NOT_RIGHT,
    ),
    "in_a_thread": (
        SLOW
        + """
import threading


def smooth(x):
    if len(x) != 64:
        return smooth_of(x)
    y = torch.zeros_like(x)
    threading.Thread(target=lambda: y.copy_(slowly(x))).start()
    return y
""",
        "",
    ),
    "hinders_the_reference": (
        SLOW
        + """
import threading


def burn():
    while True:
        sum(range(10000))


def smooth(x):
    if len(x) == 64 and threading.active_count() == 1:
        threading.Thread(target=burn, daemon=True).start()
    return smooth_of(x)
""",
        "",
    ),
    "drowns_the_reference": (
        SLOW
        + """
import threading

numbers = torch.rand(2**18)


def burn():  # not holding the interpreter's lock
    while True:
        torch.tanh(numbers)


def smooth(x):
    if len(x) == 64 and not torch.is_grad_enabled() and threading.active_count() == 1:
        for _ in range(50):
            threading.Thread(target=burn, daemon=True).start()
    return smooth_of(x)
""",
        "",
    ),
    "patched_worker": (
        SLOW
        + """
import sys

passes = sys.modules["autograder.sandbox.forward_passes"].ForwardPasses
passes.run = lambda self, header, body: {"outputs": self._last, "milliseconds": 0.0, "peak_bytes": 0}
""",
        "",
    ),
    "says_nothing": (
        SLOW
        + """
import sys

passes = sys.modules["autograder.sandbox.forward_passes"].ForwardPasses
passes.run = lambda self, header, body: None
""",
        "",
    ),
    "threads_of_torch": (
        SLOW
        + """
import os


def smooth(x):
    try:
        os.sched_setaffinity(0, range(os.cpu_count()))
    except OSError:
        pass
    torch.set_num_threads(8)
    return slowly(x)
""",
        "",
    ),
    "sleeps": (
        SLOW
        + """
import time


def smooth(x):
    time.sleep(1.5 if len(x) == 64 else 0)
    return smooth_of(x)
""",
        "",
    ),
    "sleeps_later": (
        SLOW
        + """
import time

calls = 0


def smooth(x):
    global calls
    calls += 1
    time.sleep(0 if calls < 20 else 60)
    return smooth_of(x)
""",
        "A forward pass takes more than",
    ),
    "foretells": (SLOW + FORETELLS, ""),
    "freight_under_another_key": (
        SLOW + FREIGHT.format(freighted='{**answer, "more": torch.zeros(110 * 2**18)}'),
        ANOTHER_KIND,
    ),
    "freight_instead_of_an_output": (
        SLOW + FREIGHT.format(freighted='{**answer, "outputs": [torch.zeros(110 * 2**18)]}'),
        ANOTHER_KIND,
    ),
    "dies": (SLOW + "\n\ndef smooth(x):\n    return smooth_of(x) if torch.is_grad_enabled() else exit()\n", ""),
}
HONEST = {
    "solution": SOLUTION,
    "as_a_module": SOLUTION
    + """

class Smooth(torch.nn.Module):
    def forward(self, x):
        return plain(x)


plain, smooth = smooth, Smooth()
""",
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_get_no_points_for_speed(graded: Graded, name: str) -> None:
    source, says = CHEATS[name]
    _, speed = graded(source)
    assert speed.points == 0, speed.message
    assert speed.status is not Status.EXCUSED
    assert says in speed.message, speed.message


@pytest.mark.parametrize("name", HONEST)
def test_honest_submissions_keep_their_points(graded: Graded, name: str) -> None:
    _, speed = graded(HONEST[name])
    assert speed.points == speed.max_points, speed.message
    if speed.status is Status.PASSED:  # and not excused, as the machine was too busy
        assert speed.timing is not None
        assert 0 < speed.timing.bound <= speed.timing.ratio
        assert speed.timing.quadruples >= 9
        assert "times as long" in speed.message


def test_a_loop_costs_the_time_as_well(graded: Graded) -> None:
    loop = SOLUTION + "\n\nwhole = smooth\n\n\ndef smooth(x):\n    return torch.stack([whole(row) for row in x])\n"
    vectorised, speed = graded(loop)
    assert vectorised.status is speed.status is Status.FAILED
    assert "torch.stack([whole(row) for row in x])" in vectorised.message
    assert "Not timed" in speed.message


def test_wrong_results_are_not_timed(graded: Graded) -> None:
    vectorised, speed = graded(SOLUTION.replace("20", "19"))
    assert vectorised.status is Status.PASSED
    assert (speed.points, speed.timing) == (0, None)
    assert "Not timed: the result is wrong" in speed.message


def test_without_a_device_nothing_is_timed(graded: Graded) -> None:
    _, speed = graded(SLOW, device="")
    assert speed.status is Status.EXCUSED
    assert speed.points == speed.max_points
    assert "Not timed" in speed.message
