"""The graders of the real course, by the real commands: right stays right, wrong is caught, the class gets its due."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import load_assignment

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = sorted(path.parent.name for path in ROOT.glob("graders/*/assignment.toml"))
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
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_odd_but_correct_submissions_get_everything(tmp_path, assignment, salt):
    files = sorted((ROOT / "tests/submissions" / assignment / "odd").glob("*.py"))
    done = autograder("grade", *files, "-a", assignment, "-o", tmp_path, "--salt", salt)
    assert done.returncode == 0, done.stderr
    for file in files:
        for exercise, scores in exercises(tmp_path / f"{file.name}.json").items():
            assert scores["score"] == scores["max_score"], (file.name, exercise)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_wrong_submissions_lose_points_where_they_are_wrong_and_only_there(tmp_path, assignment):
    files = sorted((ROOT / "tests/submissions" / assignment / "wrong").glob("*.py"))
    done = autograder("grade", *files, "-a", assignment, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    for file in files:
        wrong = file.read_text().splitlines()[0].removeprefix("# wrong: ").split(", ")
        scores = exercises(tmp_path / f"{file.name}.json")
        assert sorted(wrong) == sorted(e for e, s in scores.items() if s["score"] < s["max_score"]), file.name


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_graders_verify(assignment):
    # A sample: all of them, with several salts and repeats, are for `make verify`.
    done = autograder("verify", assignment, "--most", 4)
    assert done.returncode == 0, done.stdout


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_nothing_secret_is_released(assignment):
    """Neither a solution, nor a hidden check, nor a misconception or its hint."""
    solution = (ROOT / f"solutions/{assignment}/{assignment}.py").read_text()
    bodies = re.findall(r"### BEGIN SOLUTION\n(.*?)\n *### END SOLUTION", solution, re.DOTALL)
    assert len(bodies) >= 3
    secrets = [squeezed(body) for body in bodies]
    for path in (ROOT / "graders" / assignment).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and path.name != "inputs.py":
                secrets.append(squeezed("\n".join(ast.unparse(part) for part in node.body)))
            elif isinstance(node, ast.keyword) and node.arg == "hint":
                secrets.append(squeezed(ast.literal_eval(node.value)))
    secrets = [secret for secret in secrets if len(secret) > 25] + [load_assignment(ROOT, assignment).salt]
    files = [path for path in (ROOT / "assignments").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(files) >= 4 * len(ASSIGNMENTS)
    for path in files:
        text = path.read_text()
        if path.suffix == ".ipynb":  # there each line is a string
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        text = squeezed(text)
        found = [secret for secret in secrets if secret in text]
        assert not found, (path, found[0])


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
