"""`autograder compare` as an instructor types it."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.cli import main
from autograder.course.commits import at_commit
from autograder.fingerprint import Parts
from autograder.results.model import State
from batch.made_by_hand import result_of
from batch.tiny_course import RIGHT, WRONG, batch, make_class, make_course, until, varied
from command_line import ROOT, autograder, command_line

OLD = Parts("graders", "solution", "engine", "salt", "nothing", "code", "file")
HOSTILE = "=cmd()"


def folder(path: Path, class_: dict[str, object], parts: Parts, slug: str = "tiny") -> Path:
    """Results made by hand; None is no result yet, and "error" a failure of ours."""
    with Store(path) as store:
        found = tuple(Found(name, name, f"/nowhere/{name}", (Student(name),)) for name in class_)
        store.call(Roll(slug, "Tiny", {"both": 4.0}, found))
        for each in found:
            worth = class_[each.name]
            if worth is not None:
                result = result_of(worth if isinstance(worth, dict) else {"both": {}})
                result = replace(result, state=State.ERROR) if worth == "error" else result
                store.adopt(each, record_of(result, "f", Graded(), made_from=parts))
    return path


def both(first: float, second: float) -> dict[str, dict[str, float]]:
    return {"both": {"first": first, "second": second}}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Everything that can happen to a grade when a grader and a solution change."""
    old = {"falls": both(2, 2), "rises": both(0, 2), "same": both(1, 1), "within": both(0, 2), "fails": both(1, 1)}
    old |= {"unlucky": "error", "late": None, "gone": both(1, 1), HOSTILE: both(1, 1), "renamed": both(2, 1)}
    new = {"falls": both(1, 0), "rises": both(1.5, 2), "same": both(1, 1), "within": both(2, 0), "fails": "error"}
    new |= {"unlucky": both(2, 2), "late": both(1, 0), "new": both(1, 1), HOSTILE: {"both": {"first": 2}}}
    new |= {"renamed": {"other": {"first": 2, "second": 2}}}
    now = replace(OLD, graders="other", solution="other")
    return folder(tmp_path / "old", old, OLD), folder(tmp_path / "new", new, now)


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], env={"COLUMNS": "150"})


def table(path: Path) -> dict[str, dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {row["Submission"]: row for row in csv.DictReader(file)}


def test_everyone_is_in_the_table_with_what_happened_to_their_grade_and_why(folders, tmp_path):
    done = compare(*folders, "--csv", tmp_path / "t.csv")
    assert done.exit_code == 3, done.output
    rows = table(tmp_path / "t.csv")
    assert {name: (row["What"], row["Change"]) for name, row in rows.items()} == {
        "falls": ("falls", "-3"),
        "rises": ("rises", "1.5"),
        "same": ("same", "0"),
        "within": ("same", "0"),
        "fails": ("could not be graded", ""),
        "unlucky": ("new", ""),
        "late": ("new", ""),
        "gone": ("no result any more", ""),
        "new": ("new", ""),
        f"'{HOSTILE}": ("rises", "0"),  # a check is gone, and so the rest is worth more
        "renamed": ("rises", "1"),
    }
    assert rows["falls"]["Why"] == "grader, solution"
    assert rows["same"]["Why"] == ""
    assert rows["falls"]["Checks"] == "both/first passed (−1); both/second passed → failed (−2)"
    assert rows["within"]["Checks"] == "both/first failed → passed (+2); both/second passed → failed (−2)"
    assert rows["renamed"]["Checks"].split("; ")[0] == "other/first new, passed (+2)"
    assert rows["renamed"]["Checks"].split("; ")[-1] == "both/second gone (−1)"
    assert (rows["late"]["Before"], rows["late"]["After"], rows["late"]["Maximum after"]) == ("", "1", "4")
    assert "11 submissions: 1 falls, 3 rise, 2 keep their grade, 3 have a first grade, 1 has no result" in done.output
    assert done.output.index("falls ") < done.output.index("rises ")


def test_the_exit_code_says_whether_a_grade_falls_or_nothing_can_be_said(tmp_path):
    best = folder(tmp_path / "a", {"ada": both(2, 2)}, OLD)
    assert compare(best, best).exit_code == 0
    assert compare(best, folder(tmp_path / "b", {"ada": "error"}, OLD)).exit_code == 1
    assert compare(best, folder(tmp_path / "c", {"ada": None}, OLD)).exit_code == 0
    worse = folder(tmp_path / "d", {"ada": both(2, 1)}, OLD)
    assert "no known reason (1)" in compare(best, worse).output
    assert compare(worse, best).exit_code == 0


def test_a_student_is_found_in_another_download_with_other_names(tmp_path):
    old = folder(tmp_path / "old", {"submission_1": both(2, 2), "submission_2": both(1, 1)}, OLD)
    new = folder(tmp_path / "new", {"submission_9": both(1, 2), "submission_2": both(1, 1)}, OLD)
    for store, name in ((Store(old), "submission_1"), (Store(new), "submission_9")):
        roll = store.roll()
        found = [replace(each, students=(Student("Ada"),)) if each.name == name else each for each in roll.found]
        with store:
            store.call(replace(roll, found=tuple(found)))
    assert compare(old, new, "--csv", tmp_path / "t.csv").exit_code == 3
    assert {name: row["Change"] for name, row in table(tmp_path / "t.csv").items()} == {
        "submission_1": "-1",
        "submission_2": "0",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{old}"], "Name two folders of results, or one and --regrade"),
        (["{old}", "{old}", "--regrade"], "Name two folders of results, or one and --regrade"),
        (["{old}", "{old}", "--commit", "HEAD"], "add --regrade"),
        (["{old}", "{other}"], "has results of tiny, and"),
        (["{old}", "{old}/nowhere"], "has no results of `autograder batch`"),
        (["{old}", "--regrade"], "None of the 1 submissions can still be read"),
        (["{old}", "{old}", "--csv", "{old}/nowhere/t.csv"], "Cannot write"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_sentence_and_exit_code_2(tmp_path, arguments, words):
    names = {
        "old": folder(tmp_path / "old", {"ada": both(2, 2)}, OLD),
        "other": folder(tmp_path / "other", {"ada": both(2, 2)}, OLD, "huge"),
    }
    done = compare(*(each.format(**names) for each in arguments))
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert words in done.output


def test_the_graders_of_a_commit_are_those_that_git_has(tmp_path):
    course = make_course(tmp_path / "repository" / "course")

    def git(*command: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", "-C", course, *who, *command], check=True, capture_output=True)

    subprocess.run(["git", "init", "-q", course.parent], check=True)
    git("add", ".")
    git("commit", "-q", "-m", "first")
    path = course / "graders/tiny/test_tiny.py"
    before = path.read_text()
    path.write_text("changed")
    with at_commit(course, "HEAD", "tiny") as assignment:
        assert (assignment.graders / path.name).read_text() == before
        assert assignment.solution.read_text() == RIGHT
        there = assignment.root
    assert not there.exists()
    for commit, slug, words in (
        ("HEAD~7", "tiny", "There is no commit 'HEAD~7'"),
        ("--all", "tiny", "There is no commit '--all'"),
        ("HEAD", "huge", "The commit 'HEAD' has no graders/huge and solutions/huge"),
    ):
        with pytest.raises(Exception, match=words), at_commit(course, commit, slug):
            pass


CHANGED = ("lambda m: m.negate(x)", "lambda m: (m.negate(x), hasattr(m, 'UNUSED'))")


@pytest.fixture(scope="module")
def regraded(tmp_path_factory):
    """A class of 60 that was graded in full before and after a change of a grader, and its course as it is now."""
    root = tmp_path_factory.mktemp("compare")
    course = make_course(root / "course")
    kinds = (RIGHT, WRONG, varied(RIGHT, 0), varied(WRONG, 0), "def double(x:\n", RIGHT.replace("2 * x", "3 * x"))
    sources = {f"s{number:02}": f"{kinds[number % 6]}# {number}\n" for number in range(60)}
    class_ = make_class(root / "class", sources)
    assert batch(course, class_, root / "before", "--no-timing").returncode == 0
    path = course / "graders/tiny/test_tiny.py"
    assert CHANGED[0] in path.read_text()
    path.write_text(path.read_text().replace(*CHANGED))
    assert batch(course, class_, root / "after", "--no-timing").returncode == 0
    return root, course


@pytest.mark.slow
def test_grading_a_class_again_gives_what_two_full_runs_give_even_if_it_was_killed(regraded, tmp_path):
    root, course = regraded
    before = shutil.copytree(root / "before", tmp_path / "out")
    kept = {path: path.read_bytes() for path in before.rglob("*") if path.is_file()}
    regrade = ("compare", before, "--regrade", "--course", course)
    proposed = before / ".autograder" / "proposed"
    with subprocess.Popen(command_line(*regrade, "--jobs", 1), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        until(lambda: len(list(proposed.glob("*.json"))) >= 10)
        everyone = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(everyone, timeout=15)
    assert kept == {path: path.read_bytes() for path in kept}
    whole = [json.loads(path.read_text())["fingerprint"] for path in proposed.glob("*.json")]
    assert 10 <= len(whole) < 60
    again = autograder(*regrade, "--csv", tmp_path / "again.csv")
    full = autograder("compare", root / "before", root / "after", "--csv", tmp_path / "full.csv")
    assert (again.returncode, full.returncode) == (3, 3), again.stderr + full.stderr
    assert table(tmp_path / "again.csv") == table(tmp_path / "full.csv")
    assert len(table(tmp_path / "full.csv")) == 60
    assert "10 fall" in full.stdout
    assert kept == {path: path.read_bytes() for path in kept}
    assert not list(before.rglob("*.tmp"))
