"""`autograder batch` as an instructor types it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from batch.tiny_course import HANGING, RIGHT, WRONG, batch, make_class, make_course

CLASS = {
    "ada": RIGHT,
    "bob": WRONG,
    "chen": HANGING,
    "dana": RIGHT,
    "emil": "def double(x:\n",
    "fatou": "# nothing\n",
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory, course):
    """The whole class, and a run over it."""
    folder = tmp_path_factory.mktemp("batch")
    class_ = make_class(folder / "class", CLASS)
    (class_ / "goran").mkdir()
    (class_ / "goran" / "letter.txt").write_text("My dog ate it.")
    (class_ / "readme.txt").write_text("not a submission")
    return class_, folder / "out", batch(course, class_, folder / "out")


def grades(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return {row["Student"]: row for row in csv.DictReader(file)}


def published(out: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}


def test_every_submission_has_its_result_file_and_its_row(graded):
    _, out, done = graded
    assert (done.returncode, done.stderr) == (0, "")
    scores = {name: result["score"] for name, result in published(out).items()}
    assert scores == {"ada": 5, "bob": 3, "chen": 2, "dana": 5, "emil": 0, "fatou": 0, "goran": 0}
    rows = grades(out)
    assert {name: row["tiny (total)"] for name, row in rows.items()} == {name: f"{s:g}" for name, s in scores.items()}
    assert rows["bob"]["tiny: double"] == "3"
    assert rows["bob"]["tiny: negate"] == "0"
    assert list(rows["bob"])[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def test_each_submission_that_had_trouble_has_one_line(graded):
    lines = graded[2].stdout.splitlines()
    assert [line for line in lines if line.startswith("chen: 1 time-out")]
    assert [line for line in lines if line.startswith("emil: tiny.py could not be read as Python")]
    assert [line for line in lines if line.startswith("goran: No file named tiny.py")]
    assert [line for line in lines if line.startswith("readme.txt is left out")]
    assert not [line for line in lines if line.startswith(("ada:", "bob:"))]


def test_identical_submissions_are_graded_once_and_it_is_said(graded):
    _, out, done = graded
    assert "dana: identical to ada, graded once" in done.stdout
    ours, other = (published(out)[name] for name in ("ada", "dana"))
    assert ours == other


def test_what_students_read_holds_nothing_of_the_machine(graded, course):
    _, out, _ = graded
    text = "".join(path.read_text() for path in out.glob("*.json"))
    for secret in (str(course), "same_outcome", "lambda", "pepper"):
        assert secret not in text


def test_a_second_run_grades_nothing_and_puts_back_what_was_changed(graded, course):
    class_, out, _ = graded
    before = published(out)
    (out / "ada.json").write_text("{}")
    (out / "bob.json").unlink()
    (out / "grades.csv").unlink()
    again = batch(course, class_, out)
    assert "7 submissions: 6 unchanged since the last run, 1 without a file" in again.stdout
    assert published(out) == before
    assert "bob" in grades(out)


def test_only_what_changed_is_graded_again(graded, course, tmp_path):
    class_, out, _ = graded
    shutil.copytree(class_, tmp_path / "class")
    shutil.copytree(out, tmp_path / "out")
    (tmp_path / "class" / "bob" / "tiny.py").write_text(RIGHT + "# repaired\n")
    (tmp_path / "class" / "hana").mkdir()
    (tmp_path / "class" / "hana" / "tiny.py").write_text(RIGHT)
    done = batch(course, tmp_path / "class", tmp_path / "out")
    assert "8 submissions: 1 graded, 5 unchanged since the last run, 1 identical to another" in done.stdout
    assert grades(tmp_path / "out")["bob"]["tiny (total)"] == "5"
    assert grades(tmp_path / "out")["hana"]["tiny (total)"] == "5"


@pytest.mark.slow
def test_another_grader_salt_or_force_means_grading_again(graded, tmp_path):
    class_, _, _ = graded
    few = tmp_path / "class"
    for name in ("ada", "bob"):
        shutil.copytree(class_ / name, few / name)
    own = make_course(tmp_path / "course")
    out = tmp_path / "out"
    assert "2 graded" in batch(own, few, out).stdout
    assert "2 graded" in batch(own, few, out, "--salt", "other").stdout
    assert "1 graded" in batch(own, few, out, "--salt", "other", "--force", "--only", "bob").stdout
    with open(own / "graders" / "tiny" / "test_tiny.py", "a") as file:
        file.write("\n# changed\n")
    done = batch(own, few, out, "--salt", "other", "--only", "ada")
    assert "1 submission: 1 graded" in done.stdout
    assert set(grades(out)) == {"ada", "bob"}  # the others keep their rows


def test_a_grader_that_fails_gives_nobody_a_zero_and_exit_code_1(graded, tmp_path):
    class_, _, _ = graded
    own = make_course(tmp_path / "course")
    path = own / "graders" / "tiny" / "test_tiny.py"
    path.write_text(path.read_text() + "    assert x.sum() == x.sum() + len(str(m_is_missing))\n")
    done = batch(own, class_, tmp_path / "out", "--only", "ada")
    assert done.returncode == 1
    assert "ada: grader failed" in done.stdout
    assert "because the kit failed" in done.stdout
    row = grades(tmp_path / "out")["ada"]
    assert (row["tiny (total)"], row["tiny: double"]) == ("", "")
    again = batch(own, class_, tmp_path / "out", "--only", "ada")
    assert "1 graded" in again.stdout  # an error is no result to be kept


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "nobody"], "There is no submission called 'nobody'"),
        (["--scheduler", "tcp://127.0.0.1:1", "--slurm"], "two different clusters"),
        (["--force", "--resume"], "contradict each other"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_sentence_and_exit_code_2(graded, course, tmp_path, options, words):
    done = batch(course, graded[0], tmp_path / "out", *options)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert words in done.stderr


def test_results_of_two_assignments_do_not_get_mixed(graded, course, tmp_path):
    class_, out, _ = graded
    shutil.copytree(out, tmp_path / "out")
    path = tmp_path / "out" / ".autograder" / "class.json"
    path.write_text(path.read_text().replace('"assignment":"tiny"', '"assignment":"huge"'))
    done = batch(course, class_, tmp_path / "out")
    assert done.returncode == 2
    assert "has results of huge" in done.stderr
