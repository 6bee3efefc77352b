"""`%check` in a notebook: the public tests of one exercise, on what the notebook has defined by now."""

from __future__ import annotations

import json
import os
import re
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
TENSOR_TESTS = '''\
import double
import torch
from torch.testing import assert_close


def test_twice__of_one():
    """Twice one is "two"."""
    assert double.twice(1) == 2


def test_twice__of_a_matrix():
    """Of a matrix."""
    assert_close(double.twice(torch.tensor([[1.0, -2.0], [3.0, 4.0]])), torch.tensor([[2.0, -4.0], [6.0, 8.0]]))


def test_thrice():
    """Three times one is three."""
    assert double.thrice(1) == 3
'''
# Runs cells as a notebook does and prints what came of each, as one line of JSON.
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance(colors="nocolor")
for cell in json.load(sys.stdin):
    with capture_output() as captured:
        done = shell.run_cell(cell, store_history=True)
    error = done.error_in_exec or done.error_before_exec
    shown = [output.data for output in captured.outputs]
    text = captured.stdout + "".join(data["text/plain"] for data in shown)
    html = "".join(data["text/html"] for data in shown)
    print(json.dumps([text, f"{type(error).__name__}: {error}" if error else "", html]))
"""


def run(folder: Path, *cells: str) -> list[tuple[str, str, str]]:
    """What each cell after `%load_ext autograder` showed as text, its error, and what it showed as HTML."""
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
    return [(text, error, html) for text, error, html in lines[1:]]


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
    text, error, _ = results[1]
    assert error == "ChecksFailed: twice: 1 of 2 public tests pass."
    assert "TypeError: unsupported operand" in text
    assert "In [2], line 2, in twice:" in text
    assert "thrice" not in text
    assert "Next: fix twice, then run this cell again." in text
    text, error, _ = results[3]
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
    assert results[3] == ("There are no public tests for other.\n", "", "")


def test_a_notebook_shows_grids_and_the_counts_above_them(tmp_path: Path) -> None:
    (tmp_path / "test_double.py").write_text(TENSOR_TESTS)
    wrong = (
        "import torch\ndef twice(x):\n    print('<script>alert(1)</script>')\n    return x + 1\n"
        "def thrice(x):\n    raise ValueError('<b>&')"
    )
    _, (text, _, html), (_, error, both) = run(tmp_path, wrong, "%check twice", "%check")
    assert "twice: 1 of 2 public tests pass\n\n" in text
    assert html.index("twice: 1 of 2 public tests pass") < html.index("<table")
    assert re.findall(r'title="(.+?)">(.)<', html) == [("Twice one is &#34;two&#34;.", "✓"), ("Of a matrix.", "✗")]
    rows = re.findall(r"<tr>(.+?)</tr>", html)
    cells = [re.sub(r"<span.*?</span>", "", row) for row in rows]
    assert [re.findall(r">([^<]+)</td>", row) for row in cells] == [
        *(["2", "−4"], ["6", "8"]),
        *(["2", "−1"], ["4", "5"]),
        *(["0", "+3"], ["−2", "−3"]),
    ]
    assert ["differs" in row for row in rows] == [False, False, True, True, True, True]
    assert error == "ChecksFailed: double: 1 of 3 public tests pass."
    assert "twice: 1 of 2" in both
    assert "thrice: 0 of 1" in both
    assert "ValueError: &lt;b&gt;&amp;" in both
    for page in (html, both):
        assert "&lt;script&gt;alert(1)" in page
        assert not re.search(r"<script|<b>&|javascript:|https?://|@import|url\(", page)


def test_without_tests_it_says_where_they_belong(tmp_path: Path) -> None:
    ((_, error, _),) = run(tmp_path, "%check twice")
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
