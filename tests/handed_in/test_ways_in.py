"""The corpus by every way in: a submission has the same score in a class, on Gradescope, in nbgrader and under load."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job, WarmUp
from autograder.submissions.reading import read_submission
from command_line import ROOT, autograder
from corpus import CASES, HANDED_IN, SLUG, course
from platforms.gradescope.fake_platform import make_place
from toy_course import marked

pytestmark = pytest.mark.slow

SCORES = {name: case["score"] for name, case in CASES.items()}
# nbgrader takes only notebooks with their own name, and nothing else from a folder that has one.
NOTEBOOKS = [name for name in CASES if (HANDED_IN / name / f"{SLUG}.ipynb").exists()]
WITH_THREADS = ["progress_bars", "threads_left_behind"]
ON_GRADESCOPE = ["file_and_notebook", "numbered_copy"]


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


def test_gradescope_has_the_same_scores() -> None:
    place = make_place()
    shutil.rmtree(place.root / "source/graders")
    course(place.root / "source")
    for name in ON_GRADESCOPE:
        shutil.rmtree(place.root / "submission")
        shutil.copytree(HANDED_IN / name, place.root / "submission")
        result = place.run()
        assert result["score"] == SCORES[name]
        assert all(text in result["output"] for text in CASES[name].get("says", ()))
    shutil.rmtree(place.root.parent)


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
def test_threads_have_the_same_scores_every_time(tmp_path: Path) -> None:
    root = str(course(tmp_path))
    with Engine() as engine:
        engine.warm_up(WarmUp(root, SLUG))
        for name in WITH_THREADS * 3:
            submission = read_submission(HANDED_IN / name, SLUG)
            assert engine.grade(Job(root, SLUG, submission)).points == SCORES[name]
