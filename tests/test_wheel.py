"""The wheel works on its own: installed into an empty environment, on a course elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from toy_course import check, grader, toy_course

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow

SOLUTION = '''
def doubled(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''
MISCONCEPTIONS = """
from autograder.grading import misconception


@misconception("doubled", hint="Is your result twice as large, or is it the square?")
def squares(x):
    return x * x
"""
PUBLIC_TESTS = """
import demo
import torch


def test_doubled__of_three():
    assert demo.doubled(torch.tensor(3)) == 6
"""
RIGHT, WRONG = "def doubled(x):\n    return x + x\n", "def doubled(x):\n    return x * x\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built as `pip wheel .` does, with the build backend that is installed: no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
        "--disable-pip-version-check",
        "--wheel-dir",
        str(folder),
    ]
    subprocess.run([sys.executable, "-m", "pip", "wheel", str(ROOT), *options], check=True, capture_output=True)
    (made,) = folder.glob("torch_autograder-*.whl")
    return made


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory) -> str:
    """`autograder` in an environment that has the wheel, and of this one the packages it depends on."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin" / "python"
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    # A .pth file in there is not read, so the packages come along and the editable installation of the engine does not.
    Path(packages, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *options, wheel], check=True, capture_output=True)
    return str(environment / "bin" / "autograder")


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("elsewhere")
    files = {
        "assignments/demo/test_demo.py": PUBLIC_TESTS,
        "assignments/demo/demo.py": RIGHT,
        "class/ada.py": RIGHT,
        "class/bob.py": WRONG,
    }
    return toy_course(
        root,
        exercises={"doubled": 2},
        solution=SOLUTION,
        checks=grader(check("doubled", 2, "m.doubled(x)")),
        misconceptions=MISCONCEPTIONS,
        files=files,
    )


def run(command: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
        "COLUMNS": "80"
    }
    done = subprocess.run(
        [command, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_the_engine_is_the_wheels(command):
    code = "import autograder; print(autograder.__file__)"
    python = Path(command).with_name("python")
    done = subprocess.run([python, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(Path(command).parents[1])


def test_grade(command, course, tmp_path):
    done = run(command, course, "grade", "class/bob.py", "-a", "demo", "-o", tmp_path / "bob.json")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "bob.json").read_text())
    assert result["score"] == 0
    assert "Is your result twice as large" in result["tests"][0]["output"]


def test_batch(command, course, tmp_path):
    done = run(command, course, "batch", "class", "-a", "demo", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    grades = (tmp_path / "out" / "grades.csv").read_text()
    assert [line.split(",")[0] for line in grades.splitlines()[1:]] == ["ada", "bob"]
    assert json.loads((tmp_path / "out" / "ada.json").read_text())["score"] == 2


def test_verify(command, course):
    done = run(command, course, "verify", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/1" in done.stdout


def test_check(command, course):
    done = run(command, course / "assignments" / "demo", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the hidden tests check more" in done.stdout


def test_package(command, course, tmp_path):
    done = run(command, course, "package", "-o", tmp_path / "demo.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "demo.zip") as made:
        assert {"run_autograder", "setup.sh", "requirements.txt", "autograder/cli.py"} <= set(made.namelist())


def test_the_wheel_is_fit_to_be_published(wheel):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", wheel], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(wheel) as made:
        names = made.namelist()
    assert not [name for name in names if name.startswith(("graders/", "solutions/", "tests/", "assignments/"))]
    assert any(name.endswith("LICENSE") for name in names)
    for needed in (
        "report/templates/report.html",
        "platforms/gradescope/setup.sh",
        "platforms/gradescope/run_autograder",
        "platforms/grade",
    ):
        assert f"autograder/{needed}" in names
