"""A course of another subject, begun with `autograder new`: its graders are right, and as short as the pages say."""

from __future__ import annotations

import shutil
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from autograder.authoring.scaffold import assignment_files
from command_line import ROOT, autograder

COURSE = ROOT / "examples" / "foreign_course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy: the original lies inside another course."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


@pytest.mark.slow
def test_its_graders_are_right_and_its_files_up_to_date(course):
    done = autograder("verify", cwd=course)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        done.stdout.count("No problems, 2 warnings; 8 of 8 misconceptions caught") == 2
    )  # 4 each, where 5 are advised
    done = autograder("release", "--check", cwd=course)
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_exercises_take_as_many_lines_as_the_page_says():
    exercises = ["layer_norm", "attention"]
    lines = written = 0
    for name, template in assignment_files("attention", exercises).items():
        if not name.endswith(".md"):
            before, after = (
                [line for line in text.splitlines() if line.strip()]
                for text in (template, (COURSE / name).read_text(encoding="utf-8"))
            )
            changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            lines += len(after)
            written += sum(end - start for kind, _, _, start, end in changes if kind in ("insert", "replace"))
    assert written <= 120
    page = " ".join((ROOT / "docs" / "authoring.md").read_text(encoding="utf-8").split())
    assert f"{lines} lines that are not empty, of which the author wrote {written}" in page
    for exercise in exercises:
        grader = next((COURSE / "graders" / "attention").glob(f"test_*_{exercise}.py")).read_text(encoding="utf-8")
        known = (COURSE / "graders" / "attention" / "misconceptions.py").read_text(encoding="utf-8")
        assert grader.count("def test_") == 6
        assert known.count(f'@misconception("{exercise}"') == 4
