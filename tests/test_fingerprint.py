"""One digest of everything that determines a result: whatever changes it, nothing kept is used again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder import fingerprint
from autograder.batch.store import Store
from autograder.course import load_assignment
from autograder.errors import UsageError
from autograder.jobs import Job
from autograder.results.model import Status
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from command_line import autograder
from toy_course import check, grader, toy_course

SUBMISSION = Submission("demo.py", "demo.py", (Cell("demo.py", "def scaled(x):\n    return 2 * x\n"),), False)


@pytest.fixture
def course(tmp_path) -> Path:
    """A course whose solution reads its factor from a file of data, and whose grader has data as well."""
    solution = """
from pathlib import Path

FACTOR = float(Path(__file__).with_name("factor").read_text())


def scaled(x):
    return FACTOR * x
"""
    files = {"solutions/demo/factor": "2", "graders/demo/cases": "1 2 3", "graders/demo/data/more.csv": "1,2"}
    checks = grader(check("scaled", 1, "m.scaled(x)"))
    return toy_course(tmp_path / "course", exercises={"scaled": 1}, solution=solution, checks=checks, files=files)


def digest(course: Path) -> str:
    return fingerprint.of_assignment(load_assignment(course, "demo"))


@pytest.mark.parametrize(
    "name",
    [
        "graders/demo/test_demo.py",
        "graders/demo/assignment.toml",
        "graders/demo/cases",
        "graders/demo/data/more.csv",
        "graders/demo/.hidden",
        "graders/demo/weights.pt",
        "graders/demo/Makefile",
        "solutions/demo/demo.py",
        "solutions/demo/factor",
        "solutions/demo/images/cat.png",
    ],
)
def test_every_kind_of_file_counts(course, name):
    before = digest(course)
    path = course / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    changed = digest(course)
    assert changed != before
    path.rename(path.with_name("renamed" + path.suffix)) if "assignment" not in name else path.touch()
    if "assignment" not in name:
        assert digest(course) not in (before, changed)


def test_files_behind_links_count_and_links_in_a_circle_do_no_harm(course, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "table").write_text("1")
    (course / "graders/demo/linked").symlink_to(outside)
    (course / "solutions/demo/alone").symlink_to(outside / "table")
    (course / "graders/demo/again").symlink_to(course / "graders/demo")
    before = digest(course)
    (outside / "table").write_text("2")
    assert digest(course) != before


def test_what_python_leaves_behind_does_not_count(course):
    before = digest(course)
    (course / "graders/demo/__pycache__").mkdir()
    (course / "graders/demo/__pycache__/test_demo.cpython-311.pyc").write_bytes(b"made by Python")
    assert digest(course) == before


def test_where_the_course_lies_does_not_count(course, tmp_path):
    before = digest(course)
    assert digest(course.rename(tmp_path / "elsewhere")) == before


def test_a_file_that_cannot_be_read_is_named(course, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageError, match=r"Cannot read .*: Permission denied; make it readable or remove it"):
        digest(course)


def test_every_option_of_a_job_counts_and_its_place_does_not():
    job = Job("here", "demo", SUBMISSION)
    variants = [
        Job("here", "demo", SUBMISSION, salt="other"),
        Job("here", "demo", SUBMISSION, explain=False),
        Job("here", "demo", SUBMISSION, exercises=("scaled",)),
        Job("here", "demo", SUBMISSION, until=(Status.FAILED,)),
        Job("here", "demo", SUBMISSION, device="cpu"),
        Job("here", "demo", SUBMISSION, device="cuda"),
        Job("here", "demo", SUBMISSION, only_timed=True),
        Job("here", "other", SUBMISSION),
        Job("here", "demo", Submission("demo.py", "demo.py", (Cell("demo.py", "scaled = 1\n"),), False)),
    ]
    marks = [fingerprint.of_job("assignment", variant) for variant in (job, *variants)]
    assert len(set(marks)) == len(marks)
    assert fingerprint.of_job("assignment", Job("elsewhere", "demo", SUBMISSION)) == marks[0]
    assert fingerprint.of_job("another", job) != marks[0]


def test_the_engine_counts_whatever_its_files_are_called(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").touch()
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr("autograder.__file__", str(tmp_path / "__init__.py"))
    marks = {fingerprint.of_engine()}
    for name in ("engine.py", "templates/page.css", "LIMITS"):
        (tmp_path / name).write_text("x")
        marks.add(fingerprint.of_engine())
    assert len(marks) == 4


@pytest.mark.slow
def test_a_changed_file_of_data_changes_the_grades_of_the_next_batch(course, tmp_path):
    """The reference's answers are kept between commands; those of another solution must not be used."""
    class_, out = tmp_path / "class", tmp_path / "out"
    class_.mkdir()
    (class_ / "ada.py").write_text("def scaled(x):\n    return 2 * x\n")

    def graded(*options: str) -> tuple[float, str]:
        done = autograder(
            "batch", class_, "-a", "demo", "-o", out, "--course", course, "--no-timing", "--accept", *options
        )
        assert done.returncode == 0, done.stdout + done.stderr
        record = Store(out).record("ada")
        assert record is not None
        assert record.whole().fingerprint == record.fingerprint
        return record.points, record.fingerprint

    first = graded()
    assert first[0] == 1
    (course / "solutions/demo/factor").write_text("3")
    for options in ((), ("--force",)):
        points, mark = graded(*options)
        assert points == 0
        assert mark != first[1]
    assert os.environ["AUTOGRADER_CACHE"]  # or nothing would be kept, and nothing tested
