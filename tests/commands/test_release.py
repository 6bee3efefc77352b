"""Skeletons: what students receive is the solution without its solutions, and up to date."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from autograder.course.skeletons import SETUP
from command_line import ROOT, autograder
from toy_course import toy_course

SOLUTION = """\
# %% [markdown]
# Twice as much.

# %%
def double(x):
    ### BEGIN SOLUTION
    secret = x + x
    return secret
    ### END SOLUTION
"""
SKELETON = """\
# %% [markdown]
# Twice as much.

# %%
def double(x):
    # YOUR CODE HERE
    raise NotImplementedError()
"""
BETWEEN_FUNCTIONS = """\
class Double:
    ### BEGIN SOLUTION
    def __call__(self, x):
        return 2 * x
    ### END SOLUTION
"""
INSIDE_A_FUNCTION = """\
class Double:
    def __call__(self, x):
        ### BEGIN SOLUTION
        return 2 * x
        ### END SOLUTION
"""
FILES = (
    "solutions/double/double.ipynb",
    "assignments/double/double.py",
    "assignments/double/double.ipynb",
    "assignments/double/submission.toml",
)


def release(*arguments: str, course: Path) -> subprocess.CompletedProcess[str]:
    return autograder("release", *arguments, "--course", course)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    files = {"files": ["data/*.npy"]}
    return toy_course(tmp_path, "double", exercises={"double": 1}, solution=SOLUTION, submission=files)


@pytest.mark.slow
def test_release_writes_the_skeleton_and_knows_when_it_is_stale(course: Path) -> None:
    target = course / "assignments/double/double.py"

    checked = release("--check", course=course)
    assert checked.returncode == 1
    assert checked.stdout == "".join(f"{name}: missing; run `autograder release double`\n" for name in FILES)
    assert not target.exists()

    assert release(course=course).returncode == 0
    assert target.read_text() == SKELETON
    assert sorted(path.name for path in target.parent.iterdir()) == ["double.ipynb", "double.py", "submission.toml"]
    assert 'files = ["data/*.npy"]' in (target.parent / "submission.toml").read_text()
    book = json.loads((target.parent / "double.ipynb").read_text())
    assert ["".join(cell["source"]) for cell in book["cells"]] == [
        "Twice as much.",
        SETUP,
        SKELETON.split("# %%\n")[1].strip(),
        "%check double",
    ]
    written = target.stat().st_mtime_ns

    again = release("double", course=course)
    assert (again.returncode, again.stdout) == (
        0,
        "".join(f"{name}: up to date\n" for name in FILES),
    )
    assert target.stat().st_mtime_ns == written
    quiet = release("--check", course=course)
    assert (quiet.returncode, quiet.stdout) == (0, "")

    target.write_text(SOLUTION)
    stale = release("--check", course=course)
    assert stale.returncode == 1
    assert stale.stdout == "assignments/double/double.py: out of date; run `autograder release double`\n"
    assert (target.parent / "double.ipynb").stat().st_mtime_ns >= written


def test_a_wrong_solution_releases_nothing_and_is_one_sentence(course: Path) -> None:
    (course / "solutions/double/double.py").write_text("### BEGIN SOLUTION\n")
    result = release(course=course)
    assert result.returncode == 2
    assert result.stderr == (
        "autograder: Correct solutions/double/double.py, line 1: this solution never ends; "
        "write ### END SOLUTION after it.\n"
    )
    assert not (course / "assignments").exists()


@pytest.mark.slow
def test_a_course_that_is_set_up_for_nbgrader_gets_a_gradebook(course: Path) -> None:
    (course / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
    assert release(course=course).stdout.endswith("The nbgrader gradebook now has these assignments.\n")
    with sqlite3.connect(course / "gradebook.db") as gradebook:
        assert gradebook.execute("SELECT name, max_score FROM base_cell JOIN grade_cells USING (id)").fetchall() == [
            ("test_double", 1.0)
        ]


def test_what_nbgrader_refuses_is_one_sentence(course: Path) -> None:
    (course / "nbgrader_config.py").write_text(
        (ROOT / "nbgrader_config.py").read_text() + 'c.IncludeHeaderFooter.header = "missing.ipynb"\n'
    )
    result = release(course=course)
    assert result.returncode == 2
    assert result.stderr.startswith("autograder: nbgrader cannot make the assignment double: FileNotFoundError")
    assert result.stderr.count("\n") == 1


# --- this repository's own assignments -------------------------------------------------------------------------------

SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.py"))


def test_the_committed_skeletons_are_up_to_date() -> None:
    result = release("--check", course=ROOT)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_no_line_of_a_solution_is_in_what_students_receive(solution: Path) -> None:
    # Shorter ones are idioms (`with torch.no_grad():`) that public tests need as well.
    secret = {line for line in secret_lines(solution) if len(line) > 45}
    assert secret
    for path in sorted((ROOT / "assignments").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = readable(path)
            assert [line for line in secret if line in text] == [], path


def secret_lines(solution: Path) -> set[str]:
    """The lines between the markers that do not also stand outside of them."""
    inside, outside, within = set(), set(), False
    for line in solution.read_text(encoding="utf-8").splitlines():
        if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            within = "BEGIN SOLUTION" in line
        else:
            (inside if within else outside).add(line.strip())
    return inside - outside


def readable(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


@pytest.mark.slow
def test_a_skeleton_that_cannot_be_imported_is_not_written(tmp_path: Path) -> None:
    course = toy_course(tmp_path, "double", exercises={"Double": 1}, solution=BETWEEN_FUNCTIONS)
    refused = release(course=course)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"autograder: Correct {course}/solutions/double/double.py: its skeleton does not load: "
        "NotImplementedError, without a message (line 3). Is a solution outside any function?\n"
    )
    assert not (course / "assignments").exists()

    (course / "solutions/double/double.py").write_text(INSIDE_A_FUNCTION)
    assert release(course=course).returncode == 0
