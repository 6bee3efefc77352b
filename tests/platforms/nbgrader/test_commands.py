"""nbgrader's own commands on a course of ours with a small class, from the release to the CSV file."""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from command_line import ROOT, autograder
from toy_course import check, grader, toy_course, write_files

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.slow
pytest.importorskip("nbgrader")

SOLUTION = '''\
# %% [markdown]
# # Twice as much
#
# Two functions.

# %%
import torch

# %%
def double(x):
    """Doubles a tensor."""
    ### BEGIN SOLUTION
    line_of_the_solution = 2 * x
    return line_of_the_solution
    ### END SOLUTION


# %%
def quadruple(x):
    """Four times a tensor."""
    ### BEGIN SOLUTION
    line_of_the_solution = double(x)
    return double(line_of_the_solution)
    ### END SOLUTION

# %%
# Room for what you need.

### BEGIN SOLUTION
line_of_the_solution = 0
### END SOLUTION

# %% why [markdown]
# Why is it twice as much?
#
# ### BEGIN SOLUTION
# line_of_the_solution
# ### END SOLUTION
'''
CHECKS = grader(
    check("double", 1, "m.double(x)", "The result is twice the input.", name="values"),
    check("double", 1, "m.double(x).shape", "The result has the shape of the input.", name="shape"),
    check("quadruple", 3, "m.quadruple(x)", "The result is four times the input.", name="four_times"),
    inputs="st.integers(1, 9).map(lambda n: torch.full((2,), float(n)))",
)
PUBLIC = '''\
import {slug}
import torch


def test_double__of_one():
    """Twice one is two."""
    torch.testing.assert_close({slug}.double(torch.ones(1)), torch.full((1,), 2.0))


def test_quadruple__of_one():
    """Four times one is four."""
    torch.testing.assert_close({slug}.quadruple(torch.ones(1)), torch.full((1,), 4.0))
'''
WITH_BONUS: dict[str, Any] = {"exercises": {"double": 2}, "bonus": {"quadruple": 3}}
HIDDEN = ("line_of_the_solution", "drawn_inputs", "salt-of-the-hidden-examples", "same_outcome", "graders/")

DOUBLE = "def double(x):\n    return 2 * x\n"
QUADRUPLE = "def quadruple(x):\n    return double(double(x))\n"

Book = dict[str, Any]


@dataclass
class Course:
    root: Path

    def run(self, *command: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        program = [str(BIN / command[0])] if command[0] == "nbgrader" else [sys.executable, "-m", command[0]]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            [*program, *command[1:]], cwd=self.root, env=environment, capture_output=True, text=True, timeout=600
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def released(self, slug: str) -> Book:
        return json.loads((self.root / f"assignments/{slug}/{slug}.ipynb").read_text())

    def hand_in(self, student: str, slug: str, book: Book | str, timestamp: str = "") -> None:
        files = {f"{slug}.ipynb": book if isinstance(book, str) else json.dumps(book)}
        if timestamp:
            files["timestamp.txt"] = timestamp
        write_files(self.root / f"submitted/{student}/{slug}", files)

    def autograded(self, student: str, slug: str = "twice") -> Book:
        return json.loads((self.root / f"autograded/{student}/{slug}/{slug}.ipynb").read_text())

    def export(self) -> dict[tuple[str, str], dict[str, str]]:
        self.run("nbgrader", "export")
        with (self.root / "grades.csv").open() as file:
            return {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}

    def scores(self, slug: str = "twice") -> dict[str, float]:
        """Of the students of the first class: an export has a row for everybody in every assignment."""
        rows = {student: row for (name, student), row in self.export().items() if name == slug and student in EXPECTED}
        return {student: float(row["score"]) for student, row in rows.items()}


def answered(book: Book, **answers: str) -> Book:
    """The released notebook with these answers in its answer cells."""
    book = copy.deepcopy(book)
    for cell in book["cells"]:
        if (name := mark(cell).get("grade_id")) in answers:
            cell["source"] = answers[name]
    return book


def mark(cell: Book) -> Book:
    return cell["metadata"].get("nbgrader", {})


def code(source: str) -> Book:
    rest = {"id": "added", "metadata": {}, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "source": source, **rest}


def tampered(book: Book) -> Book:
    """A student who wants all points without an answer."""
    book = copy.deepcopy(book)
    for cell in book["cells"]:
        if mark(cell).get("grade"):
            cell["source"] = "1e9"
            cell["metadata"]["nbgrader"] |= {"points": 1e9, "locked": False, "schema_version": 99}
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "1e9"}, "metadata": {}}]
    book["cells"][0]["metadata"]["nbgrader"] = "nothing that it should be"
    book["cells"] += [copy.deepcopy(cell) for cell in book["cells"] if mark_or_none(cell)]
    book["cells"].append(code("get_ipython().showtraceback = None\nimport sys\nsys.displayhook = print"))
    return book


def mark_or_none(cell: Book) -> bool:
    return isinstance(cell["metadata"].get("nbgrader"), dict)


def text_of(cell: Book) -> str:
    parts = []
    for output in cell.get("outputs", []):
        content = output.get("text") or output.get("traceback") or output["data"].get("text/plain", "")
        parts.append("".join(content) if output["output_type"] != "error" else "\n".join(content))
    return "\n".join(parts)


def cell_of(book: Book, grade_id: str) -> Book:
    (cell,) = [cell for cell in book["cells"] if mark(cell).get("grade_id") == grade_id]
    return cell


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two assignments, released and in the gradebook; the first one's class is graded."""
    root = tmp_path_factory.mktemp("course")
    for slug, worth in {"twice": {"exercises": {"double": 2, "quadruple": 3}}, "again": WITH_BONUS}.items():
        toy_course(
            root,
            slug,
            title="Twice as much",
            salt="salt-of-the-hidden-examples",
            examples=5,
            manual={"why": 4},
            **worth,
            limits={"check_seconds": 2, "import_seconds": 3},
            checks=CHECKS,
            solution=SOLUTION,
            files={f"assignments/{slug}/test_{slug}.py": PUBLIC.format(slug=slug)},
        )
    (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + LATE)
    course = Course(root)
    course.run("autograder", "release")
    hand_in_class(course)
    course.graded = course.run("nbgrader", "autograde", "twice")  # type: ignore[attr-defined]
    return course


LATE = """
from nbgrader.plugins import LateSubmissionPlugin


class OnePointADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 86400


c.AssignLatePenalties.plugin_class = OnePointADay
"""


def hand_in_class(course: Course) -> None:
    book = course.released("twice")
    right = answered(book, double=DOUBLE, quadruple=QUADRUPLE)
    course.hand_in("right", "twice", right)
    half = answered(book, double=DOUBLE.replace("2", "3"), quadruple="def quadruple(x):\n    return 4 * x\n")
    noisy = code("import sys, warnings\nprint('to stderr', file=sys.stderr)\nwarnings.warn('careful')\n!ls /\n6 * 7")
    half["cells"].insert(2, noisy)
    course.hand_in("half", "twice", half)
    hanging = answered(book, double=DOUBLE, quadruple="def quadruple(x):\n    while True:\n        pass\n")
    hanging["cells"].append(code("quadruple(torch.ones(1))"))
    course.hand_in("hanging", "twice", hanging)
    crashing = answered(book, double=DOUBLE, quadruple=QUADRUPLE)
    crashing["cells"].insert(3, code("import os\nos._exit(0)"))
    course.hand_in("crashing", "twice", crashing)
    course.hand_in("tampered", "twice", tampered(book))
    heavy = "def double(x):\n    return [torch.zeros(20) for _ in range(19_000)]\n"
    course.hand_in("heavy", "twice", answered(book, double=heavy, quadruple="def quadruple(x):\n    return 4 * x\n"))
    endless = "def double(x):\n    raise ValueError('x' * 300_000_000)\n"
    course.hand_in(
        "endless", "twice", answered(book, double=endless, quadruple="def quadruple(x):\n    return 4 * x\n")
    )
    trace = f"import pathlib\n\npathlib.Path({str(course.root / 'I_RAN')!r}).touch()\n"
    brought = dict.fromkeys(("nbgrader_config.py", "graders/twice/test_twice.py", "solutions/twice/twice.py"), trace)
    brought["graders/twice/assignment.toml"] = 'title = "Mine"\n[exercises]\ndouble = 1000\n'
    write_files(course.root / "submitted/tampered/twice", brought)
    missing = answered(book, double=DOUBLE, quadruple=QUADRUPLE)
    missing["cells"] = [cell for cell in missing["cells"] if not mark(cell).get("grade")]
    missing["cells"][-1]["cell_type"] = "code"
    course.hand_in("missing", "twice", missing)
    slipped = answered(book, double=DOUBLE, quadruple=QUADRUPLE)
    for cell, kind in ((cell_of(slipped, "double"), "markdown"), (cell_of(slipped, "quadruple"), "raw")):
        cell["cell_type"] = kind
        del cell["outputs"], cell["execution_count"]
    course.hand_in("slipped", "twice", slipped)
    course.hand_in("broken", "twice", '{"nbformat": 4, "cells": [')
    course.hand_in("empty", "twice", "")


EXPECTED = {
    "right": 5.0,
    "half": 4.0,
    "hanging": 2.0,
    "crashing": 5.0,
    "tampered": 0.0,
    "heavy": 3.0,
    "endless": 3.0,
    "missing": 5.0,
    "slipped": 5.0,
    "broken": 0.0,
    "empty": 0.0,
}


def test_neither_a_config_nor_a_course_in_a_submission_is_used(course: Course, tmp_path: Path) -> None:
    folder = course.root / "submitted/tampered/twice"
    for command in ("release", "verify"):
        done = autograder(command, cwd=folder)
        assert done.returncode == 2
        assert "lies inside the course" in done.stderr
    done = autograder("grade", "twice.ipynb", "-o", tmp_path / "result.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "result.json").read_text())["score"] == 0
    assert not (course.root / "I_RAN").exists()


def test_the_release_holds_answer_and_test_cells_and_nothing_hidden(course: Course) -> None:
    book = course.released("twice")
    marks = {mark(cell)["grade_id"]: mark(cell) for cell in book["cells"] if mark(cell)}
    assert list(marks) == ["setup", "double", "test_double", "quadruple", "test_quadruple", "answer", "why"]
    assert [marks[name]["points"] for name in ("test_double", "test_quadruple")] == [2, 3]
    assert all(marks[name]["locked"] and not marks[name]["solution"] for name in ("test_double", "test_quadruple"))
    sources = {mark(cell).get("grade_id"): "".join(cell["source"]) for cell in book["cells"]}
    assert sources["test_double"] == "%check double"
    assert sources["double"].endswith("# YOUR CODE HERE\n    raise NotImplementedError()")
    assert sources["answer"] == "# Room for what you need.\n\n# YOUR CODE HERE"
    assert (marks["why"]["points"], marks["why"]["locked"]) == (4, False)
    assert sources["why"] == "Why is it twice as much?\n\nYOUR ANSWER HERE"
    assert not any(secret in source for secret in HIDDEN for source in sources.values())
    assert sorted(path.name for path in (course.root / "assignments/twice").iterdir()) == [
        "test_twice.py",
        "twice.ipynb",
        "twice.py",
    ]


def test_generate_assignment_changes_nothing_and_keeps_the_public_tests(course: Course) -> None:
    folder = course.root / "assignments/again"
    before = {path.name: path.read_text() for path in folder.iterdir()}
    course.run("nbgrader", "generate_assignment", "again", "--force")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert course.run("autograder", "release", "--check").stdout == ""


def test_every_student_has_the_score_of_what_works(course: Course) -> None:
    assert course.scores() == EXPECTED


def test_grade_batch_and_the_py_file_of_the_same_code_give_the_same_scores(course: Course) -> None:
    paths = sorted(course.root.glob("submitted/*/twice/twice.ipynb"))
    for path in paths:
        files = {f"{path.parts[-3]}/twice.ipynb": path.read_text()}
        if path.parts[-3] in ("right", "half", "hanging"):
            cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
            lines = "\n".join("".join(cell["source"]) for cell in cells).split("\n")
            code = "\n".join(line for line in lines if line[:1] not in "%!" and not line.startswith("quadruple("))
            files[f"{path.parts[-3]}_py/twice.py"] = code.replace("!ls /", "")
        write_files(course.root / "for_grade", files)
    folders = sorted(str(path) for path in (course.root / "for_grade").iterdir())
    expected = EXPECTED | {f"{name}_py": EXPECTED[name] for name in ("right", "half", "hanging")}
    course.run("autograder", "grade", *folders, "-a", "twice", "-o", "results", "-q")
    course.run("autograder", "batch", "for_grade", "-a", "twice", "-o", "batch", "-q")
    for out in ("results", "batch"):
        files = {path.stem: json.loads(path.read_text()) for path in (course.root / out).glob("*.json")}
        assert {name: files[name]["score"] for name in expected} == expected, out


def test_a_test_cell_shows_feedback_and_a_plain_number(course: Course) -> None:
    cell = cell_of(course.autograded("half"), "test_double")
    stream, result = cell["outputs"]
    assert (stream["output_type"], stream["name"], result["output_type"]) == ("stream", "stdout", "execute_result")
    assert "".join(result["data"]["text/plain"]) == "1.0"
    text = "".join(stream["text"])
    assert "double: 1 / 2 points, 1 of 2 checks passed" in text
    assert "The result is twice the input." in text
    assert re.search(r"Expected:? .*2.*Got", text, re.DOTALL)


def test_cells_keep_what_they_print_show_and_raise(course: Course) -> None:
    text = text_of(course.autograded("half")["cells"][2])
    assert "to stderr" in text
    assert "Shell commands are not run where notebooks are graded: !ls /" in text
    assert "42" in text.split("\n")
    stopped = text_of(course.autograded("hanging")["cells"][-1])
    assert "Does every loop end?" in stopped
    left = text_of(course.autograded("crashing")["cells"][3])
    assert "exit code 0" in left


def test_missing_altered_and_repeated_test_cells_are_as_released(course: Course) -> None:
    names = ["setup", "double", "test_double", "quadruple", "test_quadruple", "answer", "why"]
    for student in ("missing", "tampered", "broken"):
        book = course.autograded(student)
        assert [mark(cell)["grade_id"] for cell in book["cells"] if mark(cell).get("grade_id")] == names, student
        for name, points in (("test_double", 2), ("test_quadruple", 3)):
            cell = cell_of(book, name)
            assert "".join(cell["source"]) == f"%check {name.removeprefix('test_')}"
            assert mark(cell)["points"] == points


def test_an_unreadable_notebook_says_so(course: Course) -> None:
    book = course.autograded("broken")
    assert "could not be read" in "".join(book["cells"][0]["source"])
    assert "is not a readable notebook" in text_of(cell_of(book, "test_double"))


def test_nothing_hidden_is_in_the_autograded_notebooks_or_the_feedback(course: Course) -> None:
    course.run("nbgrader", "generate_feedback", "twice")
    pages = sorted((course.root / "feedback").rglob("*.html"))
    assert len(pages) == len(EXPECTED)
    for path in [*pages, *sorted((course.root / "autograded").rglob("*"))]:
        if path.is_file():
            text = path.read_text()
            assert [secret for secret in HIDDEN if secret in text] == [], path
    half = (course.root / "feedback/half/twice/twice.html").read_text()
    assert "The result is twice the input." in half


def test_graded_students_are_skipped_and_force_grades_again(course: Course) -> None:
    started = time.monotonic()
    again = course.run("nbgrader", "autograde", "twice")
    assert again.stderr.count("Skipping existing assignment") == len(EXPECTED)
    assert time.monotonic() - started < 60
    old = course.root / "autograded/right/twice/twice.ipynb"
    written = old.stat().st_mtime_ns
    others = (course.root / "autograded/half/twice/twice.ipynb").stat().st_mtime_ns
    course.run("nbgrader", "autograde", "twice", "--student", "right", "--force")
    assert old.stat().st_mtime_ns > written
    assert (course.root / "autograded/half/twice/twice.ipynb").stat().st_mtime_ns == others
    assert course.scores() == EXPECTED


def test_a_second_assignment_a_late_student_and_a_run_that_was_killed(course: Course) -> None:
    book = answered(course.released("again"), double=DOUBLE, quadruple=QUADRUPLE, why="Because of 2.")
    for student, day in (("right", "2026-03-01"), ("late", "2026-03-03")):
        course.hand_in(student, "again", book, f"{day} 12:00:00 UTC")
    due = (
        "from nbgrader.api import Gradebook\n"
        "with Gradebook('sqlite:///gradebook.db', 'networks') as gb:\n"
        "    gb.update_or_create_assignment('again', duedate='2026-03-01 12:00:00 UTC')\n"
    )
    subprocess.run([sys.executable, "-c", due], cwd=course.root, check=True, timeout=120)
    # Killed in the middle, once its engine lives.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        [str(BIN / "nbgrader"), "autograde", "again"],
        cwd=course.root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Autograding" in line:
            break
    children = descendants(process.pid)
    deadline = time.monotonic() + 20
    while not children and time.monotonic() < deadline:
        time.sleep(0.05)
        children = descendants(process.pid)
    process.kill()
    process.wait()
    process.stderr.close()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in children):
        assert time.monotonic() < deadline, "the engine outlives the command"
        time.sleep(0.1)
    course.run("nbgrader", "autograde", "again", "--force")
    rows = course.export()
    right = rows["again", "right"]
    assert (float(right["score"]), float(right["max_score"])) == (5.0, 6.0)  # the bonus is extra credit
    assert "Because of 2." in cell_of(course.autograded("right", "again"), "why")["source"]
    waiting = (
        "from nbgrader.api import Gradebook\n"
        "with Gradebook('sqlite:///gradebook.db', 'networks') as gb:\n"
        "    grades = gb.find_submission('again', 'right').notebooks[0].grades\n"
        "    print([grade.cell.name for grade in grades if grade.needs_manual_grade])\n"
    )
    done = subprocess.run([sys.executable, "-c", waiting], cwd=course.root, capture_output=True, text=True, timeout=120)
    assert done.stdout == "['why']\n", done.stderr
    late = rows["again", "late"]
    assert (float(late["raw_score"]), float(late["late_submission_penalty"]), float(late["score"])) == (5.0, 2.0, 3.0)
    assert float(rows["twice", "half"]["score"]) == 4.0


def descendants(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_grader_that_fails_is_nobody_s_zero(course: Course) -> None:
    path = course.root / "graders/twice/test_twice.py"
    text = path.read_text()
    path.write_text(text.replace("same_outcome(lambda m: m.quadruple(x))", "1 / 0"))
    try:
        failed = course.run("nbgrader", "autograde", "twice", "--student", "right", "--force", code=1)
    finally:
        path.write_text(text)
    assert "the grader itself failed" in failed.stderr
    assert not (course.root / "autograded/right/twice/twice.ipynb").exists()
    course.run("nbgrader", "autograde", "twice", "--student", "right")
    assert course.scores() == EXPECTED


def test_validate_runs_the_public_tests_in_the_student_s_hands(course: Course, tmp_path: Path) -> None:
    (tmp_path / "test_twice.py").write_text(PUBLIC.format(slug="twice"))
    right = answered(course.released("twice"), double=DOUBLE, quadruple="def quadruple(x):\n    return 5 * x\n")
    (tmp_path / "twice.ipynb").write_text(json.dumps(right))
    said = course.run("nbgrader", "validate", str(tmp_path / "twice.ipynb")).stdout
    assert "VALIDATION FAILED ON 2 CELL(S)" in said
    assert "quadruple: 0 of 1 public tests pass." in said
    assert "Why is it twice as much?" in said  # still unanswered
