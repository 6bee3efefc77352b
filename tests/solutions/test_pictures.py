"""The pictures in the lectures: drawn in a notebook whose exercises are solved, and no error anywhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.course.skeletons import skeleton
from reference_solutions import SOLUTIONS

LECTURES = sorted(SOLUTIONS.glob("*/*.py"))


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda: None)
    yield pyplot
    pyplot.close("all")


def run(source: str, *, notebook: bool) -> None:
    """Runs a lecture as a notebook does, or as a file is loaded."""
    exec(compile(source, "lecture", "exec"), {"__name__": "__main__"} | ({"get_ipython": None} if notebook else {}))


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_lecture_has_a_picture_that_only_a_solved_notebook_shows(path: Path, pyplot, capsys) -> None:
    solved = path.read_text(encoding="utf-8")
    for source, notebook in [(solved, False), (skeleton(solved), True)]:
        run(source, notebook=notebook)
        assert pyplot.get_fignums() == []
        assert ("No picture yet: write " in capsys.readouterr().out) == notebook
    run(solved, notebook=True)
    assert pyplot.get_fignums() != []
    for number in pyplot.get_fignums():
        for axes in pyplot.figure(number).axes:
            assert axes.get_title() or axes.get_label() == "<colorbar>"


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_without_matplotlib_a_sentence_says_so(path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    run(path.read_text(encoding="utf-8"), notebook=True)
    assert "No picture yet: import of matplotlib" in capsys.readouterr().out
