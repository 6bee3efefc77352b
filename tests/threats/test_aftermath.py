"""What must be true after all the attacks in this folder. (Run the whole folder: these tests look at what others mounted.)"""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

from pathlib import Path

import pytest

STRAYS = ("/tmp", "/var/tmp", "/dev/shm", "/", "/run")


def test_the_command_says_graded(graded):
    assert graded.code == 0
    assert "Traceback" not in graded.stdout + graded.stderr
    states = {result.data["extra_data"]["state"] for result in graded.results.values()}
    assert states == {"graded"}


def test_honest_submissions_in_between_were_graded_as_if_nothing_had_happened(graded):
    def essence(data):
        tests = [{**test, "extra_data": {**test["extra_data"], "seconds": 0}} for test in data["tests"]]
        identity = {"fingerprint": "", "file": ""}
        return data | {"execution_time": 0, "tests": tests, "extra_data": data["extra_data"] | identity}

    witnesses = [result.data for name, result in graded.results.items() if "witness" in name]
    first, *others = witnesses
    assert first["score"] == 12
    for other in others:
        assert essence(other) == essence(first)


def test_no_process_is_left(graded):
    assert graded.course.left_alive() == {}


def test_no_scratch_folder_is_left(graded):
    assert graded.course.scratch() == []


def test_nothing_was_left_elsewhere(graded):
    folders = (*STRAYS, graded.course.submissions, graded.course.root / "results")
    assert [path for folder in folders for path in Path(folder).glob("stray*")] == []
    assert list((graded.course.root / "home").iterdir()) == []


def test_course_and_submissions_are_as_they_were(graded):
    assert graded.before == graded.after


def test_the_working_directory_stays_clean(graded):
    assert not (graded.course.root / "course/.hypothesis").exists()


def test_there_is_one_result_for_each_submission_and_nothing_else(graded):
    results = {path.name for path in (graded.course.root / "results").iterdir()}
    assert results == {f"{name}.json" for name in graded.results}


def test_nothing_secret_reached_an_output(graded):
    everything = graded.stdout + graded.stderr + "".join(result.text for result in graded.results.values())
    for place, secret in graded.course.secrets.items():
        assert secret not in everything, place


def test_the_walls_of_this_machine_are_known(graded):
    """An ordinary user cannot change the uid, and the instructor (not the student) is told so."""
    missing = {
        line.split("confinement without ")[1].split(":")[0]
        for line in graded.stderr.splitlines()
        if "confinement without" in line
    }
    allowed = {"uid"} if graded.course.runner.kind == "ordinary" else set()
    if missing - allowed:
        pytest.skip(f"this machine lacks {', '.join(sorted(missing - allowed))}")
    assert all("confinement" not in result.text for result in graded.results.values())
