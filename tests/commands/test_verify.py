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


@misconception(
    "double", hint="How many numbers go in?", also={"quadruple": "its checks use double"}, severe="nothing fits"
)
def adds_up(x):
    return 2 * x.sum()


@misconception("double", hint="And negative numbers?")
def only_positive(x):
    return 2 * x.abs()
"""
PUBLIC = """\
import {slug}


def test_double__two():
    assert {slug}.double(2) == 4


def test_quadruple__two():
    assert {slug}.quadruple(2) == 8
"""


EXCUSED = MISCONCEPTIONS.replace('numbers?")', 'numbers?", also={"quadruple": "its checks use double"})')
# What each assignment replaces in the files above: nothing is wrong with `sound`.
ASSIGNMENTS = {
    "sound": ((CHECKS, "integers(1, 9)", "integers(-9, 9)"), (MISCONCEPTIONS, MISCONCEPTIONS, EXCUSED)),
    "blind": (),
    "generous": (
        (CHECKS, "same_outcome(lambda m: m.double(x).shape)", "assert True"),
        (MISCONCEPTIONS, 'else.", also={"quadruple": "its checks use double"}', 'else.", also={}'),
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
            files={f"assignments/{slug}/test_{slug}.py": PUBLIC.format(slug=slug)},
        )
    return course


def verify(course: Path, *arguments: str) -> tuple[int, str]:
    run = autograder("verify", "--course", course, *arguments, columns=400, seconds=900)  # many assignments
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
    return tuple(cells[2:4] + cells[5:6] + cells[7:])


@pytest.mark.slow
def test_a_misconception_that_no_grader_sees_is_named(reports: dict[str, str]) -> None:
    report = reports["blind"]
    assert "✗ misconception only_positive (double) keeps full points\n" in report
    assert row(report, "double") == ("2", "2", "2/3", "1")
    assert row(report, "quadruple") == ("1", "1", "0/0")
    assert "– double has 3 misconceptions; write at least 5\n" in report
    assert "Mistakes that cost more than half of their exercise, and why:\n· misconception adds_up (double)" in report
    assert "– quadruple has no misconceptions; write at least 5\n" in report
    assert "1 problem, 2 warnings; 2 of 3 misconceptions caught   (5 runs in " in report


@pytest.mark.slow
def test_points_for_the_skeleton_and_points_lost_elsewhere_are_named(reports: dict[str, str]) -> None:
    report = reports["generous"]
    assert "✗ misconception thrice (treble): assignment.toml has no exercise 'treble'\n" in report
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
    several = ("--salt", "", "--salt", "other", "--repeats", "2", "--jobs", "2", "--pairs", "9")
    code, output = verify(course, "sound", *several)
    assert code == 0, output
    assert "Sound · graders verified with 5 submissions × 2 salts × 2 repeats\n" in output
    assert "Failures shown by a program: 3 of 3 misconceptions\n" in output
    assert row(output, "double") == ("2", "2", "3/3")
    assert "No problems, 2 warnings; 3 of 3 misconceptions caught   (20 runs in " in output
    # Of three misconceptions of `double` there are three pairs; they are wrong in the same check or in two.
    assert re.search(r"^Pairs of misconceptions: (\d)/\1 mistakes told, 0/\d hints misleading$", output, re.MULTILINE)


# One fault each, in a course that is sound without it

SMALL_SOLUTION = """\
def double(x):
    ### BEGIN SOLUTION
    if isinstance(x, str):
        raise ValueError("a text cannot be doubled")
    return 2 * x
    ### END SOLUTION
"""
SMALL_CHECKS = grader(
    check("double", 1, "[m.double(2.5), m.double(3.5)]", name="values"),
    check("double", 1, 'm.double("a")', name="text", raises="ValueError"),
)
SMALL_MISCONCEPTIONS = """\
from autograder.grading import misconception


@misconception("double", hint="Squares are something else.")
def squares(x):
    if isinstance(x, str):
        raise ValueError("a text cannot be squared")
    return x * x


@misconception("double", hint="What is twice a text?")
def takes_text(x):
    return 2 * x
"""
SMALL_PUBLIC = "import {slug}\n\n\ndef test_double__two():\n    assert {slug}.double(2) == 4\n"
ODD = """

class Two:
    def __repr__(self):
        return "{shown}"

    def __rmul__(self, other):
        return other * 2

    def __mul__(self, other):
        return 5


@exercise("double")
@points(1)
def test_odd(same_outcome):
    same_outcome(lambda m: m.double({argument}))
"""


def declared(name: str, arguments: str, body: str) -> str:
    return f'\n\n@misconception("double", hint="No.", {arguments})\ndef {name}(x):\n    {body}\n'


def small(course: Path, slug: str, **changes: object) -> Path:
    """A sound assignment, with what `changes` say instead."""
    texts = {"solution": SMALL_SOLUTION, "checks": SMALL_CHECKS, "misconceptions": SMALL_MISCONCEPTIONS}
    public = str(changes.pop("public", SMALL_PUBLIC)).format(slug=slug)
    files = {f"assignments/{slug}/test_{slug}.py": public} if public else {}
    settings: dict[str, object] = {"exercises": {"double": 2}, **texts, **changes}
    return toy_course(course, slug, files=files, **settings)  # type: ignore[arg-type]


UNFAILED = check("double", 1, "type(m.double(2)).__name__", name="kind")
LOOKS_IN_VAIN = SMALL_CHECKS.replace("def test_values", '@forbids("no_such_function")\ndef test_values').replace(
    "exercise, points", "exercise, forbids, points"
)
THREE = {"double": 3}
NUMBERS = grader(check("double", 2, "[m.double(2.5), m.double(3.5)]", name="values"))
COSTLY = SMALL_MISCONCEPTIONS.replace('else."', 'else.", severe="it doubles nothing"')
SQUARES = COSTLY[: COSTLY.rindex("@")]
BROKEN_CLASS = """\
class double:
    ### BEGIN SOLUTION
    def __new__(cls, x):
        return 2 * x
    ### END SOLUTION
"""
SOUND_CLASS = """\
class double:
    def __new__(cls, x):
        ### BEGIN SOLUTION
        return 2 * x
        ### END SOLUTION
"""
# What is changed, and the one sentence about it.
FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "unfailed": (
        {"checks": SMALL_CHECKS + UNFAILED, "exercises": THREE},
        "no misconception fails check kind of double; write one, or mark the check unproven",
    ),
    "slipping": (
        {"misconceptions": SMALL_MISCONCEPTIONS + declared("slips", "also={}", "return undefined_name")},
        "misconception slips (double) answers no check of double; correct it, or declare crashes=True: "
        "Your code raised NameError: name 'undefined_name' is not defined",
    ),
    "twice": (
        {"misconceptions": SMALL_MISCONCEPTIONS + declared("doubles_text", "also={}", "return 2 * x")},
        "misconception doubles_text (double) is not shown its own hint, only that of takes_text; "
        "let a check tell it apart, or declare as_good_as=…",
    ),
    "untested": (
        {"public": "def test_something():\n    assert True\n"},
        "double has no public test in assignments/untested/test_untested.py; write one called test_double__…, "
        "or say why not in [without_public_tests]",
    ),
    "missing": ({"public": ""}, "public tests cannot be run: assignments/missing/test_missing.py: it is missing"),
    "garbled": (
        {"public": "def test_double__two(:\n"},
        "public tests cannot be run: assignments/garbled/test_garbled.py: SyntaxError: invalid syntax",
    ),
    "mistaken": (
        {"public": SMALL_PUBLIC.replace("== 4", "== 5")},
        "public test test_double__two fails on the solution: Not true: 4 == 5",
    ),
    "idle": (
        {"public": SMALL_PUBLIC + "\n\ndef test_double__exists():\n    assert callable({slug}.double)\n"},
        "public test test_double__exists passes on the skeleton, where double is not written yet; let it ask for more, "
        "or say why in [passes_unwritten]",
    ),
    "unloadable": (
        {"solution": BROKEN_CLASS, "checks": NUMBERS, "misconceptions": SQUARES},
        "skeleton does not load: unloadable.py raised an error while loading, so nothing in it could be graded. "
        "This is not implemented yet. Is a solution outside any function?",
    ),
    "aimless": (
        {"checks": LOOKS_IN_VAIN},
        "check values of double forbids 'no_such_function', which matches nothing in this PyTorch; "
        "correct the pattern, or say why in [forbids_nothing]",
    ),
    "unreadable": (
        {"checks": SMALL_CHECKS + ODD.format(argument="Two()", shown="Two object at 0x7f00"), "exercises": THREE},
        "misconception squares (double): the feedback of check odd of double contains an address in memory: at 0x",
    ),
}
# The same, corrected or meant.
MEANT: dict[str, dict[str, object]] = {
    "sound": {},
    "unfailed": {
        "checks": SMALL_CHECKS.replace("exercise, points", "exercise, points, unproven")
        + UNFAILED.replace("def test_kind", '@unproven("because")\ndef test_kind'),
        "exercises": THREE,
    },
    "slipping": {"misconceptions": SMALL_MISCONCEPTIONS + declared("slips", "crashes=True", "return undefined_name")},
    "twice": {
        "misconceptions": SMALL_MISCONCEPTIONS + declared("doubles_text", 'as_good_as="takes_text"', "return 2 * x")
    },
    "missing": {"public": "", "without_public_tests": {"double": "because"}},
    "idle": {**FAULTS["idle"][0], "passes_unwritten": {"test_double__exists": "because"}},
    "unloadable": {"solution": SOUND_CLASS, "checks": NUMBERS, "misconceptions": SQUARES},
    "unreadable": {
        "checks": SMALL_CHECKS + ODD.format(argument="Two()", shown="Two()"),
        "exercises": THREE,
        "misconceptions": COSTLY,
    },
    "aimless": {"checks": LOOKS_IN_VAIN, "forbids_nothing": {"no_such_function": "because"}},
}
IN_VAIN: dict[str, object] = {
    "checks": SMALL_CHECKS.replace("exercise, points", "exercise, points, unproven").replace(
        "def test_values", '@unproven("because")\ndef test_values'
    ),
    "misconceptions": SMALL_MISCONCEPTIONS.replace('else."', 'else.", crashes=True').replace(
        'text?"', 'text?", as_good_as="squares", severe="no reason"'
    ),
    "without_public_tests": {"double": "because"},
    "passes_unwritten": {"test_double__two": "because"},
    "forbids_nothing": {"conv2d": "because"},
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run prints of each assignment with a fault."""
    course = tmp_path_factory.mktemp("faults")
    for slug, (changes, _) in FAULTS.items():
        small(course, slug, **changes)
    code, output = verify(course, *FAULTS)
    assert code == 1, output
    parts = re.split(r"^(\w+) · ", output, flags=re.MULTILINE)
    return {slug.lower(): text for slug, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("slug", FAULTS)
def test_every_kind_of_grader_that_proves_nothing_is_a_problem(verdicts: dict[str, str], slug: str) -> None:
    [problem] = re.findall(r"^✗ (\S.*)", verdicts[slug], flags=re.MULTILINE)  # rows of the table are indented
    assert problem.startswith(FAULTS[slug][1])


@pytest.mark.slow
def test_what_is_corrected_or_meant_is_accepted(tmp_path: Path) -> None:
    for slug, changes in MEANT.items():
        small(tmp_path, slug, **changes)
    code, output = verify(tmp_path, *MEANT)
    assert code == 0, output
    assert "✗" not in output
    assert output.count("– ") == len(MEANT)  # few misconceptions


@pytest.mark.slow
def test_a_declaration_that_is_not_needed_is_a_warning(tmp_path: Path) -> None:
    code, output = verify(small(tmp_path, "vain", **IN_VAIN))
    assert code == 0, output
    for warning in (
        "check values of double is marked unproven, but a misconception fails it",
        "misconception squares (double) declares crashes=True, but answers",
        "misconception takes_text (double) declares as_good_as='squares', but is shown its own hint",
        "misconception takes_text (double) declares severe=…, but costs only 50% of double",
        "[without_public_tests] names double, which has public tests",
        "[passes_unwritten] names test_double__two, which is not a public test that passes on the skeleton",
        "[forbids_nothing] names 'conv2d', which no check forbids in vain",
    ):
        assert f"– {warning}\n" in output


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
