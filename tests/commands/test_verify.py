"""`autograder verify` on a small course: what holds is confirmed, and every way of not holding is named."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from command_line import ROOT, autograder, command_line
from toy_course import check, grader, toy_course

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
CHECKS = grader(
    check("double", 1, "m.double(x)", "The result is twice the input.", name="values"),
    check("double", 1, "m.double(x).shape", "The result has the shape of the input.", name="shape"),
    check("quadruple", 1, "m.quadruple(x) + m.double(x)", "The result is four times the input.", name="four_times"),
    inputs="st.integers(1, 9).map(lambda n: torch.full((2,), float(n)))",
)
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
    "sound": ((CHECKS, "integers(1, 9)", "integers(-9, 9)"), (MISCONCEPTIONS, MISCONCEPTIONS, EXCUSED)),
    "blind": (),
    "generous": (
        (CHECKS, "same_outcome(lambda m: m.double(x).shape)", "assert True"),
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
        (CHECKS, "exercise, points", "exercise, expect, points"),
        (CHECKS, "same_outcome(lambda m: m.double(x).shape)", 'expect(False, "Never good enough.\\nNever.")'),
    ),
    "broken": (
        (CHECKS, "same_outcome(lambda m: m.quadruple(x) + m.double(x))", "1 / 0"),
        (MISCONCEPTIONS, "x * x", "x @ undefined("),
    ),
}


def build(course: Path, *slugs: str) -> Path:
    for slug in slugs:
        texts = {CHECKS: CHECKS, MISCONCEPTIONS: MISCONCEPTIONS}
        for text, old, new in ASSIGNMENTS[slug]:
            assert old in texts[text]
            texts[text] = texts[text].replace(old, new, 1)
        toy_course(
            course,
            slug,
            examples=10,
            exercises={"double": 2, "quadruple": 1},
            checks=texts[CHECKS],
            misconceptions=texts[MISCONCEPTIONS],
            solution=SOLUTION,
        )
    return course


def verify(course: Path, *arguments: str) -> tuple[int, str]:
    run = autograder("verify", "--course", course, *arguments, columns=400)
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize("part", [("--exercise", "double"), ("--most", "1")])
def test_a_part_of_the_misconceptions_is_not_put_into_a_table(tmp_path: Path, part: tuple[str, str]) -> None:
    table = tmp_path / "table.md"
    code, output = verify(build(tmp_path, "sound"), *part, "--table", str(table))
    assert (code, table.exists()) == (2, False)
    assert "The table needs a complete run: leave out --exercise and --most, or leave out --table." in output


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
    line = CHECKS[: CHECKS.index("same_outcome(lambda m: m.quadruple")].count("\n") + 1
    assert "misconceptions.py does not run: SyntaxError" in report
    assert re.search(
        r"✗ solution could not be graded \(nor could 1 more submission\): check four_times of quadruple broke; "
        rf"test_broken.py::test_four_times: ZeroDivisionError: division by zero \(/.*/test_broken.py:{line}\)\n",
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
        command_line("verify", "--course", build(tmp_path, "sound"), "--repeats", "500"),
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
