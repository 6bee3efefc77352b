"""The corpus by every way in: a submission has the same score in a class, on Gradescope, in nbgrader and under load."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.platforms import attempt
from autograder.platforms.gradescope.supervisor import Gradescope
from autograder.platforms.supervisor import supervise
from autograder.submissions.reading import read_submission
from autograder.submissions.sources import SubmissionError
from command_line import ROOT, autograder
from corpus import ALLOWED, CASES, HANDED_IN, SLUG, course
from platforms.gradescope.fake_platform import Place, make_place
from toy_course import marked

pytestmark = pytest.mark.slow

SCORES = {name: case["score"] for name, case in CASES.items()}
# nbgrader takes only notebooks with their own name, and nothing else from a folder that has one.
NOTEBOOKS = [name for name in CASES if (HANDED_IN / name / f"{SLUG}.ipynb").exists()]
ROUNDS = int(os.environ.get("AUTOGRADER_TEST_ROUNDS", "2"))  # how often each is graded under load


def test_a_class_has_the_same_scores(tmp_path: Path) -> None:
    root = course(tmp_path / "course")
    shutil.copytree(HANDED_IN, tmp_path / "class", ignore=shutil.ignore_patterns("*.toml", "test_*", "__pycache__"))
    done = autograder(
        "batch", tmp_path / "class", "-a", SLUG, "-o", "out", "--course", root, "--no-timing", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    results = {name: json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in CASES}
    assert {name: result["score"] for name, result in results.items()} == SCORES
    assert results["file_and_notebook"]["extra_data"]["file"] == f"{SLUG}.ipynb"


def test_gradescope_has_the_same_scores_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_place()
    shutil.rmtree(place.root / "source/graders")
    root = course(place.root / "source")
    with Engine() as engine:
        engine.warm_up(WarmUp(str(root), SLUG))
        monkeypatch.setattr(attempt, "Engine", lambda *_: contextlib.nullcontext(engine))
        for name, case in CASES.items():
            shutil.rmtree(place.root / "submission")
            shutil.copytree(HANDED_IN / name, place.root / "submission")
            result = supervised(place)
            told = "\n".join([result["output"], *(test.get("output", "") for test in result["tests"])])
            assert result["score"] == case["score"], (name, told)
            assert all(text in told for text in case.get("says", ())), (name, told)
    shutil.rmtree(place.root.parent)


def supervised(place: Place) -> dict[str, Any]:
    """The result of the supervisor, which ends all processes below its own: the engine is not below this fork."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = supervise(Gradescope(place.root))
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return place.result()


def test_nbgrader_has_the_same_scores(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    root = course(tmp_path)
    solution = root / f"solutions/{SLUG}/{SLUG}.py"
    solution.write_text(marked(solution.read_text()))
    shutil.copy(ROOT / "nbgrader_config.py", root)
    for name in NOTEBOOKS:
        shutil.copytree(HANDED_IN / name, root / f"submitted/{name}/{SLUG}")
    done = autograder("release", SLUG, "--course", root, cwd=root)
    assert done.returncode == 0, done.stderr
    programs = Path(sys.executable).parent
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for command in (["autograde", SLUG], ["export"]):
        subprocess.run([str(programs / "nbgrader"), *command], cwd=root, env=environment, check=True, timeout=600)
    with (root / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {name: SCORES[name] for name in NOTEBOOKS}


@pytest.fixture
def busy() -> Iterator[None]:
    """Both cores have something else to do."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 2)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.usefixtures("busy")
def test_each_has_the_same_result_every_time(tmp_path: Path) -> None:
    root = str(course(tmp_path))
    submissions = {}
    for name in CASES:
        with contextlib.suppress(SubmissionError):
            submissions[name] = read_submission(HANDED_IN / name, SLUG, ALLOWED)
    with Engine() as engine, ThreadPoolExecutor(os.cpu_count()) as pool:
        engine.warm_up(WarmUp(root, SLUG))

        def result(name: str) -> tuple[float, str]:
            """The points, and everything else that a student is told."""
            graded = engine.grade(Job(root, SLUG, submissions[name]))
            told = [(check.name, check.status, check.points, check.message, check.hint) for check in graded.checks]
            return graded.points, repr((graded.state, graded.notice, told))

        results: dict[str, set[tuple[float, str]]] = {name: set() for name in submissions}
        names = list(submissions) * ROUNDS
        for name, one in zip(names, pool.map(result, names), strict=True):
            results[name].add(one)
    points = {name: {points for points, _ in some} for name, some in results.items()}
    assert points == {name: {SCORES[name]} for name in submissions}
    assert {name: some for name, some in results.items() if len(some) > 1} == {}
