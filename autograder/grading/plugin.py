"""The pytest plugin that makes results of checks. Its hooks stand in the order in which pytest calls them.

How a check can end:
- it returns: passed, all its points;
- `CheckFailed` or `Settled` (from a fixture or `expect`): failed, timed out or not reached; no points;
- Hypothesis' own complaint that an example failed once and not again: failed, with the example that was recorded;
- any other exception, or a mistake in the grader's marks: our error. It is logged for the instructor, the check is
  neither passed nor failed, and the whole result is in state `error`.
"""

from __future__ import annotations

import hashlib
import io
import time
import types
from collections.abc import Callable, Generator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, Literal

import hypothesis
import pytest
from hypothesis.errors import Flaky, Unsatisfiable

from autograder.course import Assignment
from autograder.errors import EngineError
from autograder.grading.collecting import QUESTIONS, mark, name_of, title_of
from autograder.grading.diagnosis import Diagnosis
from autograder.grading.examiner import Examiner
from autograder.grading.failures import CheckFailed, Failure, Settled
from autograder.grading.questions import Questions
from autograder.grading.recording import Recorder, Recording, Recordings
from autograder.results.model import CheckResult, Status, Visibility


@dataclass(frozen=True)
class Trusted:
    """What a judge knows of an assignment, whoever is graded."""

    reference: types.ModuleType
    diagnosis: Diagnosis
    recordings: Recordings


class GradingPlugin:
    """Makes one `CheckResult` of each check; `report` is called with each as soon as it is known."""

    def __init__(
        self,
        assignment: Assignment,
        trusted: Trusted,
        examiner: Examiner | Recorder,
        salt: str,
        report: Callable[[CheckResult], None] = lambda _: None,
        *,
        explain: bool = True,
    ) -> None:
        self.assignment = assignment
        self.trusted = trusted
        self.examiner = examiner
        self.salt = salt
        self.report = report
        self.explain = explain
        self.exercises: tuple[str, ...] = ()
        self.until_failure = False
        self.device = ""
        self.only_timed = False
        self._untimed: dict[str, str] = {}  # exercise → why its forward pass is not worth timing
        self._enough = False
        self._fatal = ""
        self.recordings: Recordings = {}
        self.log: list[str] = []
        self.passed: set[str] = set()

    def run(self, items: list[pytest.Item]) -> None:
        """Runs those of the checks that are wanted. What they print goes to the log.

        Raises:
            EngineError: no submission can be graded now.
        """
        wanted = [item for item in items if self._wanted(item)]
        if not wanted:
            return
        printed = io.StringIO()
        plugins = wanted[0].config.pluginmanager
        plugins.register(self)
        try:
            with redirect_stdout(printed), redirect_stderr(printed):
                for item, following in zip(wanted, [*wanted[1:], None], strict=True):
                    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                    if self._enough or self._fatal:
                        break
        finally:
            plugins.unregister(self)
        if self._fatal:
            raise EngineError(self._fatal)
        if text := printed.getvalue().strip():
            self.log.append(f"printed by the graders:\n{text[:3000]}")

    def _wanted(self, item: pytest.Item) -> bool:
        return (not self.exercises or mark(item, "exercise") in self.exercises) and (
            not self.only_timed or "forward_time" in getattr(item, "fixturenames", ())
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Checks of which it is known how they end are not run: pytest's part of that would take most of the time."""
        exercise = mark(item, "exercise")
        self.examiner.begin(exercise, mark(item, "time_limit"))
        forbidden = [pattern for families in item.iter_markers("forbids") for pattern in families.args]
        recording = self.recordings[item.nodeid] = Recording()
        item.stash[QUESTIONS] = Questions(
            self.examiner,
            self.trusted.reference,
            self.trusted.diagnosis,
            exercise,
            forbidden,
            recording,
            explain=self.explain,
            device=self.device,
            untimed=self._untimed.get(exercise, ""),
        )
        self._started = time.monotonic()
        call = pytest.CallInfo.from_call(lambda: self._known_end(item), "call", KeyboardInterrupt)
        if call.excinfo is None and not call.result:
            self.examiner.begin(exercise, mark(item, "time_limit"))  # a replay must not eat into the check's time
            return None
        self._take_down(item, call)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
        return True

    def _known_end(self, item: pytest.Item) -> bool:
        """Whether it is known that the check passes; raises Settled if it is known that it does not."""
        exercise = mark(item, "exercise")
        failure = self.examiner.load_failure()
        if failure is None and hasattr(self.trusted.reference, exercise) and exercise not in self.examiner.names:
            failure = self._missing(exercise)
        if failure is not None:
            raise Settled(failure)
        recording = self.trusted.recordings.get(item.nodeid)
        return recording is not None and recording.complete and item.stash[QUESTIONS].replay(recording)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        if hasattr(pyfuncitem.obj, "hypothesis"):
            hypothesis.seed(_seed(self.salt, self.assignment.slug, pyfuncitem.name))(pyfuncitem.obj)
        result = yield
        pyfuncitem.stash[QUESTIONS].confirm()
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
        questions = item.stash[QUESTIONS]
        failure: Failure | None = None
        if isinstance(error, Settled | CheckFailed | Flaky):
            failure = _best(error, questions)
        if isinstance(error, EngineError):  # no worker: what holds for this check holds for all
            self._fatal = str(error)
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
            self._enough = True

    def _add(self, item: pytest.Item, status: Status, failure: Failure | None) -> None:
        points, questions = mark(item, "points"), item.stash[QUESTIONS]
        share = 1.0 if status in (Status.PASSED, Status.EXCUSED) else questions.share
        visibility = self.assignment.visibility_of(mark(item, "exercise"), name_of(item)) or mark(item, "visibility")
        check = CheckResult(
            exercise=mark(item, "exercise"),
            name=name_of(item),
            title=title_of(item),
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


def _seed(salt: str, *parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join((salt, *parts)).encode(), digest_size=8).digest(), "little")


def _quoted(title: str) -> str:
    return f"“{title.rstrip('.')}”"
