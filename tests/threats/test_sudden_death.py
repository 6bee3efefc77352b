"""Whichever of our processes dies half-way: score 0 with a message, nothing stale, nothing left running."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

SLOW = "import time\ndef refusing(x):\n    raise ValueError('refused')\n\n\ndef attacked(x):\n    time.sleep(0.5)\n    return 3 * x\n\n\nopen('started', 'w').close()\ntime.sleep(0.9)\n"
ROLES = ["judge", "worker", "zygote", "class_server", "grading_server", "command"]


def family():
    """The children of every living process, by parent."""
    children = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    return children


def members(course, command, seconds=60):
    """The processes of a grading command: command → grading server → (zygote → worker, class server → judge)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        children = family()
        servers = children.get(command, [])
        below = sorted(pid for server in servers for pid in children.get(server, []))  # the zygote was there first
        leaves = [children.get(pid, []) for pid in below]
        started = list(course.temporary.glob("*/started"))
        if [len(pids) for pids in leaves] == [1, 1] and started:
            names = ["command", "grading_server", "zygote", "class_server", "worker", "judge"]
            return dict(zip(names, [command, *servers, *below, *leaves[0], *leaves[1]], strict=True))
        time.sleep(0.01)
    raise AssertionError("the command never started grading")


def wait_for_result(path, read_result, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            data = read_result(path)
            if data["score"] != 12:
                return data
        time.sleep(0.01)
    raise AssertionError("no result was written")


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_killed_process_leaves_a_result_of_0_and_nothing_else(own_course, grade, read_result, role):
    # A better result is at the same place beforehand.
    stale = (
        grade(own_course, own_course.submissions / "000_witness.py").results["000_witness.py"].text
        if role == "command"
        else ""
    )
    output = own_course.root / "results/out.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(stale)
    own_course.runner.own(output.parent)
    process = own_course.start(own_course.write("slow", SLOW), output=output)
    if stale:
        assert wait_for_result(output, read_result)["extra_data"]["state"] == "unfinished"
    pids = members(own_course, process.pid)
    os.kill(pids[role], signal.SIGKILL)
    code = process.wait(timeout=60)
    data = read_result(output)
    assert data["score"] < 12
    if role == "worker":
        assert code == 0
        assert data["extra_data"]["state"] == "graded"
    elif role == "command":
        assert code == -signal.SIGKILL
        assert data["extra_data"]["state"] == "unfinished"
    else:
        assert code == 1
        assert data["extra_data"]["state"] == "error"
    if role != "worker":
        assert data["score"] == 0
        assert "not your fault" in data["output"] or "not finished" in data["output"]
    assert not own_course.left_alive()
    if role != "zygote":  # only the zygote knows the scratch folders
        assert not own_course.scratch()
    assert [path.name for path in output.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_there_is_a_valid_result_from_the_first_moment_to_the_last(own_course, read_result):
    output = own_course.root / "results/out.json"
    output.parent.mkdir()
    own_course.runner.own(output.parent)
    process = own_course.start(own_course.submissions / "000_witness.py", output=output)
    scores = []
    while process.poll() is None or not scores:
        with contextlib.suppress(FileNotFoundError):
            scores.append(read_result(output)["score"])
        assert scores or process.poll() is None
        time.sleep(0.002)
    assert scores[0] == 0
    assert read_result(output)["score"] == 12


@pytest.mark.slow
def test_ending_the_command_politely_ends_everything(own_course, read_result):
    output = own_course.root / "results/out.json"
    output.parent.mkdir()
    own_course.runner.own(output.parent)
    process = own_course.start(own_course.write("slow", SLOW), output=output)
    members(own_course, process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert read_result(output)["score"] == 0
    assert not own_course.left_alive()
    assert not own_course.scratch()
