"""Submissions that start threads: what they leave running disturbs no other check, and costs no time but their own."""

from __future__ import annotations

import pytest

from autograder.jobs import Job
from autograder.results.model import Result, Status
from autograder.submissions.reading import read_submission
from toy_course import toy_course

CHECKS = '''
from autograder.grading import exercise, expect, points


@exercise("calls")
@points(1)
def test_one_worker_for_a_check(student):
    """The calls of a check are counted together."""
    for number in range(1, 4):
        expect(student(lambda m: m.calls()) == number, "counted by another worker")


@exercise("calls")
@points(1)
def test_another_worker_for_the_next(student):
    """Each check counts from 1."""
    expect(student(lambda m: m.calls()) == 1, "counted by an earlier worker")


@exercise("calls")
@points(1)
def test_many_calls(student):
    """More calls than a worker may have threads."""
    for _ in range(50):
        student(lambda m: m.calls())


@exercise("calls")
@points(1)
def test_alone(vectorised):
    """All work is done in one thread."""
    vectorised(lambda m, x: m.calls(), 2, 3)
'''
LEAVES_THREADS = """
import threading, time

count = 0


def calls():
    global count
    count += 1
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return count
"""
SHOWS_PROGRESS = """
import threading
from {module} import tqdm

for _ in tqdm(range(2)):
    pass


def calls():
    for _ in tqdm(range(2)):
        pass
    return threading.active_count()
"""


@pytest.fixture(scope="module")
def grade(engine, tmp_path_factory):
    course = toy_course(
        tmp_path_factory.mktemp("course"),
        exercises={"calls": 4},
        solution="def calls():\n    return 1\n",
        checks=CHECKS,
    )

    def run(source: str) -> Result:
        path = tmp_path_factory.mktemp("work") / "demo.py"
        path.write_text(source)
        return engine.grade(Job(str(course), "demo", read_submission(path, "demo")))

    return run


def test_threads_left_behind_end_with_their_check(grade):
    result = grade(LEAVES_THREADS)
    ends = {check.name: check.status for check in result.checks}
    assert ends.pop("alone") is Status.FAILED
    assert set(ends.values()) == {Status.PASSED}, [check.message for check in result.checks]
    assert "has started threads" in result.checks[-1].message


@pytest.mark.parametrize("module", ["tqdm", "tqdm.auto", "tqdm.notebook"])
def test_a_progress_bar_leaves_no_thread(grade, module):
    pytest.importorskip("tqdm")
    passed = {check.name for check in grade(SHOWS_PROGRESS.format(module=module)).checks if check.points}
    assert passed == {"another_worker_for_the_next", "many_calls", "alone"}


def test_matplotlib_is_there_at_once_and_its_search_for_fonts_is_no_thread_of_the_students(grade):
    pytest.importorskip("matplotlib")
    late = "import sys\n\nthere = 'matplotlib.pyplot' in sys.modules\n\n\ndef calls():\n    import matplotlib.pyplot\n"
    result = grade(late + "    return 1 if there else 0\n")
    assert result.checks[-1].status is Status.PASSED, result.checks[-1].message
    assert result.checks[1].status is Status.PASSED
