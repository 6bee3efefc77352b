"""The process that runs the public tests: it loads the student's code and reports every event to a file.

It may die at any moment, with the code it runs. The parent reads what it has reported until then, and `crash.txt`,
where Python's fault handler records where the code was when the process had to be ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import linecache
import os
import re
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from autograder.sandbox.hosted import provide_hosted_modules
from autograder.sandbox.shell import Shell
from autograder.selfcheck import explaining
from autograder.selfcheck.events import (
    Broken,
    Collected,
    Done,
    Ended,
    Event,
    Loaded,
    Order,
    Ready,
    Started,
    Test,
    TestsBroken,
    TestStatus,
    Trouble,
    label_of,
    labels_of,
)
from autograder.submissions.places import is_ignored

PRINTED_LINES = 20
# A signal leaves the process alive but takes effect only in Python code; after this, the process itself is ended.
_GRACE_SECONDS = 1.0


def main(folder: Path) -> None:
    """Carries out `folder/order.json`."""
    order = msgspec.json.decode((folder / "order.json").read_bytes(), type=Order)
    events = (folder / "events.jsonl").open("ab", buffering=0)
    crash = (folder / "crash.txt").open("wb", buffering=0)

    def report(event: Event) -> None:
        events.write(msgspec.json.encode(event) + b"\n")

    faulthandler.enable(crash)
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    provide_hosted_modules()
    with contextlib.suppress(ImportError):  # then the student's own import says so
        import torch

        # Its first call spends a second on imports, which must not count as the student's time.
        torch.testing.assert_close(torch.zeros(()), torch.zeros(()))
    labels = labels_of(order)
    sys.path.insert(0, str(Path(order.file).parent))
    report(Ready())
    faulthandler.dump_traceback_later(order.load_seconds, exit=True, file=crash)
    loaded = _load(order, labels, folder)
    faulthandler.cancel_dump_traceback_later()
    report(loaded)
    if isinstance(loaded, Loaded):
        run_pytest(order, _PluginWithWatch(order, labels, report, crash))


def _load(order: Order, labels: dict[str, str], folder: Path) -> Loaded | Broken:
    """Runs the student's code as the module that the tests import."""
    module = types.ModuleType(order.module)
    sys.modules[order.module] = module
    before = set(sys.modules)
    cells = [(label_of(order, cell.label), cell.source) for cell in order.cells]
    for label, source in cells:
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    problems: list[Trouble] = []
    shell = Shell(module, lambda error: problems.append(explaining.of_loading(error, labels)), folder / "written")
    try:
        is_notebook = shell.run(cells, notebook=order.is_notebook)
    except BaseException as error:
        return Broken(explaining.of_loading(error, labels))
    siblings = _siblings(order, set(sys.modules) - before)
    return Loaded(tuple(problems), siblings, is_notebook and not order.is_notebook)


def _siblings(order: Order, names: set[str]) -> tuple[str, ...]:
    """The files beside the student's that their code imports: they would be missing when it is graded."""
    file = Path(order.file)
    paths = {Path(getattr(sys.modules.get(name), "__file__", None) or "") for name in names} - {file}
    own = (path.relative_to(file.parent) for path in paths if path.is_relative_to(file.parent))
    found = {path.as_posix() for path in own if not any(map(is_ignored, path.parts))}
    return tuple(sorted(found - set(order.beside)))


def run_pytest(order: Order, plugin: object) -> None:
    """Runs the public tests in this process; the plugin reports the outcomes."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # pytest's terminal output goes nowhere, but pytest-timeout needs it.
    left_out = [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "warnings")]
    place = ["--rootdir", str(Path(order.tests).parent), "-c", os.devnull]
    limit: list[str] = []
    if order.method == "signal":
        limit = ["-p", "pytest_timeout", "--timeout", str(order.test_seconds), "--timeout-method", "signal"]
    pytest.main([*left_out, *place, *limit, order.tests], plugins=[plugin])


class Plugin:
    """Reports each test as it begins and ends. Its hooks are in the order in which pytest calls them."""

    def __init__(self, order: Order, labels: Mapping[str, str], report: Callable[[Event], None]) -> None:
        self._order, self._labels, self._report = order, labels, report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._report(TestsBroken(report.longreprtext[-1_500:]))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self.is_wanted(item.name)]
        self._report(Collected(tuple(map(_test, items))))

    def is_wanted(self, name: str) -> bool:
        return self._order.only is None or name in self._order.only

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._report(Started(item.name))
        self._name = item.name
        self._failure: tuple[TestStatus, Trouble] | None = None

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is None or self._failure is not None:
            return
        error = call.excinfo.value
        if isinstance(error, pytest.skip.Exception):
            self._failure = TestStatus.SKIPPED, Trouble(str(error))
        else:
            tests, seconds = Path(self._order.tests), self._order.test_seconds
            self._failure = explaining.of_test(error, self._labels, tests, self._order.module, seconds)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        lines = (report.capstdout + report.capstderr).rstrip().splitlines()
        shown = tuple(line[:300] for line in lines[:PRINTED_LINES])
        verdict, trouble = self._failure or (TestStatus.PASSED, None)
        self._report(Ended(self._name, verdict, trouble, shown, len(lines) - len(shown)))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
            self._report(Done())


class _PluginWithWatch(Plugin):
    """Ends the process if a test does not finish."""

    def __init__(
        self, order: Order, labels: Mapping[str, str], report: Callable[[Event], None], crash: BinaryIO
    ) -> None:
        super().__init__(order, labels, report)
        self._crash = crash
        self._limit = order.test_seconds + (_GRACE_SECONDS if order.method == "signal" else 0.0)

    def pytest_runtest_logstart(self) -> None:
        faulthandler.dump_traceback_later(self._limit, exit=True, file=self._crash)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            faulthandler.cancel_dump_traceback_later()
        super().pytest_runtest_logreport(report)


def _test(item: pytest.Item) -> Test:
    exercise, _, what = item.name.removeprefix("test_").partition("__")
    doc = getattr(getattr(item, "function", None), "__doc__", None) or ""
    title = re.sub(r"\s+", " ", doc.strip().split("\n\n")[0])
    return Test(item.name, exercise, what or exercise, title or what.replace("_", " "))
