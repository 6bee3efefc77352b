"""Threat 6: hanging, wherever code can hang."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack

HANGS = {
    "loop": "while True: pass",
    "sleep": "time.sleep(600)",
    "regular_expression": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "huge_power": "3 ** (3 ** 30)",
    "wait_for_input": "import select; select.select([], [], [])",
    "lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "swallow_everything": "while True:\n        try:\n            time.sleep(1)\n        except BaseException:\n            pass",
    "operators": "while True: torch.ones(300, 300) @ torch.ones(300, 300)",
    "read_the_questions": "os.read(3, 100)",
}
PLACES = {
    "del": "class Thing:\n    def __del__(self):\n        time.sleep(600)\n\n\ndef attacked(x):\n    Thing()\n    return 3 * x\n",
    "str_of_an_exception": """
class Hanging(Exception):
    def __str__(self):
        time.sleep(600)
    __repr__ = __str__


def attacked(x):
    raise Hanging
""",
    "del_of_the_answer": """
class Thing:
    def __del__(self):
        time.sleep(600)


def attacked(x):
    y = 3 * x
    x.thing = y.thing = Thing()
    return y
""",
}


@pytest.mark.parametrize(
    (), [pytest.param(id=n, marks=attack(f"def attacked(x):\n    {code}\n")) for n, code in HANGS.items()]
)
def test_a_call_that_hangs_costs_that_check_alone(result):
    result.failed_alone("did not return within the time for this check")
    assert result.status == "timeout"
    assert result.data["execution_time"] < 5


@pytest.mark.parametrize((), [pytest.param(id=n, marks=attack(code)) for n, code in PLACES.items()])
def test_a_hook_that_hangs_costs_that_check_alone(result):
    assert result.honest_points == {"refusing": 2, "honest": 4}
    assert result.points["attacked"] == 0


@pytest.mark.parametrize(
    (), [pytest.param(id=n, marks=attack(HANGS[n] + "\n")) for n in ("loop", "sleep", "huge_power")]
)
def test_an_import_that_hangs_is_ended_and_said(result):
    assert result.data["score"] == 0
    assert "took longer than 1 s" in result.notice
    assert result.data["execution_time"] < 5


@attack("""
def __getattr__(name):
    time.sleep(600)


def __dir__():
    time.sleep(600)


def attacked(x):
    return 3 * x
""")
def test_module_hooks_are_not_even_called(result):
    assert result.data["score"] == 12


@attack("""
def __getattr__(name):
    return lambda x: 3 * x
""")
def test_a_module_hook_is_no_definition(result):
    result.failed_alone("attacked is not defined")


@attack("""
def attacked(x):
    time.sleep(0.45)
    return 3 * x
""")
def test_examples_share_the_time_of_their_check(result):
    """Sleeping just under the limit in every example does not multiply the time."""
    result.failed_alone("did not return within the time for this check")


@attack("""
time.sleep(0.7)


def attacked(x):
    os._exit(0)


refusing = honest = attacked
""")
def test_imports_repeated_after_every_death_are_bounded_in_total(result):
    assert result.data["score"] == 0
    assert result.data["execution_time"] < 10


@attack("""
def attacked(x):
    import time as t
    for name in ("monotonic", "time", "perf_counter"):
        setattr(t, name, lambda: 0.0)
    while True:
        pass
""")
def test_the_workers_clock_does_not_matter(result):
    result.failed_alone("did not return within the time")
