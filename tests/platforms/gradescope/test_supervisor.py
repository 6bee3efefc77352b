"""`run_autograder` in a fake /autograder: what it leaves behind, whatever was handed in and whatever goes wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import time

import pytest

from platforms.gradescope.fake_platform import RIGHT, Place

pytestmark = pytest.mark.slow
IS_ROOT = os.geteuid() == 0
HANGS = (
    "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    while len(x) == 100:\n        pass\n    return 3 * x\n"
)


def test_a_right_submission_gets_all_points(place: Place) -> None:
    place.submit(RIGHT)
    result = place.run()
    assert result["score"] == 10
    assert [test["number"] for test in result["tests"]] == ["1.1", "2.1", "2.2"]
    assert result["output"].startswith("Sums of numbers: 10 of 10 points")
    assert result["execution_time"] > 0
    assert "assignment sums: by the name of the file" in place.printed
    assert "layers around the submission" in place.printed


def test_folders_and_metadata_are_closed_while_grading_and_no_scratch_is_left(place: Place, monkeypatch) -> None:
    place.submit(RIGHT)
    scratch = place.root.parent / "scratch"
    scratch.mkdir(mode=0o755)
    monkeypatch.setenv("TMPDIR", str(scratch))
    place.run()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.root.iterdir()}
    assert modes["source"] == modes["submission"] == 0o700
    assert modes["submission_metadata.json"] == 0o600
    assert modes["results"] == 0o755
    assert (place.root / "results/results.json").stat().st_mode & 0o777 == 0o644
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(not IS_ROOT, reason="a worker has another uid only for root")
def test_without_landlock_modes_keep_the_submission_from_everything(place: Place, monkeypatch) -> None:
    monkeypatch.setenv("AUTOGRADER_WITHOUT_LAYERS", "landlock")
    source = f"""
import os

ROOT = {str(place.root)!r}


def double(x):
    got = []
    for path in ("source", "source/graders", "results", "submission", ""):
        try:
            got.append(os.listdir(os.path.join(ROOT, path)))
        except OSError:
            pass
    for path in ("submission_metadata.json", "source/solutions/sums/sums.py", "results/results.json", "run_autograder"):
        for mode in ("r", "a"):
            try:
                got.append(open(os.path.join(ROOT, path), mode))
            except OSError:
                pass
    raise RuntimeError(f"got {{got}}.")


def triple(x):
    return 3 * x
"""
    place.submit(source)
    result = place.run()
    assert result["score"] == 6
    assert "got []" in result["tests"][0]["output"]
    assert "confinement without landlock" in place.printed


def test_at_the_deadline_finished_checks_keep_their_points(place: Place) -> None:
    place.set("deadline_seconds = 15")
    place.submit(HANGS)
    started = time.monotonic()
    result = place.run()
    assert time.monotonic() - started < 25
    assert result["score"] == 5
    assert [(test["score"], test["max_score"]) for test in result["tests"]] == [(4, 4), (1, 1), (0, 5)]
    assert "Not reached" in result["tests"][2]["output"]
    assert "stopped after 0.25 minutes" in result["output"]
    assert result["extra_data"]["exercises"]["triple"] == {"score": 1, "max_score": 6}
    living = subprocess.run(["pgrep", "-f", str(place.root)], capture_output=True, text=True, check=False).stdout
    assert living == ""


HOSTILE = {
    "an answer that is dear to look at": "    import torch\n    return [torch.zeros(20) for _ in range(19_000)]\n",
    "a text that fills the disk": "    raise ValueError('x' * 300_000_000)\n",
    "an exception that cannot be shown": "    class Error(Exception):\n        __str__ = None\n    raise Error\n",
    "what a grader cannot take": "    return None\n",
    "a class called as a built-in one": "    raise type('ValueError', (BaseException,), {})\n",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_function_costs_its_points_and_no_more(place: Place, body: str) -> None:
    place.submit(f"def double(x):\n{body}\n\ndef triple(x):\n    return 3 * x\n")
    result = place.run(seconds=60)
    assert [test["score"] for test in result["tests"]] == [0, 1, 5]
    assert (place.root / "results/results.json").stat().st_size < 100_000


def test_an_engine_that_breaks_down_is_our_fault(place: Place) -> None:
    place.submit(RIGHT)
    (place.root / "source/graders/sums/test_sums.py").write_text("import nothing_of_that_name")
    result = place.run(code=1)
    assert result["score"] == 0
    assert result["extra_data"]["state"] == "error"
    assert "not your fault" in result["output"]
    assert "nothing_of_that_name" in place.printed
    assert "nothing_of_that_name" not in str(result)


def test_a_mistake_in_the_assignment_is_our_fault(place: Place) -> None:
    place.submit(RIGHT)
    place.set("deadline_second = 15")
    result = place.run(code=1)
    assert result["extra_data"]["state"] == "error"
    assert "deadline_second" in place.printed


def test_the_first_result_is_there_before_anything_is_read(place: Place) -> None:
    (place.root / "source/graders/sums/assignment.toml").unlink()
    place.submit(RIGHT)
    result = place.run(code=1)
    assert result["extra_data"]["state"] == "error"


def test_only_the_named_file_is_taken_and_no_link_followed(place: Place) -> None:
    (place.root / "elsewhere.py").write_text(RIGHT)
    (place.root / "submission/sums.py").symlink_to(place.root / "elsewhere.py")
    result = place.run()
    assert result["score"] == 0
    assert "link" in result["output"]


def test_without_a_file_it_says_which_one_was_looked_for(place: Place) -> None:
    place.submit(RIGHT, "homework.py")
    result = place.run()
    assert result["score"] == 0
    assert "sums.py" in result["output"]


def test_metadata_that_is_missing_or_nonsense_stops_nothing(place: Place) -> None:
    place.submit(RIGHT)
    (place.root / "submission_metadata.json").write_text('{"assignment": [], "users": 3, "created_at": "yesterday"}')
    assert place.run()["score"] == 10
    assert "does not say when" in place.printed


def test_policies_change_the_score_and_say_so(place: Place) -> None:
    place.set("late = {percent_per_day = 20}\nbest_of_previous = true")
    place.say(assignment={"due_date": "2026-11-20T12:00:00-08:00", "total_points": "20.0"})
    place.submit(RIGHT)
    result = place.run()
    assert result["score"] == 8
    assert "1 day late" in result["output"]
    assert "10 points earned, 8 after the deduction" in result["output"]
    assert "set it to 10 there" in place.printed


def test_what_an_image_holds_is_checked_when_it_is_built(place: Place) -> None:
    done = place.start("--check")
    assert (done.returncode, done.stdout) == (0, "autograder: can grade sums\n")
    (place.root / "source/default_assignment").write_text("products\n")
    done = place.start("--check")
    assert done.returncode == 1
    assert "ASSIGNMENT=products is not one of: sums" in done.stdout


def test_who_sees_a_check_stands_in_the_assignments_file(place: Place) -> None:
    path = place.root / "source/graders/sums/assignment.toml"
    text = path.read_text()
    path.write_text(text + '\n[visibility]\ntriple = "hidden"\n"triple/triple" = "after_due_date"\n')
    place.submit(RIGHT)
    result = place.run()
    assert [test["visibility"] for test in result["tests"]] == ["visible", "after_due_date", "hidden"]
    assert not any(character.isdigit() for character in result["output"])
    path.write_text(text + '\n[visibility]\n"triple/quadruple" = "hidden"\n')
    place.run(code=1)
    assert "'triple/quadruple', but there is no such check" in place.printed


def test_a_submission_that_is_refused_keeps_its_score(place: Place) -> None:
    place.set("rate_limit = {submissions = 1}")
    before = {"submission_time": "2026-11-20T10:00:00-08:00", "score": 7.5, "autograder_error": False}
    place.say(previous_submissions=[before])
    place.submit(RIGHT)
    result = place.run()
    assert (result["score"], result["tests"]) == (7.5, [])
    assert "at most 1 submission in 24 hours is graded" in result["output"]
    assert "from 2026-11-21 10:00 (UTC-0800) on" in result["output"]
