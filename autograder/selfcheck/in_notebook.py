"""`%check EXERCISE` in a notebook: runs the public tests of that exercise on what the notebook has defined so far.

They run in the notebook's own process, because what counts is what its cells have defined, in the order they were run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from IPython.display import display
from rich.console import Console

from autograder.errors import UsageError
from autograder.selfcheck import drawing, places, printing
from autograder.selfcheck.child import Plugin, run_pytest
from autograder.selfcheck.events import Collected, Ended, Event, Order, TestsBroken, TestStatus
from autograder.selfcheck.running import LOAD_SECONDS, TEST_SECONDS, Outcome
from autograder.selfcheck.summary import count_text, pairs_of

_CELL_FILE = re.compile(r"ipykernel_\d+|<ipython-input-")


class ChecksFailed(Exception):
    """Some of the public tests do not pass. A notebook shows only the sentence: the traceback would be ours."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(line: str, shell: Any) -> None:
    """What the magic does with the rest of its line.

    Raises:
        ChecksFailed: not all tests pass, or there is nothing to test; so that tools that run notebooks notice.
    """
    exercise = line.strip()
    try:
        tests = _tests_of(exercise, Path.cwd())
        outcome = _run(tests, exercise, shell)
    except UsageError as error:
        raise ChecksFailed(str(error)) from None
    if not outcome.tests:
        print(f"There are no public tests for {exercise}.")
        return
    pairs = pairs_of(outcome)
    title = f"{exercise or tests.stem.removeprefix('test_')}: {count_text(pairs)}"
    display(_both_forms(outcome, title), raw=True)  # type: ignore[no-untyped-call]
    if any(ended.status not in (TestStatus.PASSED, TestStatus.SKIPPED) for _, ended in pairs):
        raise ChecksFailed(f"{title}.")


def _both_forms(outcome: Outcome, title: str) -> dict[str, str]:
    """The outcome as text, for terminals, and as HTML; a notebook shows the best one that it can."""
    console = Console(file=sys.stdout, force_jupyter=False, width=100, highlight=False, color_system=None)
    with console.capture() as text:
        printing.print_outcome(outcome, title, console, again="this cell")
    return {"text/plain": text.get().rstrip("\n"), "text/html": drawing.html(outcome, title, again="this cell")}


def _tests_of(exercise: str, folder: Path) -> Path:
    """The file with public tests for this exercise, next to the notebook or in the course."""
    known = {**places.of_courses(folder), **places.beside(folder)}
    if not known:
        raise UsageError("There is no test_<assignment>.py with the public tests next to this notebook.")
    pattern = re.compile(rf"^def test_{re.escape(exercise)}(__|\()", re.MULTILINE)
    holding = [path for path in known.values() if not exercise or pattern.search(path.read_text(encoding="utf-8"))]
    return next((path for path in holding if path.parent == folder), (holding or list(known.values()))[0]).resolve()


def _run(tests: Path, exercise: str, shell: Any) -> Outcome:
    outcome = Outcome()

    def note(event: Event) -> None:
        match event:
            case TestsBroken(message):
                raise UsageError(f"The public tests in {tests.name} cannot be used:\n{message}")
            case Collected(found):
                outcome.tests = list(found)
            case Ended(id_):
                outcome.ended[id_] = event

    module = tests.stem.removeprefix("test_")
    method = "signal" if hasattr(signal, "SIGALRM") else ""
    order = Order(module, "", (), True, (), str(tests), None, TEST_SECONDS, LOAD_SECONDS, method)
    plugin = _OfExercise(order, _Labels(shell), note)
    plugin.exercise = exercise
    with _as_module(module, shell.user_ns, tests.stem):
        run_pytest(order, plugin)
    return outcome


class _OfExercise(Plugin):
    exercise = ""

    def is_wanted(self, name: str) -> bool:
        return not self.exercise or name.removeprefix("test_").partition("__")[0] == self.exercise


class _Labels(Mapping[str, str]):
    """From the names of cells in tracebacks to the notebook's own."""

    def __init__(self, shell: Any) -> None:
        self._numbers: dict[str, int] = getattr(shell.compile, "_filename_map", {})

    def __getitem__(self, file: str) -> str:
        if file in self._numbers:
            return f"In [{self._numbers[file]}]"
        if _CELL_FILE.search(file):
            return "a cell"
        raise KeyError(file)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


@contextlib.contextmanager
def _as_module(name: str, namespace: dict[str, Any], tests: str) -> Iterator[None]:
    """The notebook's names as the module that the tests import, and those tests imported afresh."""
    module = types.ModuleType(name)
    module.__dict__.update({key: value for key, value in namespace.items() if not key.startswith("__")})
    before = sys.modules.get(name), sys.dont_write_bytecode
    sys.modules[name], sys.dont_write_bytecode = module, True
    sys.modules.pop(tests, None)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        sys.modules.pop(tests, None)
        sys.modules.pop(name)
        if before[0] is not None:
            sys.modules[name] = before[0]
        sys.dont_write_bytecode = before[1]
        os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
