"""Threat 3: leaving early, at import or in a call."""

from __future__ import annotations

import re

import pytest

attack = pytest.mark.attack

# Each way out, and what the student reads about it.
EXITS = {
    "exit_quietly": ("os._exit(0)", r"exit code 0"),
    "exit_loudly": ("os._exit(13)", r"exit code 13"),
    "segfault": ("ctypes.string_at(0)", r"segmentation fault"),
    "abort": ("os.abort()", r"abort\(\)"),
    "kill_itself": ("os.kill(os.getpid(), 9)", r"a kill signal"),
    "close_the_channel": ("os.close(3)", r"broke down|not valid|exit code|ended"),
}
# These are exceptions in Python, and so the outcome of that call.
RAISED = {
    "sys_exit": ("sys.exit('bye')", r"SystemExit"),
    "keyboard_interrupt": ("raise KeyboardInterrupt", r"KeyboardInterrupt"),
}
AT_IMPORT = {name: (EXITS | RAISED)[name] for name in ("exit_quietly", "segfault", "abort", "sys_exit")}


def cases(ways, place):
    return [pytest.param(text, id=name, marks=attack(place.format(code=code))) for name, (code, text) in ways.items()]


@pytest.mark.parametrize("text", cases(EXITS | RAISED, "def attacked(x):\n    {code}\n    verdict()\n"))
def test_leaving_in_a_call_costs_that_check_alone(result, text):
    result.failed_alone(text)


@pytest.mark.parametrize("text", cases(AT_IMPORT, "def attacked(x):\n    return 3 * x\n\n\n{code}\nos._exit(3)\n"))
def test_leaving_at_import_costs_everything_and_says_why(result, text):
    assert result.data["score"] == 0
    assert "while loading" in result.notice
    assert re.search(text, result.notice)


@attack("""
import threading


def attacked(x):
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    return 3 * x
""")
def test_an_exit_in_a_thread_ends_only_the_thread(result):
    assert result.data["score"] == 12


@attack("""
import threading


def attacked(x):
    threading.Timer(0.3, os._exit, [0]).start()
    return 3 * x
""")
def test_a_delayed_exit_does_not_reach_the_next_check(result):
    assert result.honest_points == {"refusing": 2, "honest": 4}


@attack("""
import _thread


def attacked(x):
    _thread.start_new_thread(lambda: (time.sleep(0.05), os._exit(0)), ())
    return 3 * x
""")
def test_a_delayed_exit_from_a_bare_thread_does_not_reach_the_next_check(result):
    assert result.honest_points == {"refusing": 2, "honest": 4}


@attack("""
def attacked(x):
    os.kill(os.getpid(), 19)  # SIGSTOP
    return 3 * x
""")
def test_a_worker_that_stops_itself_is_ended(result):
    result.failed_alone("did not return")
