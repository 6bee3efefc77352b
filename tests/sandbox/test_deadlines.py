"""A busy machine gives a process more time, and a process that sleeps none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.sandbox.deadlines import MOST_TIMES, Deadline
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from toy_course import check, grader, toy_course

WORKS = """
import time

def work():
    begun = time.process_time()
    while time.process_time() < begun + {}:
        pass
    return "done"
"""
SECONDS = {"in time": 0.3, "too long": 100}  # of the processor, of which each of five others takes as much


def job(course: Path, source: str) -> Job:
    return Job(str(course), "demo", Submission("demo", "demo.py", (Cell("demo.py", source),), False))


def test_a_deadline_passes() -> None:
    deadline = Deadline(0.01)
    assert 0 < deadline.left() <= 0.01
    time.sleep(0.02)
    assert deadline.left() <= 0
    assert deadline.spent() >= 0.02
    assert deadline.longest == 0.01


def test_it_passes_for_a_process_that_sleeps_of_its_own_will() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"], stdout=-1)
    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()
        deadline = Deadline(0.1, sleeper.pid)
        time.sleep(0.3)
        assert deadline.left() <= 0
    finally:
        sleeper.kill()
        sleeper.communicate()


def test_it_stands_still_while_others_have_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waited = [100.0], [7.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Deadline, "_read", lambda _: waited[0])
    deadline = Deadline(10, pid=1)
    now[0], waited[0] = 112, 12  # five of the twelve seconds were others'
    assert deadline.spent() == 7
    assert deadline.left() == 3
    now[0], waited[0] = 139, 46  # 39 of 39, but not for ever
    assert deadline.spent() == 39 / MOST_TIMES
    now[0] = 140
    assert deadline.left() == 0
    assert deadline.longest == 40


@pytest.mark.parametrize("text", ["", "1", "1 x 3", None])
def test_a_kernel_that_does_not_report_waiting_gives_no_more_time(text: str | None, tmp_path: Path) -> None:
    deadline = Deadline(0.01, 1)
    report = tmp_path / "schedstat"
    if text is not None:
        report.write_text(text)
    deadline._delays = str(report)
    time.sleep(0.02)
    assert deadline.left() <= 0


@pytest.fixture
def busy_processor() -> Iterator[None]:
    """A processor that five other processes want, too."""
    processor = min(os.sched_getaffinity(0))
    burn = f"import os\nos.sched_setaffinity(0, {{{processor}}})\nprint(flush=True)\nwhile True: pass"
    burners = [subprocess.Popen([sys.executable, "-c", burn], stdout=subprocess.PIPE) for _ in range(5)]
    for burner in burners:
        assert burner.stdout is not None
        burner.stdout.readline()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    yield
    os.sched_setaffinity(0, before)
    for burner in burners:
        burner.kill()
        burner.communicate()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not report who waits")
@pytest.mark.usefixtures("busy_processor")
def test_the_same_code_is_in_time_on_a_busy_processor(tmp_path: Path) -> None:
    checks, solution = grader(check("work", 1, "m.work()", seconds=1.2)), "def work():\n    return 'done'\n"
    course = toy_course(tmp_path, exercises={"work": 1}, solution=solution, checks=checks)
    with Engine() as engine:
        points = {name: engine.grade(job(course, WORKS.format(seconds))).points for name, seconds in SECONDS.items()}
    assert points == {"in time": 1, "too long": 0}
