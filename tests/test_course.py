"""The graders of the real course, by the real commands: right stays right, wrong is caught, the class gets its due."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = {
    "ada": 100,
    "bela": 100,
    "chen": 100,
    "june": 100,
    "lena": 92,  # os._exit(0) in one function
    "emil": 96,  # zeros around a maximum
    "goran": 0,
    "hana": 0,
    "ivan": 0,
}


def autograder(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def exercises(path: Path) -> dict[str, dict[str, float]]:
    return json.loads(path.read_text())["extra_data"]["exercises"]


@pytest.mark.slow
@pytest.mark.parametrize("salt", ["", "another"])
@pytest.mark.parametrize("assignment", ["pooling"])
def test_odd_but_correct_submissions_get_everything(tmp_path, assignment, salt):
    files = sorted((ROOT / "tests/submissions" / assignment / "odd").glob("*.py"))
    done = autograder("grade", *files, "-a", assignment, "-o", tmp_path, "--salt", salt)
    assert done.returncode == 0, done.stderr
    for file in files:
        for exercise, scores in exercises(tmp_path / f"{file.name}.json").items():
            assert scores["score"] == scores["max_score"], (file.name, exercise)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ["pooling"])
def test_wrong_submissions_lose_points_where_they_are_wrong_and_only_there(tmp_path, assignment):
    files = sorted((ROOT / "tests/submissions" / assignment / "wrong").glob("*.py"))
    done = autograder("grade", *files, "-a", assignment, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    for file in files:
        wrong = file.read_text().splitlines()[0].removeprefix("# wrong: ").split(", ")
        scores = exercises(tmp_path / f"{file.name}.json")
        assert sorted(wrong) == sorted(e for e, s in scores.items() if s["score"] < s["max_score"]), file.name


@pytest.mark.slow
def test_the_graders_verify():
    done = autograder("verify")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_example_class_gets_what_it_earns(tmp_path):
    folder = ROOT / "examples/pooling"
    done = autograder("grade", *sorted(folder.iterdir()), "-a", "pooling", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    results = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert {name: results[name]["score"] for name in EXAMPLES} == EXAMPLES
    # Half of it written, a loop that does not end in one function, and one who looked for the solution.
    assert 30 < results["dana"]["score"] < 60
    assert exercises(tmp_path / "fatou.json")["naive_pooling"]["score"] == 22
    assert results["kofi"]["score"] < 20
    assert "line 19" in results["hana"]["output"]
