"""Which submissions are found in the folders that platforms make, and under which names."""

from __future__ import annotations

import os
import zipfile

import pytest

from autograder.batch import contents
from autograder.batch.discovery import Student, discover
from autograder.errors import UsageError
from batch.exports import NOTEBOOK as CELLS
from toy_course import write_files

NOTEBOOK = CELLS.format("x = 1")


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


CLASS = [
    "ada/pooling.py",
    "bob.py",
    "chen/pooling/pooling.ipynb",
    "dana/convolution/convolution.ipynb",
    "Emil Noe_4711_assignsubmission_file_/pooling.py",
    "hoppergrace_815_99_pooling.py",
    "Fatou O'Neil/pooling.py",
]
EXPORT = "ada:\n  :submitters:\n  - :name: Eve\nbob.py:\n  :submitters:\n  - :name: Eve\n"


@pytest.mark.parametrize(
    ("brought", "found"),
    [
        ("eve/pooling/pooling.py", 1),
        ("Eve_13_assignsubmission_file_/pooling/pooling.py", 1),
        ("pooling/pooling.py", 1),
        ("submission_7/pooling/pooling.py", 1),
        ("submission_metadata.yml", 0),
        ("submission_metadata.yml/pooling.py", 1),
        ("graders/pooling/assignment.toml", 1),
        ("solutions/pooling/pooling.py", 1),
        ("autograder/__init__.py", 1),
        (".git/config", 0),
        ("bob.txt", 0),
        ("Fatou O_Neil-41eb78be/pooling.py", 1),
        ("Fatou O_Neil-41eb78be2f0db8f0/pooling.py", 1),
    ],
)
def test_what_one_student_hands_in_never_changes_how_another_is_found(tmp_path, brought, found):
    put(tmp_path, *CLASS)
    before = discover(tmp_path, "pooling")
    write_files(tmp_path, {brought: EXPORT})
    after = discover(tmp_path, "pooling")
    assert [each for each in after.found if each in before.found] == before.found
    assert len(before.found) == 6
    assert len(after.found) == 6 + found
    assert set(before.left_out) <= set(after.left_out)
    assert len({each.name.casefold() for each in after.found}) == 6 + found


def test_no_name_can_be_foretold_that_another_gets(tmp_path):
    put(tmp_path, "a?.py")
    [found] = discover(tmp_path, "pooling").found
    put(tmp_path, f"{found.name}/pooling.py", f"{found.name.upper()}.zip")
    names = [each.name for each in discover(tmp_path, "pooling").found]
    assert found.name in names
    assert len({name.casefold() for name in names}) == 3


def test_a_folder_that_fits_both_ways_is_a_plain_submission(tmp_path):
    put(tmp_path, "ada/pooling/pooling.py", "ada/pooling.py", "bob/pooling/__init__.py", "bob/src/pooling.py")
    roster = discover(tmp_path, "pooling")
    assert [found.path for found in roster.found] == [str(tmp_path / "ada"), str(tmp_path / "bob")]
    assert str(roster) == "Found 2 submissions: 2 plain."


def test_it_is_said_what_each_entry_was_taken_for(tmp_path):
    put(tmp_path, *CLASS)
    kinds = "3 plain, 1 laid out as in nbgrader's submitted/, 1 from a Moodle download, 1 from a Canvas download"
    assert str(discover(tmp_path, "pooling")) == f"Found 6 submissions: {kinds}."


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
    put(tmp_path, *(f"submission_{number}/pooling.py" for number in (11, 12, 13, 14)))
    (tmp_path / "submission_metadata.yml").write_text(METADATA)
    roster = discover(tmp_path, "pooling")
    found = {each.name: each.students for each in roster.found}
    assert [line.split()[0] for line in roster.left_out] == ["submission_13", "submission_14"]
    assert found["submission_11"] == (
        Student("Ada Lovelace", sis_id="0815", login="ada@example.org"),
        Student("Grace Hopper", login="grace@example.org"),
    )
    assert found["submission_12"][0].name == "=cmd()"
    assert found["submission_13"] == (Student("submission_13", login="submission_13"),)


def test_downloads_of_moodle_and_canvas_tell_the_student_in_their_names(tmp_path):
    put(tmp_path, "Ada Lovelace_4711_assignsubmission_file/pooling.py", "hoppergrace_LATE_815_99_pooling-1.py")
    assert [found.students for found in discover(tmp_path, "pooling").found] == [
        (Student("Ada Lovelace", id="Participant 4711"),),
        (Student("hoppergrace", id="815"),),
    ]


@pytest.mark.parametrize(
    ("handed_in", "files", "left_out"),
    [
        (["815_99_pooling.py"], ["pooling.py"], []),
        (["815_99_pooling-1.py", "LATE_815_120_pooling-2.py"], ["pooling-2.py"], ["pooling-1.py"]),
        (["815_120_pooling.py", "815_99_pooling-9.py"], ["pooling.py"], ["pooling-9.py"]),
        (["815_99_pooling.py", "815_100_pooling.ipynb", "815_98_a.txt"], ["pooling.ipynb", "pooling.py", "a.txt"], []),
        (["815_99_pooling.zip", "815_99_pooling/pooling.py"], ["pooling.zip"], ["pooling"]),
        (["815_99_2_pooling.py", "815_text.html"], ["2_pooling.py"], ["text typed into Canvas"]),
    ],
)
def test_what_one_student_handed_in_on_canvas_is_one_submission(tmp_path, handed_in, files, left_out):
    put(tmp_path, *(f"hoppergrace_{name}" for name in handed_in))
    [found] = discover(tmp_path, "pooling").found
    assert found.students == (Student("hoppergrace", id="815"),)
    assert (list(found.files), list(found.left_out)) == (files, left_out)
    assert found.handed_in == ("late" if "LATE" in str(handed_in) else "")
    assert (found.name, found.label) == ("hoppergrace_815", "hoppergrace (815)")


def test_moodle_gives_each_participant_a_number_and_those_without_a_group_none(tmp_path):
    put(tmp_path, "Ada_7_assignsubmission_file_pooling.py", "Ada_7_assignsubmission_onlinetext_onlinetext.html")
    put(tmp_path, "Ada_8_assignsubmission_file/pooling.py", "Default group_assignsubmission_file/pooling.py")
    found = {each.label: (each.students[0].id, each.left_out) for each in discover(tmp_path, "pooling").found}
    assert found == {
        "Ada (7)": ("Participant 7", ("text typed into Moodle",)),
        "Ada (8)": ("Participant 8", ()),
        "Default group": ("", ()),
    }


def test_an_id_of_two_names_is_in_no_row(tmp_path):
    put(tmp_path, "Ada_7_assignsubmission_file_/pooling.py", "Eve_7_assignsubmission_file_/pooling.py", "x.py")
    roster = discover(tmp_path, "pooling")
    assert [student.id for found in roster.found for student in found.students] == ["", "", ""]
    assert roster.left_out == ["Ada (7) and Eve (7) have the same ID, so their rows have none: find out whose it is"]


@pytest.mark.parametrize(
    ("files", "file", "left_out", "choice"),
    [
        ({"ada/pooling.py": "", "ada/data/a.csv": "", "ada/.DS_Store": ""}, "pooling.py", ["data/a.csv"], ""),
        ({"a_1_5_pooling-1.py": "", "a_1_4_pooling.py": ""}, "pooling-1.py", ["pooling.py"], "pooling.py"),
        ({"a_1_5_helpers.py": "", "a_1_4_my_pooling.py": ""}, "my_pooling.py", ["helpers.py"], "helpers.py"),
        ({"a_1_4_x.py": "raise NotImplementedError()", "a_1_5_x.py": ""}, "x.py", ["x.py"], "x.py"),
        ({"a_1_5_x.py": "raise NotImplementedError()", "a_1_4_x.ipynb": NOTEBOOK}, "x.ipynb", ["x.py"], "x.py"),
        ({"a_1_5_pooling.ipynb": "{", "a_1_4_pooling.py": ""}, "pooling.py", ["pooling.ipynb"], "pooling.ipynb"),
    ],
)
def test_what_is_graded_and_what_is_left_out_is_named(tmp_path, files, file, left_out, choice):
    write_files(tmp_path, files)
    [found] = discover(tmp_path, "pooling").found
    submission, graded = contents.read(found, "pooling")
    assert (graded.file, list(graded.left_out)) == (file, left_out)
    assert graded.choice == (choice and f"{file} is graded, and not {choice}")
    assert str(graded) == (f"{file}, 1 code cell" if submission.is_notebook else file)


ALLOWED = ["helpers.py", "data/*.csv"]


@pytest.mark.parametrize(
    ("files", "read", "left_out"),
    [
        ({"ada/x/pooling.py": "", "ada/x/helpers.py": "", "ada/x/data/a.csv": "", "ada/b.csv": ""}, "x/", ["b.csv"]),
        ({"a_1_4_pooling.py": "", "a_1_5_helpers-1.py": "new", "a_1_4_data.csv": ""}, "", ["data.csv"]),
        ({"a_1_4_tiny.py": "", "a_1_5_helpers.py": ""}, "", []),
        ({"pooling.py": "", "helpers.py": ""}, "", []),
    ],
)
def test_files_that_may_lie_beside_it_are_named_with_it(tmp_path, files, read, left_out):
    write_files(tmp_path, files)
    found = discover(tmp_path, "pooling").found[-1]
    submission, graded = contents.read(found, "pooling", ALLOWED)
    beside = [file.name for file in submission.files]
    assert (graded.file.startswith(read), list(graded.left_out)) == (True, left_out)
    if "pooling.py" in files:  # both may be somebody's own submission
        assert beside == []
    else:
        assert str(graded).endswith(f"with {', '.join(beside)}")
        assert beside[-1] == "helpers.py"


def test_a_file_and_a_notebook_uploaded_one_by_one_are_both_graded(tmp_path):
    write_files(tmp_path, {"a_1_5_my_pooling.py": "", "a_1_4_pooling_2.ipynb": NOTEBOOK, "a_1_3_notes.zip": ""})
    [found] = discover(tmp_path, "pooling").found
    submission, graded = contents.read(found, "pooling")
    assert (submission.is_notebook, submission.other.is_notebook) == (False, True)
    assert str(graded) == "my_pooling.py and pooling_2.ipynb, 1 code cell"
    assert graded.choice == "my_pooling.py and pooling_2.ipynb are graded, and not notes.zip"


def test_a_zip_is_named_with_the_file_in_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
        archive.writestr("pooling.py", "x = 1\n")
        archive.writestr("notes.txt", "")
    [found] = discover(tmp_path, "pooling").found
    _, graded = contents.read(found, "pooling")
    assert (graded.file, graded.left_out) == ("ada.zip/pooling.py", ("notes.txt",))


def test_the_platforms_say_when_it_was_handed_in(tmp_path):
    put(tmp_path, "submission_11/pooling.py", "ada/pooling/pooling.py")
    (tmp_path / "submission_metadata.yml").write_text(METADATA)
    (tmp_path / "ada/pooling/timestamp.txt").write_text("2026-11-01 09:30:00.123456 UTC\n")
    times = {found.name: found.handed_in for found in discover(tmp_path, "pooling").found}
    assert times == {"submission_11": "2026-11-01 10:00 +01:00", "ada": "2026-11-01 09:30 UTC"}


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
