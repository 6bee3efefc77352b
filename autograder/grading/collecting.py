"""Collects the hidden graders with pytest: they are imported once in a process and run in each of its forks.

What is the same for every submission is done here: importing, collecting, and checking that the marks and
`assignment.toml` agree. What is done for one submission is in `plugin`.
"""

from __future__ import annotations

import io
import os
import sys
import types
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

import cloudpickle
import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from autograder.course import Assignment, did_you_mean
from autograder.errors import EngineError
from autograder.grading.fixtures import Fixtures
from autograder.grading.marks import mark, name_of

_MARKS = ("exercise", "points", "forbids", "visibility", "time_limit", "unproven")
# Parts of pytest that print, write files, or (the last four) take more time per check than its questions do.
_NOT_NEEDED = (
    "cacheprovider",
    "terminal",
    "faulthandler",
    "logging",
    "unraisableexception",
    "threadexception",
    "warnings",
)


def collect(assignment: Assignment, use: Callable[[list[pytest.Item]], None]) -> None:
    """Imports the graders in this process and calls `use` with their checks, in the order of the exercises. The checks
    can be run until `use` returns; whatever it raises is raised here.

    Raises:
        EngineError: a grader cannot be imported, or its marks are wrong.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    if str(assignment.graders) not in sys.path:
        sys.path.insert(0, str(assignment.graders))
    use_profile(assignment)
    collecting = _Collecting(assignment, use)
    printed = io.StringIO()
    options = ["-s", "--noconftest", *(f"-pno:{name}" for name in _NOT_NEEDED)]
    place = ["--rootdir", str(assignment.graders), "-c", os.devnull, "--import-mode=prepend"]
    with redirect_stdout(printed), redirect_stderr(printed):
        code = pytest.main([*options, *place, str(assignment.graders)], plugins=[collecting, Fixtures()])
    if collecting.error is not None:
        raise collecting.error
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise EngineError(f"pytest stopped with {code!r}:\n{printed.getvalue()[-3000:]}")


def use_profile(assignment: Assignment) -> None:
    """Sets Hypothesis up as a judge needs it: no files, no deadline, one bug. Call before graders are imported."""
    hypothesis.settings.register_profile(
        "autograder",
        max_examples=assignment.examples,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("autograder")
    # Hypothesis also draws constants found in files near the tests, including ours, so the examples would depend on
    # where the kit is installed and on what is imported. There is no setting to turn this off.
    if hasattr(providers, "_get_local_constants"):
        constants = providers._local_constants
        providers._get_local_constants = lambda: constants


class _Collecting:
    """A pytest plugin. Its hooks are in the order in which pytest calls them."""

    def __init__(self, assignment: Assignment, use: Callable[[list[pytest.Item]], None]) -> None:
        self._assignment = assignment
        self._use = use
        self.error: Exception | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        for name in _MARKS:
            config.addinivalue_line("markers", f"{name}(value): see autograder.grading.marks")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = EngineError(f"a grader cannot be imported:\n{report.longreprtext}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        order = list(self._assignment.exercises)
        try:
            self._require_agreement(items)
            items.sort(key=lambda item: order.index(mark(item, "exercise")))
        except EngineError as error:
            self.error = self.error or error

    def _require_agreement(self, items: list[pytest.Item]) -> None:
        totals = dict.fromkeys(self._assignment.exercises, 0.0)
        for item in items:
            exercise, points = mark(item, "exercise"), mark(item, "points")
            if exercise is None or points is None:
                raise EngineError(f"{item.nodeid}: mark it with an exercise of assignment.toml and with points")
            if exercise not in totals:
                like = did_you_mean(exercise, totals)
                raise EngineError(f"{item.nodeid}: assignment.toml has no exercise {exercise!r}{like}")
            if not 0 <= points < float("inf"):
                raise EngineError(f"{item.nodeid}: a check cannot be worth {points:g} points; give it 0 or more")
            totals[exercise] += points
        asked = {mark(item, "exercise") for item in items}
        if without := next((name for name in totals if name not in asked), None):
            raise EngineError(f"assignment.toml has the exercise {without!r}, but no check is marked with it")
        for exercise, total in totals.items():
            worth = self._assignment.exercises[exercise]
            if abs(total - worth) > 1e-6:
                raise EngineError(
                    f"the checks of {exercise} add up to {total:g} points, but assignment.toml says {worth:g}"
                )
        names = {f"{mark(item, 'exercise')}/{name_of(item)}" for item in items}
        for table in ("visibility", "penalties"):
            if unknown := [key for key in getattr(self._assignment, table) if "/" in key and key not in names]:
                raise EngineError(f"[{table}] in assignment.toml names {unknown[0]!r}, but there is no such check")

    def pytest_collection_finish(self) -> None:
        """Lets classes defined in the graders' own files be sent to the worker, which cannot import those files."""
        if cloudpickle.list_registry_pickle_by_value():
            return
        folder = f"{self._assignment.graders}/"
        for module in list(sys.modules.values()):
            if isinstance(module, types.ModuleType) and (getattr(module, "__file__", None) or "").startswith(folder):
                cloudpickle.register_pickle_by_value(module)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Replaces pytest's own loop."""
        try:
            if self.error is None:
                with redirect_stdout(sys.__stdout__), redirect_stderr(sys.__stderr__):
                    self._use(session.items)
        except Exception as error:
            self.error = error
        return True
