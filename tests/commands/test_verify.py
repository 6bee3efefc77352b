"""`autograder verify` on a small course: what holds is confirmed, and every way of not holding is named."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.quality.verification import Verification
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status

ROOT = Path(__file__).parents[2]

TOML = 'title = "Twice as much"\nexamples = 10\n[exercises]\ndouble = 2\nquadruple = 1\n'
SOLUTION = '''\
def double(x):
    """Doubles a tensor."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


def quadruple(x):
    ### BEGIN SOLUTION
    return double(double(x))
    ### END SOLUTION
'''
GRADER = '''\
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import exercise, points

numbers = st.integers(1, 9).map(lambda n: torch.full((2,), float(n)))


@exercise("double")
@points(1)
@given(x=numbers)
def test_values(same_outcome, x):
    """The result is twice the input."""
    same_outcome(lambda m: m.double(x))


@exercise("double")
@points(1)
@given(x=numbers)
def test_shape(same_outcome, x):
    """The result has the shape of the input."""
    same_outcome(lambda m: m.double(x).shape)


@exercise("quadruple")
@points(1)
@given(x=numbers)
def test_four_times(same_outcome, x):
    """The result is four times the input."""
    same_outcome(lambda m: m.quadruple(x) + m.double(x))
'''
MISCONCEPTIONS = """\
import torch

from autograder.grading import misconception


@misconception("double", hint="Squares are something else.", also={"quadruple": "its checks use double"})
def squares(x):
    return x * x


@misconception("double", hint="And negative numbers?")
def only_positive(x):
    return 2 * x.abs()
"""


EXCUSED = MISCONCEPTIONS.replace('numbers?")', 'numbers?", also={"quadruple": "its checks use double"})')
# What each assignment replaces in the files above: nothing is wrong with `sound`.
ASSIGNMENTS = {
    "sound": ((GRADER, "integers(1, 9)", "integers(-9, 9)"), (MISCONCEPTIONS, MISCONCEPTIONS, EXCUSED)),
    "blind": (),
    "generous": (
        (GRADER, "same_outcome(lambda m: m.double(x).shape)", "assert True"),
        (MISCONCEPTIONS, 'also={"quadruple": "its checks use double"}', "also={}"),
        (
            MISCONCEPTIONS,
            "@misconception",
            '@misconception("treble", hint="")\ndef thrice(x):\n    return 3 * x\n\n\n'
            '@misconception("quadruple", hint="", also={"double": "no"})\ndef adds(x):\n    return x + 4\n\n\n'
            "@misconception",
        ),
    ),
    "harsh": (
        (GRADER, "exercise, points", "exercise, expect, points"),
        (GRADER, "same_outcome(lambda m: m.double(x).shape)", 'expect(False, "Never good enough.\\nNever.")'),
    ),
    "broken": (
        (GRADER, "same_outcome(lambda m: m.quadruple(x) + m.double(x))", "1 / 0"),
        (MISCONCEPTIONS, "x * x", "x @ undefined("),
    ),
}


def build(course: Path, *slugs: str) -> Path:
    for slug in slugs:
        texts = {SOLUTION: SOLUTION, GRADER: GRADER, MISCONCEPTIONS: MISCONCEPTIONS}
        for text, old, new in ASSIGNMENTS[slug]:
            assert old in texts[text]
            texts[text] = texts[text].replace(old, new, 1)
        write(course, f"graders/{slug}/assignment.toml", TOML.replace("Twice as much", slug.title()))
        write(course, f"graders/{slug}/test_{slug}.py", texts[GRADER])
        write(course, f"graders/{slug}/misconceptions.py", texts[MISCONCEPTIONS])
        write(course, f"solutions/{slug}/{slug}.py", texts[SOLUTION])
    return course


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def command(course: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "autograder", "verify", "--course", str(course), *arguments]


def verify(course: Path, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "COLUMNS": "400"}
    run = subprocess.run(
        command(course, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment
    )
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize("part", [("--exercise", "double"), ("--most", "1")])
def test_a_part_of_the_misconceptions_is_not_put_into_a_table(tmp_path: Path, part: tuple[str, str]) -> None:
    table = tmp_path / "table.md"
    code, output = verify(build(tmp_path, "sound"), *part, "--table", str(table))
    assert (code, table.exists()) == (2, False)
    assert "The table tells of whole runs: leave out --exercise and --most, or --table." in output


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run prints of each unsound assignment."""
    slugs = [slug for slug in ASSIGNMENTS if slug != "sound"]
    code, output = verify(build(tmp_path_factory.mktemp("course"), *slugs), *slugs)
    assert code == 1, output
    parts = re.split(r"^(\w+) · ", output, flags=re.MULTILINE)
    return {slug.lower(): text for slug, text in zip(parts[1::2], parts[2::2], strict=True)}


def row(report: str, exercise: str) -> tuple[str, ...]:
    """Points, checks, misconceptions caught and problems."""
    cells = next(line.split() for line in report.splitlines() if line.split()[1:2] == [exercise])
    return tuple(cells[2:4] + cells[5:])


@pytest.mark.slow
def test_a_misconception_that_no_grader_sees_is_named(reports: dict[str, str]) -> None:
    report = reports["blind"]
    assert "✗ misconception only_positive (double) keeps full points\n" in report
    assert row(report, "double") == ("2", "2", "1/2", "1")
    assert row(report, "quadruple") == ("1", "1", "0/0")
    assert "– double has 2 misconceptions; write at least 5\n" in report
    assert "– quadruple has no misconceptions; write at least 5\n" in report
    assert "1 problem, 2 warnings; 1 of 2 misconceptions caught   (4 runs in " in report


@pytest.mark.slow
def test_points_for_the_skeleton_and_points_lost_elsewhere_are_named(reports: dict[str, str]) -> None:
    report = reports["generous"]
    assert "✗ misconception thrice (treble): assignment.toml has no such exercise\n" in report
    assert "✗ skeleton earns 1 point in double: check shape passes\n" in report
    assert "✗ misconception squares (double) also loses points in quadruple: check four_times\n" in report
    assert "– misconception adds (quadruple) lists double in `also`, but loses nothing there\n" in report


@pytest.mark.slow
def test_a_solution_that_loses_points_is_named_with_its_checks(reports: dict[str, str]) -> None:
    assert "✗ solution loses 1 point in double: check shape: Never good enough.\n" in reports["harsh"]


@pytest.mark.slow
def test_broken_graders_and_misconceptions_are_named_and_nothing_counts_as_caught(reports: dict[str, str]) -> None:
    report = reports["broken"]
    assert "misconceptions.py does not run: SyntaxError" in report
    assert re.search(
        r"✗ solution could not be graded \(nor could 1 more submission\): check four_times of quadruple broke; "
        r"test_broken.py::test_four_times: ZeroDivisionError: division by zero \(/.*/test_broken.py:32\)\n",
        report,
    )
    assert row(report, "quadruple") == ("1", "1", "0/0", "1")


@pytest.mark.slow
def test_all_is_well_with_every_salt_and_repeat(tmp_path: Path) -> None:
    course = build(tmp_path, "sound")
    code, output = verify(course, "sound", "--salt", "", "--salt", "other", "--repeats", "2", "--jobs", "2")
    assert code == 0, output
    assert "Sound · graders verified with 4 submissions × 2 salts × 2 repeats\n" in output
    assert row(output, "double") == ("2", "2", "2/2")
    assert "No problems, 2 warnings; 2 of 2 misconceptions caught   (16 runs in " in output


def test_an_unknown_assignment_is_one_sentence(tmp_path: Path) -> None:
    code, output = verify(build(tmp_path, "blind"), "treble")
    assert code == 2
    assert output.startswith("autograder: There is no assignment 'treble' in ")


@pytest.mark.slow
def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(build(tmp_path, "sound"), "--repeats", "500"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert errors == "autograder: interrupted; results written so far are complete.\n"


# --- the verdict, from results made by hand --------------------------------------------------------------------------


def check(name: str, status: Status, points: float = 1.0) -> CheckResult:
    return CheckResult("double", name, name, status, points, points if status is Status.PASSED else 0.0)


def result(*checks: CheckResult, state: State = State.GRADED) -> Result:
    return Result("blind", "Blind", "x", state, (ExerciseResult("double", 2, checks),))


@pytest.fixture
def verification(tmp_path: Path) -> Verification:
    return Verification(load_assignment(build(tmp_path, "blind"), "blind"))


def test_a_check_that_ends_otherwise_the_second_time_is_named(verification: Verification) -> None:
    subject = verification._subject("squares", "source", exercise="double")
    for status in (Status.FAILED, Status.FAILED, Status.PASSED):
        verification.add(subject, "", result(check("values", Status.FAILED), check("shape", status)))
    assert [problem.text for problem in verification.problems] == [
        "squares is not graded the same each time: check shape of double was failed once and passed another time"
    ]


def test_a_problem_that_only_one_salt_shows_says_which(verification: Verification) -> None:
    subject = verification._subject("squares", "source", exercise="double")
    verification.add(subject, "", result(check("values", Status.FAILED), check("shape", Status.PASSED)))
    verification.add(subject, "other", result(check("values", Status.PASSED), check("shape", Status.PASSED)))
    assert [problem.text for problem in verification.problems] == ["squares keeps full points (only with salt 'other')"]
