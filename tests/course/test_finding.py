"""Which folder is taken for the course: never one that may have come with what is to be graded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.course import find_course
from autograder.errors import UsageError
from toy_course import toy_course, write_files


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return toy_course(tmp_path / "course", exercises={"f": 1}, solution="")


def test_submissions_inside_a_course_are_fine_wherever_one_stands(course: Path, monkeypatch: pytest.MonkeyPatch):
    student = course / "submitted/ada/demo"
    write_files(student, {"demo.py": ""})
    for folder in (course, student):
        monkeypatch.chdir(folder)
        assert find_course(None, [student], [student.parent]) == course
        assert find_course(None, [student / "demo.py"], [student]) == course
        assert find_course(None, [course / "submitted"]) == course


@pytest.mark.parametrize(
    ("graded", "beside"),
    [
        (".", ".."),
        ("demo.py", "."),
        ("..", None),
        ("graders", "."),
        ("solutions", "."),
        ("ada", "."),
        ("graders/demo.py", "graders"),
    ],
)
def test_a_course_that_may_have_been_handed_in_is_refused_unless_it_was_named(course, monkeypatch, graded, beside):
    write_files(course, {"demo.py": "", "ada/demo.py": "", "solutions/demo/demo.py": ""})
    monkeypatch.chdir(course / "solutions")
    with pytest.raises(UsageError, match=r"may have been handed in .* name it with --course"):
        find_course(None, [course / graded], [course / beside] if beside else [])
    assert find_course(course, [course / graded]) == course


def test_a_class_folder_with_an_entry_called_graders_is_not_a_course(course: Path, monkeypatch: pytest.MonkeyPatch):
    class_ = toy_course(course / "submitted", exercises={"f": 100}, solution="")
    monkeypatch.chdir(class_)
    assert find_course(None, [class_]) == course
    assert find_course(None, [class_ / "ada"], [class_]) == course


def test_a_course_inside_another_one_has_to_be_named(course: Path, monkeypatch: pytest.MonkeyPatch):
    inner = toy_course(course / "submitted/eve", exercises={"f": 100}, solution="")
    monkeypatch.chdir(inner)
    with pytest.raises(UsageError, match=r"lies inside the course .* with --course"):
        find_course(None, [inner / "demo/demo.py"], [inner / "demo"])
    assert find_course(inner) == inner


def test_a_link_in_a_submission_does_not_lead_to_the_course(course: Path, monkeypatch: pytest.MonkeyPatch):
    """Or eve could hand in a link to it, and nobody would be graded."""
    (course / "submitted").mkdir()
    (course / "submitted/eve").symlink_to(course)
    monkeypatch.chdir(course)
    assert find_course(None, [course / "submitted/eve"], [course / "submitted"]) == course


@pytest.mark.parametrize("part", [".", "graders", "solutions", "nbgrader_config.py"])
def test_a_course_of_another_user_is_refused_unless_it_was_named(course, monkeypatch, part):
    write_files(course, {"nbgrader_config.py": "", "solutions/demo/demo.py": ""})
    monkeypatch.chdir(course)
    _give_away(course / part, monkeypatch)
    with pytest.raises(UsageError, match="belongs to another user"):
        find_course()
    assert find_course(course) == course


def test_the_user_behind_sudo_is_no_stranger(course: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(course)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if os.getuid() == 0:
        os.chown(course, 4242, -1)
    monkeypatch.setenv("SUDO_UID", str(course.stat().st_uid))
    assert find_course() == course
    monkeypatch.setenv("SUDO_UID", "4243")
    with pytest.raises(UsageError, match="belongs to another user"):
        find_course()


def test_what_a_stranger_put_into_a_folder_above_changes_nothing(course: Path, monkeypatch: pytest.MonkeyPatch):
    if os.getuid() != 0:
        pytest.skip("needs root, to make a folder of another user's")
    toy_course(course.parent, exercises={"f": 1})
    monkeypatch.chdir(course)
    _give_away(course.parent / "graders", monkeypatch)
    assert find_course() == course


def _give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes it another user's; an ordinary user, who cannot, becomes another one."""
    if os.getuid() == 0:
        os.chown(path, 4242, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
