"""What the child is asked to do, and what it reports: one line of JSON per event."""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec

from autograder.results.model import Shown
from autograder.submissions.sources import Cell


class Order(msgspec.Struct, frozen=True):
    """Run the tests of the file `tests` on the module `module`, made from `cells`.

    `file` is where the cells came from, and `beside` are the files in its folder that are handed in with it. Only the
    tests in `only` are run, all if it is None. `method` is the way to stop a test that takes longer than
    `test_seconds`: "signal" or "exit" (which costs the whole process).
    """

    module: str
    file: str
    cells: tuple[Cell, ...]
    is_notebook: bool
    beside: tuple[str, ...]
    tests: str
    only: tuple[str, ...] | None
    test_seconds: float
    load_seconds: float
    method: str


class SourceLine(msgspec.Struct, frozen=True):
    """A line of the student's code: `where` is "line 12", or "cell 3, line 12" in a notebook."""

    where: str
    function: str
    text: str


class Trouble(msgspec.Struct, frozen=True):
    """What went wrong: a message, the student's own lines on the way to it (the last one is where it happened), the
    statement of the test, and the two values it compared."""

    message: str
    places: tuple[SourceLine, ...] = ()
    statement: str = ""
    expected: Shown | None = None
    got: Shown | None = None


class TestStatus(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    UNWRITTEN = "unwritten"  # the skeleton's NotImplementedError, or no such name at all
    ENDED = "ended"  # the process died during it
    SKIPPED = "skipped"


class Test(msgspec.Struct, frozen=True):
    """A public test: `title` is its sentence."""

    id: str
    exercise: str
    name: str
    title: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """torch is imported and the student's code comes next."""


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The module exists. `problems` come from statements that raised; `siblings` are files next to it that it imported
    and that are not handed in; `read_as_notebook` is true for a Python file with code for IPython."""

    problems: tuple[Trouble, ...]
    siblings: tuple[str, ...]
    read_as_notebook: bool = False


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """There is no module, and no test was run."""

    trouble: Trouble


class Collected(msgspec.Struct, frozen=True, tag="collected"):
    tests: tuple[Test, ...]


class TestsBroken(msgspec.Struct, frozen=True, tag="tests_broken"):
    """The file of public tests itself cannot be used."""

    message: str


class Started(msgspec.Struct, frozen=True, tag="started"):
    id: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """`printed` is what the student's code printed in this test, at most its first lines; `more_lines` are left out."""

    id: str
    status: TestStatus
    trouble: Trouble | None = None
    printed: tuple[str, ...] = ()
    more_lines: int = 0


class Done(msgspec.Struct, frozen=True, tag="done"):
    """All tests were run."""


Event = Ready | Loaded | Broken | Collected | TestsBroken | Started | Ended | Done


def label_of(order: Order, label: str) -> str:
    """For a file its own path, so that tracebacks can find the source; for a cell, which was never a file, a name."""
    return order.file if not order.is_notebook and order.file.endswith(".py") else label


def labels_of(order: Order) -> dict[str, str]:
    """From the name in a traceback to the student's name for it: "" for the file that is graded."""
    own = {label_of(order, cell.label): cell.label if order.is_notebook else "" for cell in order.cells}
    return own | {str(Path(order.file).parent / name): name for name in order.beside}
