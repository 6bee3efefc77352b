"""Attacks on the clock come to nothing on Gradescope and in nbgrader, too."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from command_line import ROOT, autograder
from platforms.gradescope.fake_platform import make_place
from timing.smooth import SOLUTION
from timing.test_cheats import CHEATS
from toy_course import marked

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="shares memory as Linux does")]
# Each keeps the points for having no loop, and no more.
ATTACKS = {name: CHEATS[name][0] for name in ("foretells", "freight_under_another_key", "sleeps")}
HONEST = 4.0


def test_on_gradescope(course: Path) -> None:
    source, says = CHEATS["freight_under_another_key"]
    place = make_place()
    shutil.rmtree(place.root / "source/graders")
    shutil.copytree(course, place.root / "source", dirs_exist_ok=True)
    place.submit(source, "timed.py")
    result = place.run()
    assert [test["score"] for test in result["tests"]] == [2, 0], result
    assert says in result["tests"][1]["output"]
    shutil.rmtree(place.root.parent)


def test_in_nbgrader(course: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    shutil.copytree(course, tmp_path, dirs_exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    solution = tmp_path / "solutions/timed/timed.py"
    solution.write_text(marked(SOLUTION))
    for name, source in (ATTACKS | {"honest": SOLUTION}).items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        path = tmp_path / f"submitted/{name}/timed/timed.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    done = autograder("release", "timed", "--course", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    programs = Path(sys.executable).parent
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for command in (["autograde", "timed"], ["export"]):
        subprocess.run([str(programs / "nbgrader"), *command], cwd=tmp_path, env=environment, check=True, timeout=600)
    with (tmp_path / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"honest": HONEST, **dict.fromkeys(ATTACKS, HONEST - 2)}
