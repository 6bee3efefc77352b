"""Every format, for a perfect, a half right, a hanging, a hostile and an ungradable submission, against its schema."""

from __future__ import annotations

import base64
import json
import math
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
import xmlschema

from autograder.cli import main
from autograder.errors import UsageError
from autograder.output.workflow import commands_stopped
from autograder.results import autolab, classroom50, github, junit, prairielearn
from autograder.results.feedback import account
from autograder.results.formats import ENCODERS, FILE_NAMES
from autograder.results.model import CheckResult, ExerciseResult, Result, Shown, State, Status, Visibility
from autograder.results.pictures import pictures
from results import result_samples as samples
from results.platform_class import SOURCES, graded
from results.test_gradescope import HOSTILE, hostile

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SCHEMAS = json.loads((HERE / "platforms.schema.json").read_text())
JUNIT = xmlschema.XMLSchema(str(HERE / "junit.xsd"))
POINTS = {"perfect": 10, "half": 4, "hanging": 5.5, "hostile": 4, "ungradable": 0}
IDENTITY = {
    "CLASSROOM": "spring",
    "ASSIGNMENT": "sums",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/a1b2c3d",
    "RELEASE_URL": "https://example.org/release",
    "OWNER": "ada",
}
NOW = datetime(2026, 6, 2, 8, 0, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Result]]:
    folder = Path(tempfile.mkdtemp(prefix="formats-", dir="/tmp"))  # pytest's own folder is closed to other users
    folder.chmod(0o755)
    yield graded(folder)
    shutil.rmtree(folder)


ODD = {
    "typical": samples.typical(),
    "hidden": samples.hidden(),
    "unfinished": samples.unfinished(),
    "our failure": samples.typical(state=State.ERROR),
    "hostile names": hostile(HOSTILE),
    "nothing but marks": samples.result(
        ExerciseResult("e", 6, (msgspec.structs.replace(samples.FAILED, message="\ud800"),)), notice="\ud800\u202e"
    ),
    "long": hostile("`" * 100_000),
    "extras": samples.with_extras(),
    "class": samples.of_class("eve", 0.5, Status.FAILED),
}


def every(results: dict[str, Result]) -> dict[str, Result]:
    return results | ODD


def read_junit(result: Result) -> Any:
    data = junit.encode(result)
    JUNIT.validate(data.decode("ascii"))
    return ET.fromstring(data)


def read_json(form: str, data: bytes) -> Any:
    document = json.loads(data, parse_constant=lambda constant: pytest.fail(constant))
    jsonschema.validate(document, {"$ref": f"#/$defs/{form}", "$defs": SCHEMAS["$defs"]})
    return document


def last_line(result: Result) -> Any:
    """As Autolab reads it: the last line, after it has put marks around what it takes for bare words."""
    lines = autolab.encode(result).decode().splitlines()
    return read_json("autolab", re.sub(r"([a-zA-Z0-9]+):", r'"\1":', lines[-1]).encode())


def test_the_command_offers_these_formats() -> None:
    [option] = [option for option in main.commands["grade"].params if option.name == "form"]  # type: ignore[attr-defined]
    assert list(option.type.choices) == list(ENCODERS) == list(FILE_NAMES)


def test_points_are_the_same_everywhere(results: dict[str, Result]) -> None:
    assert {name: result.points for name, result in results.items()} == POINTS
    for name, result in results.items():
        suites = read_junit(result).findall("testsuite")
        if name != "ungradable":
            earned = [float(suite.find("properties/property[@name='points']").get("value")) for suite in suites]
            assert sum(earned) == POINTS[name]
        assert read_json("prairielearn", prairielearn.encode(result))["score"] == POINTS[name] / 10
        assert sum(last_line(result)["scores"].values()) == last_line(result)["scoreboard"][-1] == POINTS[name]
        assert f"{POINTS[name]:g} of 10 points" in github.encode(result).decode()
        document = read_json("classroom50", classroom50.encode(result, IDENTITY, NOW))
        assert (document["score"], document["max-score"]) == (int(POINTS[name] + 0.5), 10)


def test_a_bonus_and_a_penalty_are_in_the_total_of_every_platform_and_in_no_cell() -> None:
    """The table of rules in docs/platforms.md: 6 of 10 points, a bonus of 3, and 2.5 off make 6.5."""
    result = samples.with_extras(manual=4.0)
    gradescope = json.loads(ENCODERS["gradescope"](result))
    assert [gradescope["score"], *map(gradescope["extra_data"].get, ("max_score", "manual"))] == [6.5, 10, 4]
    assert [(test["score"], test["max_score"]) for test in gradescope["tests"]] == [(4, 8), (0, 0), (2, 2), (3, 3)]
    assert gradescope["extra_data"]["exercises"]["power"] == {"score": 3, "max_score": 3, "bonus": True}
    suites = read_junit(result).findall("testsuite")
    earned = [float(suite.find("properties/property[@name='points']").get("value")) for suite in suites]
    assert (earned, sum(earned)) == ([1.5, 2, 3], 6.5)
    assert [suite.find("properties/property[@name='bonus']") is not None for suite in suites] == [False, False, True]
    document = read_json("classroom50", classroom50.encode(result, IDENTITY, NOW))
    assert (document["score"], document["max-score"]) == (7, 10)
    assert [(test["score"], test["max-score"]) for test in document["tests"]] == [(4, 8), (0, 0), (2, 2), (3, 3)]
    assert read_json("prairielearn", prairielearn.encode(result))["score"] == 0.65
    assert last_line(result) == {"scores": {"double": 1.5, "triple": 2, "power": 3}, "scoreboard": [1.5, 2, 3, 6.5]}
    for form in ("gradescope", "autolab", "github", "github-check", "prairielearn"):
        text = ENCODERS[form](result).decode()
        assert "6.5 of 10 points" in text
        assert "Bonus: 3 of 3 points, on top of the 10." in text
        assert "Taken off: 2.5 points, for double/argument." in text
        assert "4 more points are given by hand; they are not in this total." in text
        assert "This takes 2.5 points off the total." in text


def test_more_than_the_maximum_is_written_where_the_platform_has_room_for_it() -> None:
    passed = lambda name, points: CheckResult(name, "values", "Right.", Status.PASSED, points, points)  # noqa: E731
    exercises = [ExerciseResult("double", 4, (passed("double", 4),))]
    exercises += [ExerciseResult("power", 2, (passed("power", 2),), bonus=True)]
    result = samples.result(*exercises, cap=5)
    assert json.loads(ENCODERS["gradescope"](result))["score"] == 5
    assert last_line(result)["scoreboard"] == [4, 1, 5]
    assert read_json("prairielearn", prairielearn.encode(result))["score"] == 1
    document = read_json("classroom50", classroom50.encode(result, IDENTITY, NOW))
    assert (document["score"], document["max-score"]) == (4, 4)
    assert "The total is at most 5 points." in github.encode(result).decode()


def test_a_hidden_bonus_stays_a_bonus_and_a_hidden_penalty_a_penalty() -> None:
    shown = samples.with_extras()
    hide = lambda check: msgspec.structs.replace(check, visibility=Visibility.HIDDEN)  # noqa: E731
    result = msgspec.structs.replace(
        shown,
        exercises=tuple(
            msgspec.structs.replace(each, checks=tuple(map(hide, each.checks))) for each in shown.exercises
        ),
    )
    document = read_json("classroom50", classroom50.encode(result, IDENTITY, NOW))
    assert (document["score"], document["max-score"]) == (7, 10)
    assert last_line(result)["scoreboard"][-1] == 6.5
    assert sum(last_line(result)["scores"].values()) == 6.5
    assert account(result)[1] == "Taken off: 2.5 points, for checks that are not shown."


def test_junit_is_valid_and_counts_what_did_not_pass(results: dict[str, Result]) -> None:
    for name, result in every(results).items():
        root = read_junit(result)
        cases = root.findall("testsuite/testcase")
        assert int(root.get("tests")) == len(cases) == len({case.get("name") for case in cases}), name
        assert int(root.get("failures")) == sum(case.find("failure") is not None for case in cases)
        assert int(root.get("errors")) == sum(case.find("error") is not None for case in cases)
        assert "".join(root.itertext()).isprintable() or "\n" in "".join(root.itertext())
    assert [read_junit(results[name]).get("failures") for name in SOURCES] == ["0", "2", "1", "2", "1"]
    assert read_junit(ODD["our failure"]).get("errors") == "1"


def test_prairielearn_takes_no_points_for_what_cannot_be_graded(results: dict[str, Result]) -> None:
    for name, result in every(results).items():
        data = prairielearn.encode(result)
        document = read_json("prairielearn", data)
        assert document["gradable"] == (name not in ("ungradable", "unfinished", "our failure")), name
        assert len(data) <= 1_000_000
    document = read_json("prairielearn", prairielearn.encode(results["ungradable"]))
    assert "No file named sums.py" in document["format_errors"][0]


def test_a_result_too_large_for_prairielearn_loses_texts_and_no_points() -> None:
    check = msgspec.structs.replace(samples.FAILED, message="ß" * 9_000)
    checks = tuple(msgspec.structs.replace(check, name=f"check_{i}") for i in range(40))
    document = read_json("prairielearn", prairielearn.encode(samples.result(ExerciseResult("e", 240, checks))))
    assert (document["score"], len(document["tests"])) == (0.25, 40)


def test_prairielearn_shows_matrices_as_pictures_that_can_do_nothing() -> None:
    example = msgspec.structs.replace(
        samples.POOLING_EXAMPLE,
        expected=Shown("", "2×2 float32", "1.  2.\n3.  4."),
        got=Shown("", "2×2 float32", "1.  0.*\n3.  nan*"),
    )
    check = msgspec.structs.replace(samples.FAILED, counterexample=example)
    result = samples.result(ExerciseResult("naive_pooling", 10, (samples.PASSED, check)))
    passed, drawn = read_json("prairielearn", prairielearn.encode(result))["tests"]
    assert "images" not in passed
    labels = [image["label"] for image in drawn["images"]]
    assert (drawn["name"][:13], labels) == ("naive_pooling", ["Expected", "Got", "Difference (got − expected)"])
    for image in drawn["images"]:
        svg = ET.fromstring(base64.b64decode(image["url"].partition(",")[2]))
        assert {element.tag.rpartition("}")[2] for element in svg.iter()} == {"svg", "rect", "text"}
    shown = Shown("", "2×2 float32", "<script>alert(1)</script>")
    hostile_value = msgspec.structs.replace(samples.POOLING_EXAMPLE, expected=shown, got=shown)
    assert pictures(msgspec.structs.replace(samples.FAILED, counterexample=hostile_value)) == []


def test_autolabs_last_line_is_ours_and_no_other_line_is_json(results: dict[str, Result]) -> None:
    for name, result in every(results).items():
        lines = autolab.encode(result).decode().splitlines()
        if name not in ("unfinished", "our failure"):
            last_line(result)
            lines.pop()
        assert not [line for line in lines if line.lstrip().startswith(("{", "["))], name
    assert "scores" not in autolab.encode(ODD["our failure"]).decode()


def test_a_colon_in_a_name_does_not_break_autolabs_line() -> None:
    exercise = ExerciseResult('part 1: "sums"', 4, (samples.PASSED,))
    assert last_line(samples.result(exercise))["scores"] == {'part 1: "sums"': 4}


def test_classroom50_knows_whose_result_it_is(results: dict[str, Result]) -> None:
    for name, result in every(results).items():
        document = read_json("classroom50", classroom50.encode(result, IDENTITY, NOW))
        assert document["score"] <= document["max-score"], name
        assert all(test["score"] <= test["max-score"] for test in document["tests"])
        if result.state is State.GRADED and result.checks:
            assert sum(test["score"] for test in document["tests"]) == document["score"] or name == "extras", name
    document = json.loads(classroom50.encode(results["half"], IDENTITY, NOW))
    assert (document["owner"], document["datetime"]) == ("ada", "2026-06-01T14:32:05Z")
    assert document["graded_at"] == "2026-06-02T08:00:00Z"
    with pytest.raises(UsageError, match=r"COMMIT_URL, OWNER\.$"):
        classroom50.encode(results["half"], {**IDENTITY, "COMMIT_URL": "", "OWNER": ""})


@pytest.mark.parametrize(
    ("points", "most", "score", "rows"),
    [
        ([1.5, 0.0], [1.5, 1.5], 2, [2, 0]),
        ([9.9], [10.0], 9, [9]),
        ([10.0], [10.0], 10, [10]),
        ([1 / 3] * 3, [1.0] * 3, 1, [1, 0, 0]),
        ([0.4, 0.3], [0.4, 0.3], 1, [1, 0]),
    ],
)
def test_whole_scores_add_up_and_only_full_points_become_full_points(points, most, score, rows) -> None:
    checks = tuple(
        CheckResult("e", str(i), "", Status.FAILED, m, p) for i, (p, m) in enumerate(zip(points, most, strict=True))
    )
    document = json.loads(
        classroom50.encode(samples.result(ExerciseResult("e", round(sum(most), 6), checks)), IDENTITY, NOW)
    )
    assert (document["score"], [test["score"] for test in document["tests"]]) == (score, rows)


def test_points_that_no_grader_can_give_are_finite_and_in_range_everywhere() -> None:
    for number in (math.nan, math.inf, -1.0):
        odd = samples.result(ExerciseResult("e", number, (samples.PASSED, samples.FAILED)), seconds=number)
        read_junit(odd)
        read_json("prairielearn", prairielearn.encode(odd))
        read_json("classroom50", classroom50.encode(odd, IDENTITY, NOW))
        read_json("github-check", github.encode_check(odd))
        assert last_line(odd)["scores"]["e"] == 0


def test_markdown_has_what_students_wrote_in_code_only(results: dict[str, Result]) -> None:
    for name, result in every(results).items():
        text = github.encode(result).decode()
        outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.M | re.S)
        assert not re.search(r"<|@|!\[|\]\(|^::|https?:", re.sub(r"`[^`\n]*`", "", outside), re.M), name
        assert len(text.encode()) < 65_535
        read_json("github-check", github.encode_check(result))


def test_annotations_are_at_the_students_lines(results: dict[str, Result]) -> None:
    lines = github.workflow_commands(results["hostile"])
    assert len(lines) == 2
    for line in lines:
        assert re.match(r"::error file=sums\.py,line=7,title=triple%3A three times [a-z ]+::Three times", line)
        assert "\n" not in line
    document = read_json("github-check", github.encode_check(results["hostile"]))
    assert {(note["path"], note["start_line"]) for note in document["annotations"]} == {("sums.py", 7)}
    assert github.workflow_commands(ODD["our failure"]) == []


def test_hidden_checks_show_nothing_but_the_total() -> None:
    for form, encode in ENCODERS.items():
        if form not in ("gradescope", "classroom50"):
            text = encode(samples.hidden()).decode()
            assert "test_hidden" not in text, form
    tests = json.loads(classroom50.encode(samples.hidden(), IDENTITY, NOW))["tests"]
    assert [test["test-name"] for test in tests] == ["not shown yet: checks that are not shown yet"]


def test_githubs_runner_obeys_nothing_that_is_printed_between(capsys, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with commands_stopped():
        print("::error::from a student")
    stop, _, resume = capsys.readouterr().out.splitlines()
    assert f"::{stop.removeprefix('::stop-commands::')}::" == resume
    monkeypatch.delenv("GITHUB_ACTIONS")
    with commands_stopped():
        pass
    assert capsys.readouterr().out == ""
