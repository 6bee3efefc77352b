"""No grade of an unchanged submission falls unless somebody accepts it, and nothing is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.batch import gradebook
from batch.made_by_hand import HandGraded, Marker

CLASS = {"ada": "FIRST = 2\nSECOND = 2\n", "bob": "FIRST = 2\nSECOND = 1\n", "chen": "FIRST = 1\nSECOND = 1\n"}


@pytest.fixture
def class_(tmp_path: Path) -> HandGraded:
    """Graded once; then a grader changes."""
    made = HandGraded(tmp_path, CLASS)
    made.run()
    assert [made.points(name) for name in CLASS] == [4, 3, 2]
    made.change_graders()
    return made


def published(class_: HandGraded) -> dict[str, float]:
    return {path.stem: json.loads(path.read_text())["score"] for path in class_.store.folder.glob("*.json")}


def test_a_grade_that_rises_is_replaced_and_one_that_falls_only_if_it_is_accepted(class_):
    run = class_.run(Marker(1.5))  # 3 points for FIRST = 2 are too many for it: it gets none
    assert [class_.points(name) for name in CLASS] == [4, 3, 3]
    assert (run.tally.falling, run.tally.graded) == (2, 3)
    assert "bob: would fall from 3 of 4 to 1.5 of 4 points; the earlier result stays" in class_.said
    assert published(class_) == {"ada": 4, "bob": 3, "chen": 3}
    gradebook.write(class_.store)
    assert "bob,,,bob,,3,3" in (class_.store.folder / gradebook.FILE).read_text(encoding="utf-8-sig")
    grader = Marker(1.5)
    again = class_.run(grader)
    assert (again.tally.falling, again.tally.previewed, grader.graded) == (2, 2, 0)
    class_.run(grader, accept=True)
    assert grader.graded == 0
    assert published(class_) == {"ada": 0, "bob": 1.5, "chen": 3}
    assert [class_.store.proposed(name) for name in CLASS] == [None] * 3
    assert class_.store.previous("bob").points == 3


def test_whoever_hands_in_something_worse_gets_fewer_points(class_):
    class_.hands_in("ada", "FIRST = 1\nSECOND = 0\n")
    class_.run()
    assert class_.points("ada") == 1
    class_.hands_in("ada", "FIRST = (\n")
    (class_.folder / "ada.py").rename(class_.folder / "ada.ipynb")  # cannot be read at all
    class_.run()
    assert class_.points("ada") == 0


def test_a_submission_that_can_no_longer_be_read_keeps_its_grade_until_that_is_accepted(class_, monkeypatch):
    monkeypatch.setattr("autograder.submissions.reading.CAPS", {".py": 5, ".ipynb": 5})
    run = class_.run()
    assert [class_.points(name) for name in CLASS] == [4, 3, 2]
    assert (run.tally.falling, run.tally.unreadable) == (3, 3)
    class_.run(accept=True)
    assert [class_.points(name) for name in CLASS] == [0, 0, 0]


def test_a_failure_of_ours_takes_no_grade_away(class_):
    run = class_.run(Marker(dies=True), accept=True)
    assert run.tally.errors == 3
    assert published(class_) == {"ada": 4, "bob": 3, "chen": 2}
    assert all("the judge died; the earlier result stays" in line for line in class_.said)
    assert class_.run().tally.graded == 3  # an error is not kept
    assert [class_.store.proposed(name) for name in CLASS] == [None] * 3


def test_what_was_made_for_a_failure_of_ours_is_replaced_by_any_grade(class_):
    class_.hands_in("dana", "FIRST = 1\n")
    class_.run(Marker(dies=True))
    assert class_.points("dana") is None
    class_.run()
    assert class_.points("dana") == 1


def test_a_preview_changes_nothing_and_the_next_run_does_not_grade_again(class_):
    before = {path: path.read_bytes() for path in class_.store.folder.rglob("*") if path.is_file()}
    grader = Marker(1.5)
    class_.run(grader, preview=True)
    after = {path: path.read_bytes() for path in class_.store.folder.rglob("*") if path.is_file()}
    assert before.items() <= after.items()
    assert [class_.store.proposed(name).points for name in CLASS] == [0, 1.5, 3]
    class_.run(grader)
    assert grader.graded == 3
    assert [class_.points(name) for name in CLASS] == [4, 3, 3]


def test_graders_that_are_as_before_again_make_what_is_proposed_void(class_):
    class_.run(Marker(0.5))
    assert class_.store.proposed("ada")
    path = class_.course / "graders/tiny/test_tiny.py"
    path.write_text(path.read_text().replace("# changed\n", ""))
    run = class_.run()
    assert (run.tally.reused, run.tally.falling) == (3, 0)
    assert class_.store.proposed("ada") is None


def test_a_run_that_was_killed_while_it_replaced_a_result_leaves_no_lower_grade_behind(class_, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("autograder.batch.store._write", lambda folder, *_, **__: folder.name == "records" and killed())
        with pytest.raises(KeyboardInterrupt):
            class_.run(Marker(0.5), accept=True)
    assert published(class_)["ada"] == 2  # the student's file, but not yet the record
    class_.run(Marker(0.5))
    assert published(class_) == {"ada": 4, "bob": 3, "chen": 2}


def test_results_of_an_earlier_version_of_the_kit_count_as_those_of_unchanged_submissions(class_):
    for path in class_.store.folder.glob(".autograder/records/*.json"):
        fields = json.loads(path.read_text())
        del fields["made_from"]
        path.write_text(json.dumps(fields))
    run = class_.run(Marker(0.5))
    assert run.tally.falling == 3


def test_what_has_changed_is_said_and_a_submission_is_not_among_it(class_):
    class_.run()
    class_.hands_in("ada", "FIRST = 1\n")
    graders = class_.course / "graders/tiny"
    for path, words in (
        (class_.course / "solutions/tiny/tiny.py", ["solution"]),
        (graders / "test_tiny.py", ["grader"]),
        (graders / "assignment.toml", ["grader"]),
    ):
        with path.open("a") as file:
            file.write("# changed\n")
        assert outdated(class_) == (3, words)
    toml = graders / "assignment.toml"
    toml.write_text(toml.read_text().replace("pepper", "other"))
    assert outdated(class_) == (3, ["salt"])
    assert outdated(class_) == (0, [])


def outdated(class_: HandGraded) -> tuple[int, list[str]]:
    """What the next run says first; then it grades."""
    found = class_.store.roll().found
    counted = class_.run(preview=True).out_of_date(found)
    class_.run()
    return counted
