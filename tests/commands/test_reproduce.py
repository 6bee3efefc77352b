"""`autograder reproduce`: one program per failed check, written from a result file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from autograder.commands import reproduce
from autograder.errors import UsageError
from autograder.results import gradescope
from autograder.results.feedback import reproduction_text
from autograder.results.model import CheckResult, ExerciseResult, Reproduction, Result, State, Status
from command_line import autograder
from toy_course import check, grader, toy_course

PROGRAM = "import torch\nfrom demo import double\n\nresult = double(1)\nassert result == 2, result\n"
WHY_NOT = "This failure cannot be reproduced outside of grading: it times your code."
SHOWN = CheckResult(
    "double", "values", "It doubles.", Status.FAILED, 1.0, message="No.", reproduction=Reproduction(PROGRAM)
)
TIMED = msgspec.structs.replace(SHOWN, name="speed", reproduction=Reproduction(why_not=WHY_NOT))
OLD = msgspec.structs.replace(SHOWN, exercise="treble", reproduction=None)
PASSED = CheckResult("double", "shape", "It has the shape.", Status.PASSED, 1.0, 1.0)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    exercises = tuple(ExerciseResult(name, 9.0, checks) for name, checks in RESULTS.items())
    path = tmp_path / "results.json"
    gradescope.write(Result("demo", "Demo", "demo.py", State.GRADED, exercises), path)
    return path


RESULTS = {"double": (SHOWN, TIMED, PASSED), "treble": (OLD,)}


def test_every_failed_check_gets_a_program_or_a_reason(result, tmp_path, capsys):
    assert reproduce.run(result, None, tmp_path) == 0
    written, timed, old = capsys.readouterr().out.splitlines()
    path = tmp_path / "reproduce_double_values.py"
    assert written == f"double/values: wrote {path}"
    assert path.read_text() == PROGRAM
    assert timed == f"double/speed: {WHY_NOT}"
    assert "grade the submission again" in old


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("double/speed", WHY_NOT),
        ("double/shape", "no failed check double/shape; it has double/values, double/speed, treble/values."),
        ("values", "Several failed checks are called values; say double/values or treble/values."),
    ],
)
def test_a_check_without_a_program_is_one_sentence(result, tmp_path, name, words):
    with pytest.raises(UsageError) as refused:
        reproduce.run(result, name, tmp_path)
    assert words in str(refused.value)
    assert not list(tmp_path.glob("reproduce_*"))


def test_a_file_that_is_not_a_result_is_one_sentence(tmp_path):
    for text in ("", "[]", '{"tests": [{"name": "x"}]}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(UsageError, match="is not a result file"):
            reproduce.run(tmp_path / "other.json", None, tmp_path)
    with pytest.raises(UsageError, match="Cannot read"):
        reproduce.run(tmp_path / "absent.json", None, tmp_path)


def test_feedback_has_the_program_as_it_is_or_the_reason():
    assert reproduction_text(SHOWN) == f"To see it yourself, run these lines:\n\n{PROGRAM.strip()}"
    assert reproduction_text(TIMED) == WHY_NOT
    assert reproduction_text(OLD) == reproduction_text(PASSED) == ""


SOLUTION = """\
import torch

def double(x):
    if x.dim() != 2:
        raise ValueError("two dimensions, please")
    return x * 2

def noise(x):
    return x + torch.rand(2)
"""
SUBMISSION = """\
import time

def double(x):
    if x.numel() > 99:
        time.sleep(99)
    return x + 2

def noise(x):
    return x
"""
PROBES = {
    "values": "m.double(x)",
    "refusal": "m.double(torch.ones(3))",
    "concealed": "m.double(torch.ones(1, 1) * 3)",
    "draws": "m.noise(torch.zeros(2))",
    "endless": "m.double(torch.ones(10, 10))",
}
EXPECTED = {
    "values": "result = double(x)",
    "refusal": "except ValueError as error:",
    "concealed": "the right answer is not shown",
    "draws": "it judges random draws",
    "endless": "# In grading: Stopped: your code did not return",
}


@pytest.mark.slow
def test_a_graded_submission_is_shown_its_failures_and_its_programs_need_nothing_of_ours(tmp_path):
    checks = [
        check("double", 1, probe, name=name, raises="ValueError" if name == "refusal" else "", seconds=1)
        for name, probe in PROBES.items()
    ]
    text = grader(*checks).replace("torch.ones(1, 1) * 3))", "torch.ones(1, 1) * 3), reveal=False)")
    course = toy_course(tmp_path / "course", exercises={"double": 5}, solution=SOLUTION, checks=text)
    (tmp_path / "demo.py").write_text(SUBMISSION)
    asked = ("--no-timing", "--explain-pass", "double/refusal")
    graded = autograder("grade", "demo.py", "--course", str(course), *asked, cwd=tmp_path)
    assert graded.returncode == 0, graded.stderr
    assert "demo.py: double/refusal failed: it asked " in graded.stdout
    assert "1 had to be exceptions. No numbers in them have a tolerance" in graded.stdout
    assert "To see a failure yourself: autograder reproduce results.json double/values" in graded.stdout
    tests = msgspec.json.decode((tmp_path / "results.json").read_bytes())["tests"]
    outputs = {test["extra_data"]["check"]: test["output"] for test in tests}
    assert all(words in outputs[name] for name, words in EXPECTED.items())

    assert reproduce.run(tmp_path / "results.json", None, tmp_path) == 0
    programs = sorted(path for path in tmp_path.glob("reproduce_*") if "endless" not in path.name)
    assert len(programs) == 2
    one_after_the_other = (
        "import runpy, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "for path in sys.argv[2:]:\n"
        "    try:\n"
        "        runpy.run_path(path)\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
        "    else:\n"
        "        print('passed')\n"
    )
    for folder, words in ((tmp_path, "AssertionError"), (course / "solutions" / "demo", "passed")):
        command = [sys.executable, "-I", "-c", one_after_the_other, str(folder), *map(str, programs)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ran.stdout.split() == [words, words]
