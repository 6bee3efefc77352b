"""`%check` in a notebook: the public tests of one exercise, on what the notebook has defined by now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import ROOT

pytest.importorskip("IPython")

TESTS = '''\
import double
import pytest


def test_twice__of_one():
    """Twice one is two."""
    assert double.twice(1) == 2


def test_twice__of_none():
    """There is no twice of nothing: ValueError."""
    with pytest.raises(ValueError):
        double.twice(None)


def test_thrice():
    """Three times one is three."""
    assert double.thrice(1) == 3
'''
# Runs cells as a notebook does and prints what came of each, as one line of JSON.
SHELL = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
for cell in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        done = shell.run_cell(cell, store_history=True)
    error = done.error_in_exec or done.error_before_exec
    print(json.dumps([out.getvalue(), f"{type(error).__name__}: {error}" if error else ""]))
"""


def run(folder: Path, *cells: str) -> list[tuple[str, str]]:
    """What each cell after `%load_ext autograder` printed, and its error."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps(["%load_ext autograder", *cells]),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [(text, error) for text, error in lines[1:]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_double.py").write_text(TESTS)
    return tmp_path


def test_what_is_defined_now_is_tested(folder: Path) -> None:
    results = run(
        folder,
        "def twice(x):\n    return x + 1",
        "%check twice",
        "def twice(x):\n    if x is None:\n        raise ValueError('none')\n    return 2 * x",
        "%check twice",
    )
    text, error = results[1]
    assert error == "ChecksFailed: twice: 1 of 2 public tests pass."
    assert "TypeError: unsupported operand" in text
    assert "In [2], line 2, in twice:" in text
    assert "thrice" not in text
    assert "Next: fix twice, then run this cell again." in text
    text, error = results[3]
    assert error == ""
    assert "All 2 public tests pass." in text


def test_a_skeleton_is_not_written_yet_and_a_loop_is_stopped(folder: Path) -> None:
    (folder / "test_double.py").write_text(TESTS)
    results = run(
        folder, "def thrice(x):\n    raise NotImplementedError()", "%check thrice", "%check twice", "%check other"
    )
    assert "Not written yet" in results[1][0]
    assert "In [2], line 2" in results[1][0]
    assert "Not defined in your file" in results[2][0]
    assert results[3] == ("There are no public tests for other.\n", "")


def test_without_tests_it_says_where_they_belong(tmp_path: Path) -> None:
    ((_, error),) = run(tmp_path, "%check twice")
    assert "There is no test_<assignment>.py with the public tests next to this notebook" in error


def test_the_notebook_is_left_as_it_was(folder: Path) -> None:
    results = run(
        folder,
        "def twice(x):\n    print('printed')\n    return 2 * x\nimport sys\nbefore = set(sys.modules)",
        "%check twice",
        "print(sorted(set(sys.modules) & {'double', 'test_double'}), 'twice' in globals())",
    )
    assert results[2][0] == "[] True\n"
    assert "Printed by your code" in results[1][0]
    assert not (folder / "__pycache__").exists()
