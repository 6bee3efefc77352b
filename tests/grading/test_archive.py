"""What is kept between commands changes how long grading takes, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import CACHE, Job, WarmUp
from autograder.results.model import Result, State, Status
from autograder.submissions.reading import read_submission
from toy_course import toy_course

# Every call to the solution leaves a trace.
SOLUTION = """
import torch

CALLS = {calls!r}


def double(x):
    open(CALLS, "a").write("called\\n")
    return 2 * x


def coin():
    return torch.rand(3)
"""
CHECKS = '''
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import Tolerance, exercise, expect, points

@exercise("double")
@points(1)
@given(st.integers(0, 2**16))
def test_values(same_outcome, seed):
    """Values."""
    x = torch.randn(3, generator=torch.Generator().manual_seed(seed))
    same_outcome(lambda m: {"values": m.double(x), "shape": list(x.shape)}, tolerance=Tolerance(0.1, 0.1))

@exercise("double")
@points(1)
def test_bad_input(same_outcome):
    """Bad input."""
    same_outcome(lambda m: m.double("a", 1), raises=TypeError)

@exercise("coin")
@points(1)
def test_coin(student):
    """A coin."""
    expect(student(lambda m: m.coin()).shape == (3,), "three of them")
'''
RIGHT = """
import torch

def double(x):
    return x + x

def coin():
    return torch.zeros(3)
"""


@pytest.fixture
def archive(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    monkeypatch.setenv(CACHE, str(folder))
    return folder


@pytest.fixture
def course(tmp_path) -> Path:
    solution = SOLUTION.format(calls=str(tmp_path / "calls"))
    exercises = {"double": 2, "coin": 1}
    return toy_course(tmp_path, salt="s", examples=5, exercises=exercises, checks=CHECKS, solution=solution)


@pytest.fixture
def graded(course):
    """Grades as a separate command would; also returns how often the reference was called."""

    def run(source: str = RIGHT, *, warm: bool = False, salt: str = "") -> tuple[Result, int]:
        path, calls = course / "demo.py", course / "calls"
        path.write_text(source)
        calls.write_text("")
        with Engine() as engine:
            if warm:
                engine.warm_up(WarmUp(str(course), "demo", salt))
            result = engine.grade(Job(str(course), "demo", read_submission(path, "demo"), salt))
        return result, len(calls.read_text().splitlines())

    return run


def told(result: Result) -> list[object]:
    return [
        result.state,
        result.log,
        *[(c.name, c.title, c.status, c.points, c.message, c.counterexample) for c in result.checks],
    ]


@pytest.mark.parametrize("warm", [False, True])
def test_what_is_kept_is_asked_again_and_not_computed_again(graded, archive, warm):
    first, calls = graded(warm=warm)
    assert (first.points, calls) == (3, 5)
    second, calls = graded()
    assert (told(second), calls) == (told(first), 0)
    third, calls = graded(warm=True)
    assert (told(third), calls) == (told(first), 0)
    assert [path.stat().st_mode & 0o777 for path in (archive, *archive.iterdir())] == [0o700, 0o600]


@pytest.mark.slow
def test_wrong_submissions_are_told_the_same(graded, archive):
    wrong = RIGHT.replace("x + x", "abs(x + x)")
    unkept, _ = graded(wrong)
    assert [c.status for c in unkept.checks] == [Status.FAILED, Status.PASSED, Status.PASSED]
    graded()  # now the first check is kept, too
    kept, _ = graded(wrong)
    assert told(kept) == told(unkept)
    assert len(list(archive.glob("*.recordings"))) == 1


@pytest.mark.slow
def test_what_was_kept_for_other_examples_or_another_solution_is_not_used(graded, course, archive):
    graded()
    assert graded(salt="other")[1] == 5
    solution = course / "solutions/demo/demo.py"
    solution.write_text(solution.read_text().replace("2 * x", "3 * x"))
    result, _ = graded()
    assert result.points == 2
    data = course / "graders/demo/numbers.csv"  # a grader may read it
    data.write_text("1")
    assert graded(RIGHT.replace("x + x", "3 * x"))[1] == 5
    assert len(list(archive.glob("*.recordings"))) == 4


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
def test_a_damaged_file_is_made_again(graded, archive, damage):
    first, _ = graded()
    (path,) = archive.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-7] if damage is None else damage)
    second, calls = graded()
    assert (told(second), calls) == (told(first), 5)
    assert path.read_bytes() == whole


@pytest.mark.slow
def test_a_folder_that_others_may_write_to_is_left_alone(graded, archive):
    archive.mkdir()
    archive.chmod(0o777)
    result, _ = graded()
    assert result.state is State.GRADED
    assert not list(archive.iterdir())
    archive.chmod(0o700)
    graded()
    archive.chmod(0o770)
    assert graded()[1] == 5


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", os.devnull, "/proc/nowhere"])
def test_without_a_place_nothing_is_kept(graded, monkeypatch, folder):
    monkeypatch.setenv(CACHE, folder)
    assert [graded()[0].points for _ in range(2)] == [3, 3]


@pytest.mark.usefixtures("archive")
def test_the_oldest_files_are_dropped():
    code = """
from autograder.grading import archive
archive.KEPT = 2
for name in "abca":
    kept = archive.Archive(name)
    kept.learn({name: archive.Recording(complete=False)})
    kept._place("recordings").touch()
print(len(list(kept._folder.iterdir())), [archive.Archive(name).get(name) is not None for name in "abc"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 [True, False, True]"


PROFILES = """
import pathlib, sys, time
from autograder.grading import archive
from autograder.grading.hearing import Profile
kept = archive.Archive("a")

def find_out():
    time.sleep(0.5)
    with open(sys.argv[1], "a") as calls:
        calls.write("called\\n")
    return {"halves": {"values": Profile(True, b"\\0\\1", "", {0: b"12345678"})}}

print([kept.profiles("double", find_out)["halves"]["values"] for _ in range(2)])
"""


@pytest.mark.usefixtures("archive")
def test_several_judges_at_once_find_out_once_how_the_misconceptions_do(tmp_path):
    calls = tmp_path / "calls"
    command = [sys.executable, "-c", PROFILES, str(calls)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert calls.read_text() == "called\n"


def test_damaged_profiles_are_found_out_again(tmp_path, archive):
    calls = tmp_path / "calls"
    command = [sys.executable, "-c", PROFILES, str(calls)]
    first = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [kept] = archive.glob("*.profiles")
    assert [path.suffix for path in archive.iterdir()] == [".profiles"]
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_bytes(kept.read_bytes()[:-3])
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == first
    assert calls.read_text() == "called\n" * 2


@pytest.mark.slow
@pytest.mark.parametrize("wrong_call", [0, 4, 9])
@pytest.mark.usefixtures("archive")
def test_who_answers_differently_each_time_fails_with_or_without_what_was_kept(graded, wrong_call):
    source = RIGHT.replace("import torch", "import itertools, torch\ncount = itertools.count()", 1)
    source = source.replace("x + x", f"x + x + (next(count) % 10 == {wrong_call})")
    graded()
    result, _ = graded(source)
    found = next(check for check in result.checks if check.name == "values")
    if wrong_call == 9:  # there are only five examples, so it is not reached
        assert found.status is Status.PASSED
    else:
        assert found.status is Status.FAILED
        assert "When asked again, your code gave a different answer." in found.message
        assert found.counterexample is not None
