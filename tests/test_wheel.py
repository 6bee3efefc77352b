"""The wheel works on its own: installed into an empty environment, on a course elsewhere."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pages import blocks, commands
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
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = place / "bin" / "python"
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
    return str(place / "bin" / "autograder")


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("elsewhere")
    files = {
        "assignments/demo/test_demo.py": PUBLIC_TESTS,
        "assignments/demo/demo.py": RIGHT,
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


def environment(**more: str) -> dict[str, str]:
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"COLUMNS": "80"} | more
    )


def run(command: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [command, *map(str, arguments)], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_the_engine_is_the_wheels(command):
    code = "import autograder; print(autograder.__file__)"
    python = Path(command).with_name("python")
    done = subprocess.run([python, "-c", code], cwd="/", env=environment(), capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(Path(command).parents[1])


def test_grade(command, course, tmp_path):
    done = run(command, course, "grade", "class/bob.py", "-a", "demo", "-o", tmp_path / "bob.json")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "bob.json").read_text())
    assert result["score"] == 0
    assert "Is your result twice as large" in result["tests"][0]["output"]


@pytest.fixture(scope="module")
def own_course(command, tmp_path_factory) -> Path:
    """The course of docs/your-own-course.md, after every command on that page but those that install something. Where
    the page says so, the example is replaced as in the tutorial of docs/authoring.md."""
    page, tutorial = ((ROOT / "docs" / name).read_text() for name in ("your-own-course.md", "authoring.md"))
    folder = tmp_path_factory.mktemp("anywhere")
    path = f"{Path(command).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"  # nbgrader calls `alembic`
    for line in commands(page):
        if line.startswith("cd "):
            folder = (folder / line.removeprefix("cd ")).resolve()
        elif not line.startswith(("python3 -m venv", "source ", "pip ")):
            done = subprocess.run(
                line, shell=True, cwd=folder, env=environment(PATH=path), capture_output=True, text=True, check=False
            )
            unwritten = line == "autograder check"  # on the skeleton
            assert done.returncode == unwritten, (line, done.stdout, done.stderr)
            assert "Traceback" not in done.stdout + done.stderr
        if line.startswith("autograder new"):
            follow(tutorial, folder)
        elif line.startswith("autograder verify"):
            assert "3 of 3 misconceptions caught" in done.stdout
    return folder.parents[1]


def follow(tutorial: str, course: Path) -> None:
    """Does what the tutorial says: a block of code for each file, and of the solution only one cell is another."""
    solution, grader, misconceptions, public = blocks(tutorial, "python")[:4]
    file = course / "solutions" / "attention" / "attention.py"
    before, cell, _ = file.read_text().partition("# %%\ndef layer_norm(")
    assert cell
    for name, text in (
        ("solutions/attention/attention.py", before + solution),
        ("graders/attention/test_1_layer_norm.py", grader),
        ("graders/attention/misconceptions.py", misconceptions),
        ("assignments/attention/test_attention.py", public),
    ):
        assert (course / name).exists()
        (course / name).write_text(text)


def test_a_new_author_follows_the_page_to_a_graded_class(own_course):
    grades = csv.DictReader((own_course / "out" / "grades.csv").read_text("utf-8-sig").splitlines())
    assert {row["Student"]: float(row["attention: layer_norm"]) for row in grades} == {"ada": 10, "bob": 0}
    assert json.loads((own_course / "results.json").read_text())["score"] == 10
    assert (own_course / "out" / "report.html").exists()
    with zipfile.ZipFile(own_course / "attention.zip") as made:
        names = {name for name in made.namelist() if not name.endswith("/")}
    handed_out = ("README.md", "attention.ipynb", "attention.py", "test_attention.py")
    assert names == {f"attention/{name}" for name in handed_out}


def test_nbgrader_grades_a_new_course(command, own_course):
    submitted = own_course / "submitted" / "bob" / "attention"
    submitted.mkdir(parents=True)
    shutil.copy(own_course / "class" / "bob.ipynb", submitted / "attention.ipynb")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [Path(command).with_name("python"), "-m", "nbgrader", "autograde", "attention"],
        cwd=own_course,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (own_course / "autograded" / "bob" / "attention" / "attention.ipynb").exists()


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
        "authoring/templates/solution.py.tmpl",
        "platforms/gradescope/setup.sh",
        "platforms/gradescope/run_autograder",
        "platforms/grade",
    ):
        assert f"autograder/{needed}" in names
