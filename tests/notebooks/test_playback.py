"""Notebooks' cells run to be shown: what a notebook would show, and nothing that a cell does costs another one."""

from __future__ import annotations

import time

import pytest

from autograder.course import Limits
from autograder.engine.client import Engine
from autograder.notebooks.requests import Show, ShownCell
from autograder.submissions.other_files import OtherFile

LIMITS = Limits(import_seconds=2)


def show(engine: Engine, *cells: str) -> list[ShownCell]:
    return engine.show(Show(cells, limits=LIMITS))


def parts(cell: ShownCell) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in cell.parts]


def test_a_cell_shows_what_it_prints_and_its_last_value(engine: Engine) -> None:
    first, second, third, fourth = show(
        engine,
        "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')\nx = 6",
        "x * 7",
        "x * 7;",
        "for i in range(2):\n    display(i)\nNone",
    )
    assert parts(first) == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n")]
    assert parts(second) == [("result", "42")]
    assert parts(third) == []
    assert parts(fourth) == [("display", "0"), ("display", "1")]


def test_an_error_shows_the_student_s_own_lines(engine: Engine) -> None:
    _, cell, after = show(engine, "def f(x):\n    return 1 / x", "f(0)", "f(1)")
    assert cell.error.splitlines() == [
        "Traceback (most recent call last):",
        "  In [2], line 1",
        "    f(0)",
        "  In [1], line 2, in f",
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]
    assert parts(after) == [("result", "1.0")]


def test_magics_do_no_harm_and_shell_commands_are_refused(engine: Engine) -> None:
    cells = show(
        engine,
        "%matplotlib inline\n%%time\n",
        "%%time\nprint('timed')",
        "!touch x\nfiles = !ls\nprint('!no command')",
        "%%bash\nls",
        "%run other.py\n1 + 1",
        "%%capture\nprint('unseen')",
        "%check double",
    )
    assert parts(cells[0]) == []
    assert parts(cells[1])[0][1].startswith("timed\nWall time: ")
    refused = "Shell commands are not run where notebooks are graded: "
    assert parts(cells[2]) == [("stderr", f"{refused}!touch x\n{refused}!ls\n"), ("stdout", "!no command\n")]
    assert parts(cells[3]) == [("stderr", f"{refused}%%bash\n")]
    assert parts(cells[4]) == [("result", "2")]
    assert "other.py is not here, so it was not run" in cells[4].error
    assert parts(cells[5]) == parts(cells[6]) == []


def test_a_cell_that_hangs_or_leaves_costs_itself_and_what_came_before_it_stays(engine: Engine) -> None:
    started = time.monotonic()
    cells = show(
        engine, "x = 1", "while True:\n    pass", "x + 1", "import os\nos._exit(3)", "x + 2", "raise SystemExit"
    )
    assert time.monotonic() - started < 30
    assert parts(cells[2]) == [("result", "2")]
    assert parts(cells[4]) == [("result", "3")]
    assert "it took longer than 2 s. Does every loop end?" in cells[1].error
    assert "exit code 3" in cells[3].error
    assert cells[5].error.endswith("SystemExit")


def test_a_cell_that_is_known_not_to_end_is_not_run(engine: Engine) -> None:
    cells = engine.show(Show(("x = 1", "x = 2\nwhile True:\n    pass", "x"), {2: "it never ends."}, LIMITS))
    assert cells[1].error == "Stopped: it never ends."
    assert parts(cells[2]) == [("result", "1")]


def test_a_notebook_of_endless_loops_ends_after_a_few_limits(engine: Engine) -> None:
    started = time.monotonic()
    cells = show(engine, *["while True: pass"] * 30)
    assert time.monotonic() - started < 40
    assert "used up the time" in cells[-1].error


def test_what_is_printed_is_bounded(engine: Engine) -> None:
    (cell,) = show(engine, "for _ in range(100_000):\n    print('x' * 1_000)")
    assert sum(len(part.text) for part in cell.parts) == 20_000


def test_answers_that_are_none_are_said_to_be_so(engine: Engine) -> None:
    forged = "import autograder.notebooks.cells as c, sys\nsys.stdout._parts.append(['png', 'no picture'])\nprint(1)"
    (cell,) = show(engine, forged)
    assert parts(cell) == [("stdout", "1\n")]


def test_figures_become_pictures(engine: Engine) -> None:
    pytest.importorskip("matplotlib")
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()\nprint('done')"
    (cell,) = engine.show(Show((source,), limits=Limits(import_seconds=60)))  # matplotlib takes its time
    assert cell.error == ""
    assert [part.kind for part in cell.parts if part.kind != "stderr"] == ["stdout", "png"]
    assert cell.parts[-1].png.startswith(b"\x89PNG")


def test_cells_can_use_the_files_beside_the_notebook(engine):
    files = (OtherFile("helpers.py", b"x = 7\n"), OtherFile("data/n", b"8"))
    cells = ("import helpers\nhelpers.x", "open('data/n').read()")
    shown = engine.show(Show(cells, limits=LIMITS, files=files))
    assert [[part.text for part in cell.parts] for cell in shown] == [["7"], ["'8'"]], shown
