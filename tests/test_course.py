"""The real course, whole: right stays right, wrong is caught, the class gets its due; by the real commands."""

from __future__ import annotations

import ast
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.results.model import Result, State
from autograder.submissions.reading import read_submission
from command_line import ROOT, autograder

ASSIGNMENTS = sorted(path.parent.name for path in ROOT.glob("graders/*/assignment.toml"))
LARGE = ("architectures", "batchnorm", "design", "modern", "residual", "transfer")  # take long to verify
EXAMPLES = {
    "ada": 100,
    "bela": 100,
    "chen": 100,
    "june": 100,
    "lena": 92,  # os._exit(0) in one function
    "emil": 95.5,  # zeros around a maximum
    "goran": 0,
    "hana": 0,
    "ivan": 0,
}


def exercises(path: Path) -> dict[str, dict[str, float]]:
    return json.loads(path.read_text())["extra_data"]["exercises"]


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def results(request) -> dict[Path, Result]:
    """What the odd but correct and the wrong submissions of an assignment get."""
    slug = request.param
    files = sorted((ROOT / "tests/submissions" / slug).glob("*/*.py"))
    with Engine(load_assignment(ROOT, slug)) as engine, ThreadPoolExecutor(2) as pool:
        engine.warm_up(WarmUp(str(ROOT), slug))

        def grade(path: Path) -> Result:
            return engine.grade(Job(str(ROOT), slug, read_submission(path, slug), explain=False))

        return dict(zip(files, pool.map(grade, files), strict=True))


@pytest.mark.slow
def test_odd_but_correct_submissions_get_everything(results):
    odd = {path: result for path, result in results.items() if path.parent.name == "odd"}
    assert len(odd) >= 4
    for path, result in odd.items():
        assert result.state is State.GRADED, result.log
        lost = [
            (check.exercise, check.name, check.message) for check in result.checks if check.points < check.max_points
        ]
        assert not lost, path.name


@pytest.mark.slow
def test_wrong_submissions_lose_points_where_they_are_wrong_and_only_there(results):
    wrong = {path: result for path, result in results.items() if path.parent.name == "wrong"}
    assert len(wrong) >= 6
    for path, result in wrong.items():
        assert result.state is State.GRADED, result.log
        named = path.read_text().splitlines()[0].removeprefix("# wrong: ").split(", ")
        lost = [exercise.name for exercise in result.exercises if exercise.points < exercise.max_points]
        assert sorted(named) == sorted(lost), path.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        (
            "chances = probabilities.detach() + empty",
            "chances = windows.detach().softmax(-1)",
            {"training_draws_in_proportion"},
        ),
        (
            "torch.multinomial(chances.reshape(-1, k * k), num_samples=1)",
            "(probabilities.cumsum(-1) <= torch.rand(totals.shape[2:]).to(x)).sum(-1).clamp(max=k * k - 1)",
            {"training_draws_independently"},
        ),
    ],
    ids=["softmax weights, drawn independently", "the right weights, one draw for all samples and channels"],
)
def test_wrong_probabilities_and_shared_draws_are_charged_once_each(engine, tmp_path, old, new, lost):
    source = (ROOT / "solutions/pooling/pooling.py").read_text()
    assert source.count(old) == 1
    (tmp_path / "pooling.py").write_text(source.replace(old, new))
    result = engine.grade(Job(str(ROOT), "pooling", read_submission(tmp_path / "pooling.py", "pooling"), explain=False))
    assert {check.name for check in result.checks if check.points < check.max_points} == lost


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_graders_verify(assignment):
    # A sample: all of them, with several salts and repeats, are for `make verify`.
    exercise = random.Random(assignment).choice(list(load_assignment(ROOT, assignment).exercises))
    sample = ("--most", 0) if assignment in LARGE else ("--most", 1, "--exercise", exercise)
    done = autograder("verify", assignment, *sample, seconds=3600)
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
            if isinstance(node, ast.FunctionDef) and path.name != "inputs.py":
                secrets.append(squeezed("\n".join(ast.unparse(part) for part in node.body)))
            elif isinstance(node, ast.keyword) and node.arg == "hint" and isinstance(node.value, ast.Constant):
                secrets.append(squeezed(node.value.value))
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
    done = autograder("grade", *sorted(folder.iterdir()), "-a", "pooling", "-o", tmp_path, seconds=3600)
    assert done.returncode == 0, done.stderr
    results = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert {name: results[name]["score"] for name in EXAMPLES} == EXAMPLES
    # Two thirds of it right, a loop that does not end in one function, and one who looked for the solution.
    assert 50 < results["dana"]["score"] < 75
    assert exercises(tmp_path / "fatou.json")["naive_pooling"]["score"] == 22
    assert results["kofi"]["score"] < 20
    assert "line 19" in results["hana"]["output"]
