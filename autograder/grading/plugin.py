"""The pytest plugin that turns hidden graders into a result. Its hooks stand in the order in which pytest calls them.

How a check can end:
- it returns: passed, all its points;
- `CheckFailed` or `Settled` (from a fixture or `expect`): failed, timed out or not reached; no points;
- Hypothesis' own complaint that an example failed once and not again: failed, with the example that was recorded;
- any other exception, or a mistake in the grader's marks: our error. It is logged for the instructor, the check is
  neither passed nor failed, and the whole result is in state `error`.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Generator
from typing import Any, Literal

import hypothesis
import pytest
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.internal.conjecture import providers

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.diagnosis import Diagnosis
from autograder.grading.examiner import Examiner
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.fixtures import Questions
from autograder.grading.reference import load_reference
from autograder.grading.rehearsal import Transcript, Transcripts, Understudy
from autograder.results.model import CheckResult, Status, Visibility

_QUESTIONS = pytest.StashKey[Questions]()
_MARKS = ("exercise", "points", "forbids", "visibility", "time_limit")


def use_profile(assignment: Assignment) -> None:
    """Hypothesis as a judge needs it: no files, no deadline, no second opinions. Call before graders are imported."""
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
    # Hypothesis also draws constants that stand in files near the tests, ours among them: then the examples would
    # depend on where the kit is installed and on what is imported. There is no setting for it.
    if hasattr(providers, "_get_local_constants"):
        constants = providers._local_constants
        providers._get_local_constants = lambda: constants


class GradingPlugin:
    """Collects one `CheckResult` per hidden test; `report` is called with each as soon as it is known."""

    def __init__(
        self,
        assignment: Assignment,
        examiner: Examiner | Understudy,
        salt: str,
        report: Callable[[CheckResult], None] = lambda _: None,
        rehearsed: Transcripts | None = None,
        *,
        explain: bool = True,
    ) -> None:
        self.assignment = assignment
        self.examiner = examiner
        self.reference = load_reference(assignment)
        self.diagnosis = Diagnosis(assignment)
        self.salt = salt
        self.report = report
        self.rehearsed = rehearsed or {}
        self.explain = explain
        self.exercises: tuple[str, ...] = ()
        self.until_failure = False
        self.device = ""
        self.only_timed = False
        self.known: Collection[str] = ()  # checks that need not be run
        self._untimed: dict[str, str] = {}  # exercise → why its forward pass is not worth timing
        self.cut_short = False
        self.transcripts: Transcripts = {}
        self.checks: list[CheckResult] = []
        self.log: list[str] = []
        self.fatal = ""
        self.passed: set[str] = set()

    def pytest_configure(self, config: pytest.Config) -> None:
        for name in _MARKS:
            config.addinivalue_line("markers", f"{name}(value): see autograder.grading.marks")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.fatal = f"a grader cannot be imported:\n{report.longreprtext}"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        try:
            if not self.fatal:
                self._plan(items)
        except EngineError as error:
            self.fatal = str(error)
        if self.fatal:
            items.clear()

    def _plan(self, items: list[pytest.Item]) -> None:
        order = list(self.assignment.exercises)
        totals = dict.fromkeys(order, 0.0)
        for item in items:
            exercise, points = _mark(item, "exercise"), _mark(item, "points")
            if exercise not in totals or points is None:
                raise EngineError(f"{item.nodeid}: mark it with an exercise of assignment.toml and with points")
            totals[exercise] += points
        for exercise, total in totals.items():
            if abs(total - self.assignment.exercises[exercise]) > 1e-6:
                worth = self.assignment.exercises[exercise]
                raise EngineError(
                    f"the checks of {exercise} add up to {total:g} points, assignment.toml says {worth:g}"
                )
        names = {f"{_mark(item, 'exercise')}/{_name(item)}" for item in items}
        if unknown := [key for key in self.assignment.visibility if "/" in key and key not in names]:
            raise EngineError(f"[visibility] in assignment.toml names {unknown[0]!r}, and there is no such check")
        if self.exercises:
            items[:] = [item for item in items if _mark(item, "exercise") in self.exercises]
        if self.only_timed:
            items[:] = [item for item in items if "forward_time" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item.nodeid not in self.known]
        items.sort(key=lambda item: order.index(_mark(item, "exercise")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Checks of which it is known how they end are not run: pytest's part of that would take most of the time."""
        exercise = _mark(item, "exercise")
        self.examiner.begin(exercise, _mark(item, "time_limit"))
        forbidden = [pattern for mark in item.iter_markers("forbids") for pattern in mark.args]
        transcript = self.transcripts[item.nodeid] = Transcript()
        item.stash[_QUESTIONS] = Questions(
            self.examiner,
            self.reference,
            self.diagnosis,
            exercise,
            forbidden,
            transcript,
            explain=self.explain,
            device=self.device,
            untimed=self._untimed.get(exercise, ""),
        )
        self._started = time.monotonic()
        call = pytest.CallInfo.from_call(lambda: self._known_end(item), "call", KeyboardInterrupt)
        if call.excinfo is None and not call.result:
            self.examiner.begin(exercise, _mark(item, "time_limit"))  # a replay must not eat into the check's time
            return None
        self._take_down(item, call)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
        return True

    def _known_end(self, item: pytest.Item) -> bool:
        """Whether it is known that the check passes; raises Settled if it is known that it does not."""
        exercise = _mark(item, "exercise")
        failure = self.examiner.load_failure()
        if failure is None and hasattr(self.reference, exercise) and exercise not in self.examiner.names:
            failure = self._missing(exercise)
        if failure is not None:
            raise Settled(failure)
        transcript = self.rehearsed.get(item.nodeid)
        return transcript is not None and transcript.complete and item.stash[_QUESTIONS].replay(transcript)

    @pytest.fixture
    def same_outcome(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return request.node.stash[_QUESTIONS].same_outcome  # type: ignore[no-any-return]

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Callable[..., Any]:
        return request.node.stash[_QUESTIONS].student  # type: ignore[no-any-return]

    @pytest.fixture
    def operators(self, request: pytest.FixtureRequest) -> Callable[..., dict[str, int]]:
        return request.node.stash[_QUESTIONS].operators  # type: ignore[no-any-return]

    @pytest.fixture
    def vectorised(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return request.node.stash[_QUESTIONS].vectorised  # type: ignore[no-any-return]

    @pytest.fixture
    def forward_time(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return request.node.stash[_QUESTIONS].forward_time  # type: ignore[no-any-return]

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        if hasattr(pyfuncitem.obj, "hypothesis"):
            hypothesis.seed(_seed(self.salt, self.assignment.slug, pyfuncitem.name))(pyfuncitem.obj)
        result = yield
        pyfuncitem.stash[_QUESTIONS].confirm()
        return result

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Takes the check's result down. pytest's own report would hold a formatted traceback, which takes longer than
        most checks and is read by nobody."""
        if call.when == "call" or call.excinfo is not None:
            self._take_down(item, call)
        assert call.when != "collect"
        outcome: Literal["passed", "failed"] = "failed" if call.excinfo else "passed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def _take_down(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        error = call.excinfo.value if call.excinfo else None
        questions = item.stash[_QUESTIONS]
        failure: Failure | None = None
        if isinstance(error, Settled | CheckFailed | Flaky):
            failure = _best(error, questions)
        if isinstance(error, EngineError):  # no worker: what holds for this check holds for all
            self.fatal = str(error)
            item.session.shouldstop = self.fatal
            return
        if error is None:
            status = Status.PASSED
        elif failure is None or isinstance(error, Unsatisfiable):
            status = Status.ERROR
            self.log.append(f"{item.nodeid}: {_whereabouts(call.excinfo)}")
            failure = Failure("The grader itself failed here; your instructor has been told.")
        else:
            status = failure.status
        self._add(item, status, failure)
        if self.until_failure and status not in (Status.PASSED, Status.EXCUSED):
            item.session.shouldstop = "the first failure was asked for"
            self.cut_short = True

    def _add(self, item: pytest.Item, status: Status, failure: Failure | None) -> None:
        points, questions = _mark(item, "points"), item.stash[_QUESTIONS]
        share = 1.0 if status in (Status.PASSED, Status.EXCUSED) else questions.share
        visibility = self.assignment.visibility_of(_mark(item, "exercise"), _name(item)) or _mark(item, "visibility")
        check = CheckResult(
            exercise=_mark(item, "exercise"),
            name=_name(item),
            title=_sentence(item),
            status=status,
            max_points=points,
            points=round(points * share, 4),
            message=failure.message if failure else questions.remark,
            hint=failure.hint if failure else "",
            counterexample=failure.counterexample if failure else None,
            misconception=failure.misconception if failure else "",
            visibility=visibility or Visibility.VISIBLE,
            examples=questions.asked,
            timing=questions.timing,
            seconds=round(time.monotonic() - self._started, 4),
        )
        self.checks.append(check)
        if questions.trouble:
            self.log.append(f"{item.nodeid}: {questions.trouble}")
        if questions.counts_work and status is not Status.PASSED:
            self._untimed[check.exercise] = f"first the check {_quoted(check.title)} must pass."
        if status is Status.PASSED:
            self.passed.add(item.nodeid)
        self.report(check)

    def _missing(self, exercise: str) -> Failure:
        problems = "".join(f"\n  {where}: {kind}: {text}" for kind, text, where in self.examiner.problems[:3])
        why = f" These cells ended with an error:{problems}" if problems else ""
        return Failure(f"{exercise} is not defined in your file.{why}")


def _best(error: BaseException, questions: Questions) -> Failure | None:
    """What to tell: a failure that needs no example, else the smallest example that was recorded."""
    if isinstance(error, Settled) and error.failure.status is not Status.FAILED:
        return error.failure
    explained = questions.explained()
    if explained is not None:
        return explained
    return getattr(error, "failure", None)


def _whereabouts(excinfo: pytest.ExceptionInfo[BaseException] | None) -> str:
    if excinfo is None:
        return ""
    last = excinfo.traceback[-1]
    return f"{excinfo.exconly()[:2000]} ({last.path}:{last.lineno + 1})"


def _mark(item: pytest.Item, name: str) -> Any:
    mark = item.get_closest_marker(name)
    return mark.args[0] if mark and mark.args else None


def _seed(salt: str, *parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join((salt, *parts)).encode(), digest_size=8).digest(), "little")


def _name(item: pytest.Item) -> str:
    """Without the parameters in brackets, where those only say which exercise it is."""
    name = item.name.removeprefix("test_")
    return name.replace(f"[{_mark(item, 'exercise')}]", "")


def _quoted(title: str) -> str:
    return f"“{title.rstrip('.')}”"


def _sentence(item: pytest.Item) -> str:
    text = re.sub(r"\s+", " ", (item.obj.__doc__ or "")).strip()  # type: ignore[attr-defined]
    return text or _name(item).replace("_", " ")
