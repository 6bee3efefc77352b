"""Whatever is killed, and wherever the disk ends: no result is lost or wrong, and what happened is said."""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from batch.tiny_course import RIGHT, arguments, batch, family, make_class, start, until, varied
from command_line import ROOT, command_line

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def class_(tmp_path_factory):
    """Two quick submissions, then four that take a second each."""
    sources = {f"a{number}": varied(RIGHT, number) for number in range(2)}
    slow = RIGHT.replace("    return 2 * x", "    import time\n\n    time.sleep(0.4)\n    return 2 * x")
    sources |= {f"b{number}": varied(slow, number) for number in range(4)}
    return make_class(tmp_path_factory.mktemp("killing") / "class", sources)


def scores(out: Path) -> dict[str, float]:
    return {path.stem: json.loads(path.read_text())["score"] for path in out.glob("*.json")}


def complete(out: Path) -> int:
    """How many results there are; each of them must be whole."""
    found = scores(out)
    assert set(found.values()) <= {5.0}
    return len(found)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_command_leaves_whole_results_and_no_process_and_the_next_run_goes_on(
    course, class_, tmp_path, number
):
    out = tmp_path / "out"
    with start(course, class_, out, "--jobs", 1) as process:
        until(lambda: complete(out) >= 2)
        everyone = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        word = "interrupted" if number == signal.SIGINT else "stopped"
        assert process.returncode == 128 + number
        assert errors == f"autograder: {word}; results written so far are complete.\n"
        with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
            totals = {row["Student"]: row["tiny (total)"] for row in csv.DictReader(file)}
        assert totals == dict.fromkeys(("a0", "a1", "b0", "b1", "b2", "b3"), "") | dict.fromkeys(scores(out), "5")
    psutil.wait_procs(everyone, timeout=15)
    assert not [each for each in everyone if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    before = complete(out)
    assert before < 6
    done = batch(course, class_, out)
    reused = int(done.stdout.split("graded, ")[1].split(" unchanged")[0])
    assert before - 1 <= reused <= before
    assert scores(out) == dict.fromkeys(("a0", "a1", "b0", "b1", "b2", "b3"), 5.0)
    assert not list(out.rglob("*.tmp"))


def test_a_killed_judge_is_our_error_for_that_submission_only(course, class_, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out, "--jobs", 1) as process:
        until(lambda: complete(out) >= 2)
        _, _, class_server = family(process.pid)
        until(class_server.children)
        class_server.children()[0].kill()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    killed = [name for name, score in scores(out).items() if score == 0]
    assert len(killed) == 1
    assert f"{killed[0]}: grader failed" in output
    assert "signal 9" in output
    row = next(line for line in (out / "grades.csv").read_text().splitlines() if line.startswith(killed[0]))
    assert row.endswith(",,,")
    assert batch(course, class_, out).returncode == 0
    assert complete(out) == 6


def test_a_killed_worker_costs_nobody_points(course, class_, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out, "--jobs", 1) as process:
        until(lambda: complete(out) >= 2)
        _, zygote, _ = family(process.pid)
        until(zygote.children)
        zygote.children()[0].kill()
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert complete(out) == 6


@pytest.mark.parametrize("who", [0, 1, 2], ids=["grading_server", "zygote", "class_server"])
def test_a_killed_helper_process_costs_time_and_no_result(course, class_, tmp_path, who):
    out = tmp_path / "out"
    with start(course, class_, out, "--jobs", 2) as process:
        until(lambda: complete(out) >= 2)
        family(process.pid)[who].kill()
        output, errors = process.communicate(timeout=90)
    assert process.returncode == 0, output + errors
    assert complete(out) == 6


def test_a_second_command_on_the_same_folder_is_refused(course, class_, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out) as process:
        until((out / ".autograder" / "class.json").exists)
        done = batch(course, class_, out)
        process.kill()
    assert done.returncode == 2
    assert "Another `autograder batch` is writing" in done.stderr


@contextlib.contextmanager
def small_disk(folder: Path, size: str, flags: int = 0):
    """A file system of its own, so that it can be full or read-only."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder.mkdir()
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, f"size={size}".encode()):
        pytest.skip("no file system can be mounted here")
    try:
        yield libc
    finally:
        libc.umount2(os.fsencode(folder), 2)


def test_a_full_disk_is_one_sentence_and_what_was_written_is_whole(course, class_, tmp_path):
    with small_disk(tmp_path / "disk", "28k"):
        out = tmp_path / "disk" / "out"
        done = batch(course, class_, out, "--jobs", 1)
        assert done.returncode == 2
        assert "Cannot write" in done.stderr
        assert "No space left on device" in done.stderr
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stdout + done.stderr
        assert complete(out) < 6
        shutil.copytree(out, tmp_path / "out")
    assert batch(course, class_, tmp_path / "out").returncode == 0
    assert complete(tmp_path / "out") == 6


def test_a_folder_that_cannot_be_written_is_one_sentence_before_anything_is_graded(course, class_, tmp_path):
    read_only = 1
    with small_disk(tmp_path / "disk", "1m") as libc:
        folder = os.fsencode(tmp_path / "disk")
        assert not libc.mount(b"tmpfs", folder, b"tmpfs", 32 | read_only, b"")  # 32: remount
        done = batch(course, class_, tmp_path / "disk" / "out")
    assert done.returncode == 2
    assert "Read-only file system; choose another." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_one_sentence(course, class_, tmp_path):
    tmp_path.chmod(0o555)
    done = batch(course, class_, tmp_path / "out")
    tmp_path.chmod(0o755)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_result_folder_removed_meanwhile_is_one_sentence(course, class_, tmp_path):
    out = tmp_path / "out"
    with start(course, class_, out, "--jobs", 1) as process:
        until(lambda: complete(out) >= 1)
        out.rename(tmp_path / "elsewhere")  # at once, whatever is being written
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Cannot write" in errors


def test_the_terminals_progress_shows_rate_and_time_left(course, class_, tmp_path):
    """Under `script`, which gives the command a terminal."""
    if not shutil.which("script"):
        pytest.skip("there is no program `script` here")
    line = " ".join(command_line(*arguments(course, class_, tmp_path / "out", "--jobs", 1)))
    done = subprocess.run(
        ["script", "-qec", line, "/dev/null"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert "/s" in done.stdout
    assert "6/6" in done.stdout
    assert "6 graded" in done.stdout
    assert sys.executable not in done.stdout
