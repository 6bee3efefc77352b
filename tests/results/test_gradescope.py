from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import pytest

from autograder.errors import UsageError
from autograder.output import atomic
from autograder.results import gradescope
from autograder.results.gradescope import leaderboard, to_gradescope, write
from autograder.results.model import (
    CheckResult,
    Counterexample,
    ExerciseResult,
    Result,
    Shown,
    State,
    Status,
    Visibility,
)
from autograder.results.overview import Settlement
from results import result_samples as samples

SCHEMA = json.loads((Path(__file__).parent / "gradescope.schema.json").read_text(encoding="utf-8"))
HOSTILE = "</pre><script>alert(1)</script> <b>**md** [red]x[/red] "
HOSTILE += "\x1b[31m\x1b]0;t\x07 \x00\x08\x9b \ud800\udfff \u202e\u200b\r\n\t"


def valid(result: Result, settlement: Settlement | None = None) -> Any:
    """What a reader of the file gets, checked against the schema."""
    text = json.dumps(to_gradescope(result, settlement), allow_nan=False)
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    return document


def hostile(text: str) -> Result:
    shown = Shown(text, text, text)
    check = CheckResult(
        text,
        text,
        text,
        Status.FAILED,
        4.0,
        1.0,
        text,
        text,
        Counterexample(text, (shown,) * 3, shown, shown),
        text,
    )
    return Result(
        text,
        text,
        text,
        State.GRADED,
        (ExerciseResult(text, 4.0, (check,)),),
        text,
        (text,),
        {text: text},
        text,
    )


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_graded_submission() -> None:
    document = valid(samples.typical())
    assert document["score"] == 13.5
    assert document["execution_time"] == 3.22
    assert document["extra_data"]["assignment"] == "pooling"
    assert document["extra_data"]["exercises"]["naive_pooling"] == {"score": 5.5, "max_score": 18.0}
    assert "13.5 of 41 points" in document["output"]
    assert "1 check could not be graded: the grader itself failed" in document["output"]
    test = document["tests"][2]
    assert test["name"] == "naive_pooling: max pooling equals the reference, for inputs of every sign"
    assert test["number"] == "2.2"
    assert (test["score"], test["max_score"], test["status"]) == (1.5, 6.0, "failed")
    assert test["tags"] == ["naive_pooling"]
    assert test["extra_data"]["exercise"] == "naive_pooling"
    assert test["extra_data"]["check"] == "test_max_pooling"
    assert "Hint: your windows" in test["output"]


def test_only_passed_is_passed() -> None:
    document = valid(samples.typical())
    assert [(test["status"], test["extra_data"]["status"]) for test in document["tests"]] == [
        ("passed", "passed"),
        ("passed", "passed"),
        ("failed", "failed"),
        ("failed", "timeout"),
        ("failed", "error"),
        ("failed", "failed"),
        ("failed", "skipped"),
    ]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Max pooling works.", "e: max pooling works"),
        ("ReLU works", "e: ReLU works"),
        ("A window fits.", "e: a window fits"),
        ("Conv2D works.", "e: Conv2D works"),
        ("X is kept", "e: X is kept"),
        ("", "e: test_it"),
    ],
)
def test_names_read_as_one_sentence(title: str, name: str) -> None:
    check = CheckResult("e", "test_it", title, Status.PASSED, 1.0, 1.0)
    assert valid(samples.result(ExerciseResult("e", 1.0, (check,))))["tests"][0]["name"] == name


def test_a_failed_grader_is_not_the_students_fault() -> None:
    output = valid(samples.typical())["tests"][4]["output"]
    assert "not your fault" in output
    assert "4711" not in output
    whole = valid(samples.typical(state=State.ERROR))
    assert "not your fault" in whole["output"]


def test_an_unfinished_result_is_valid_and_lists_every_exercise_with_nothing() -> None:
    document = valid(samples.unfinished())
    assert document["score"] == 0
    assert document["tests"] == []
    assert "not finished" in document["output"]
    assert document["extra_data"]["exercises"]["pool2d"] == {"score": 0.0, "max_score": 10.0}


def test_the_notice_is_shown() -> None:
    assert "syntax error, line 12" in valid(samples.typical(notice="syntax error, line 12"))["output"]


def test_nothing_meant_for_the_instructor_is_in_the_file() -> None:
    text = json.dumps(to_gradescope(samples.typical(log=("SECRET-LOG",), environment={"uid": "SECRET-ENVIRONMENT"})))
    assert "SECRET" not in text


def test_the_text_does_not_give_away_points_of_checks_shown_later() -> None:
    document = valid(samples.hidden())
    assert document["tests"][0]["visibility"] == "after_due_date"
    assert "points" not in document["output"]
    assert not any(character.isdigit() for character in document["output"])


def test_policies_decide_the_score_and_explain_it() -> None:
    document = valid(samples.typical(), Settlement(10.0, ("A day late.",), ("13.5 points earned.",)))
    assert document["score"] == 10
    assert "10 of 41 points\n\nA day late.\n\n13.5 points earned." in document["output"]


def test_policies_do_not_give_away_points_of_checks_shown_later() -> None:
    document = valid(samples.hidden(), Settlement(0.5, ("Late.",), ("1 point earned.",)))
    assert "Late." in document["output"]
    assert not any(character.isdigit() for character in document["output"])


def test_a_submission_that_policies_kept_from_grading_says_why_and_has_no_table() -> None:
    result = samples.result(ExerciseResult("e", 60.0), seconds=0.0)
    document = valid(result, Settlement(55.0, ("Too many today.",), graded=False))
    assert (document["score"], document["tests"]) == (55, [])
    assert document["output"] == "Pooling from scratch: not graded\n\nToo many today."


@pytest.mark.parametrize("score", [math.nan, math.inf, -3.0, 1e9])
def test_a_score_from_policies_is_finite_and_within_the_points_there_are(score: float) -> None:
    assert 0 <= valid(samples.typical(), Settlement(score))["score"] <= 41


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 10_000, "\ud800", "\x1b" * 100_000, "", "\u202e", " "])
def test_hostile_text_is_inert_and_short(text: str) -> None:
    valid(hostile(text))


def test_a_message_of_100_mb_is_cut() -> None:
    document = valid(hostile("x" * 100_000_000))
    assert "characters left out" in document["tests"][0]["output"]
    assert len(json.dumps(document)) < 50_000


def test_markup_is_shown_as_it_is() -> None:
    document = valid(hostile("</pre><script>"))
    assert "</pre><script>" in document["tests"][0]["output"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1.0])
def test_numbers_are_finite_and_not_negative(number: float) -> None:
    check = msgspec.structs.replace(samples.PASSED, seconds=number)
    document = valid(samples.result(ExerciseResult("e", number, (check,)), seconds=number))
    assert document["score"] <= document["extra_data"]["max_score"]


def test_the_file_is_complete_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    mask = os.umask(0o022)
    try:
        write(samples.typical(), path)
    finally:
        os.umask(mask)
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), SCHEMA)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_the_umask_is_honoured(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        write(samples.typical(), tmp_path / "results.json")
    finally:
        os.umask(mask)
    assert (tmp_path / "results.json").stat().st_mode & 0o777 == 0o600


def test_a_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write(samples.unfinished(), path)
    with path.open(encoding="utf-8") as old:
        write(samples.typical(), path)
        assert json.load(old)["score"] == 0
    assert json.loads(path.read_text(encoding="utf-8"))["score"] == 13.5


def test_a_link_at_the_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "results.json"
    path.symlink_to(victim)
    write(samples.typical(), path)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    assert json.loads(path.read_text(encoding="utf-8"))["score"] == 13.5


def test_a_write_that_breaks_off_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    write(samples.unfinished(), path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write(samples.typical(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        write(samples.typical(), tmp_path / "nowhere" / "results.json")


def test_a_folder_at_the_place_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    with pytest.raises(UsageError, match="Cannot write") as caught:
        write(samples.typical(), tmp_path / "results.json")
    assert "\n" not in str(caught.value)


def test_a_device_is_left_alone() -> None:
    with pytest.raises(UsageError, match="device"):
        write(samples.typical(), Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Permission denied"):
        write(samples.typical(), tmp_path / "results.json")


def test_importing_the_writer_loads_nothing_heavy() -> None:
    code = "import sys, autograder.results.gradescope; print({'rich', 'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- timed checks on the leaderboard ---------------------------------------------------------------------------------


def timed(ratio: float = 1.25, seconds: float | None = 0.0213, **changes: Any) -> Any:
    values: dict[str, Any] = {"exercise": "pool2d", "name": "speed", "status": Status.PASSED, "points": 2.0}
    values |= {"visibility": Visibility.VISIBLE, "timing": SimpleNamespace(ratio=ratio, seconds=seconds)}
    return SimpleNamespace(**(values | changes))


def test_the_ratio_is_shown_and_seconds_only_if_asked_for() -> None:
    ratio = {"name": "pool2d (speed): time, as a multiple of the reference", "value": 1.25, "order": "asc"}
    assert leaderboard([timed()]) == [ratio]
    seconds = {"name": "pool2d (speed): seconds", "value": 0.0213, "order": "asc"}
    assert leaderboard([timed()], seconds=True) == [ratio, seconds]
    assert leaderboard([timed(seconds=None)], seconds=True) == [ratio]


@pytest.mark.parametrize(
    "check",
    [
        timed(timing=None),
        timed(math.nan),
        timed(math.inf),
        timed(status=Status.FAILED, points=0.0),
        timed(visibility=Visibility.HIDDEN),
        timed(status=Status.EXCUSED),
    ],
)
def test_what_is_not_timed_not_earned_or_not_shown_is_left_out(check: Any) -> None:
    assert leaderboard([check]) == []


def test_who_earned_a_part_is_listed() -> None:
    assert leaderboard([timed(status=Status.FAILED, points=0.5)])


def test_texts_that_cannot_be_made_cost_no_points(monkeypatch, tmp_path, capsys):
    def check_text(check: CheckResult) -> str:
        if check.message:
            raise NotImplementedError("no numbers here")
        return check.title

    monkeypatch.setattr(gradescope, "check_text", check_text)
    exercise = ExerciseResult("naive_pooling", 10, (samples.PASSED, samples.FAILED))
    result = Result("pooling", "Pooling", "ada", State.GRADED, (exercise,), notice="Odd.")
    write(result, tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert (document["score"], [test["score"] for test in document["tests"]]) == (5.5, [4.0, 1.5])
    assert document["tests"][1]["output"] == samples.FAILED.title
    assert capsys.readouterr().err == (
        "autograder: ada: The result is written without explanations, because they cannot be shown: "
        "NotImplementedError: no numbers here\n"
    )
