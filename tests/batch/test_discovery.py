"""Which submissions are found in the folders that platforms make, and under which names."""

from __future__ import annotations

import os

import pytest

from autograder.batch.discovery import Student, discover
from autograder.errors import UsageError
from toy_course import write_files


def put(folder, *names):
    write_files(folder, dict.fromkeys(names, "x = 1\n"))


def test_a_file_a_folder_and_a_zip_are_a_submission_each(tmp_path):
    put(tmp_path, "ada.py", "bob/pooling.ipynb", "chen.zip", "notes.txt", ".DS_Store", "__MACOSX/x.py")
    roster = discover(tmp_path, "pooling")
    assert [found.name for found in roster.found] == ["ada", "bob", "chen"]
    assert roster.left_out == ["notes.txt is left out: it is not a .py, .ipynb or .zip file or a folder"]


def test_two_submissions_of_one_name_keep_their_endings(tmp_path):
    put(tmp_path, "ada.py", "ada.ipynb")
    assert [found.name for found in discover(tmp_path, "pooling").found] == ["ada.ipynb", "ada.py"]


def test_our_own_output_is_no_submission(tmp_path):
    put(tmp_path, "ada.py", "out/grades.csv")
    assert [found.name for found in discover(tmp_path, "pooling", tmp_path / "out").found] == ["ada"]


def test_nbgraders_layout_gives_the_students_of_this_assignment_and_names_those_without(tmp_path):
    put(tmp_path, "ada/pooling/pooling.ipynb", "bob/convolution/convolution.ipynb", "chen/pooling/timestamp.txt")
    roster = discover(tmp_path, "pooling")
    assert [(found.name, found.path) for found in roster.found] == [
        ("ada", str(tmp_path / "ada/pooling")),
        ("chen", str(tmp_path / "chen/pooling")),
    ]
    assert roster.left_out == ["bob handed in nothing for pooling"]


METADATA = """\
---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0815'
    :email: ada@example.org
  - :name: Grace Hopper
    :sid:
    :email: grace@example.org
  :created_at: 2026-11-01 10:00:00.000000000 +01:00
  :score: 10.0
  :results:
    tests:
    - output: |
        submission_12:
          :submitters:
submission_12:
  :submitters:
  - :name: "=cmd()"
    :sid: '1'
    :email: m@example.org
submission_13:
  :submitters: !ruby/object:Oops {}
"""


def test_a_gradescope_export_tells_who_handed_in_what_also_as_a_group(tmp_path):
    put(tmp_path, *(f"submission_{number}/pooling.py" for number in (11, 12, 13)))
    (tmp_path / "submission_metadata.yml").write_text(METADATA)
    found = {each.name: each.students for each in discover(tmp_path, "pooling").found}
    assert found["submission_11"] == (
        Student("Ada Lovelace", sis_id="0815", login="ada@example.org"),
        Student("Grace Hopper", login="grace@example.org"),
    )
    assert found["submission_12"][0].name == "=cmd()"
    assert found["submission_13"] == (Student("submission_13", login="submission_13"),)


def test_downloads_of_moodle_and_canvas_tell_the_student_in_their_names(tmp_path):
    put(tmp_path, "Ada Lovelace_4711_assignsubmission_file/pooling.py", "hoppergrace_LATE_815_99_pooling-1.py")
    assert [found.students for found in discover(tmp_path, "pooling").found] == [
        (Student("Ada Lovelace"),),
        (Student("hoppergrace", id="815"),),
    ]


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "-rf", "new\nline", "con", "e" * 250, "\udcff", "a\\b"]
)
def test_a_hostile_name_becomes_a_harmless_file_name_and_stays_readable_text(tmp_path, name):
    put(tmp_path, f"{name}/pooling.py")
    (found,) = discover(tmp_path, "pooling").found
    assert os.fsencode(found.name).decode().isprintable()
    assert not set(found.name) & set("<>\n\\/:")
    assert not found.name.startswith(("-", "."))
    assert len(found.name.encode()) < 150
    assert "\n" not in found.label


def test_names_that_differ_only_in_what_file_systems_ignore_get_different_files(tmp_path):
    put(tmp_path, "ada/pooling.py", "ADA/pooling.py", "a?/pooling.py", "a*/pooling.py")
    names = [found.name.casefold() for found in discover(tmp_path, "pooling").found]
    assert len(set(names)) == 4


def test_where_there_is_nothing_to_grade_one_sentence_says_so(tmp_path):
    with pytest.raises(UsageError, match="No submissions in"):
        discover(tmp_path, "pooling")
    with pytest.raises(UsageError, match="No such file"):
        discover(tmp_path / "nowhere", "pooling")
    put(tmp_path, "ada.py")
    with pytest.raises(UsageError, match="is not a folder"):
        discover(tmp_path / "ada.py", "pooling")
