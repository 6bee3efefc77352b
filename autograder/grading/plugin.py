"""The pytest plugin that runs checks and makes their results. Its hooks are in the order in which pytest calls them.

How a check can end:
- it returns: passed, full points;
- `CheckFailed` or `Settled` (from a fixture or `expect`): failed, timed out or not reached; no points;
- Hypothesis complains that an example failed once and then passed: failed, with the example that was recorded;
- any other exception (such as `GraderFault`), or a mistake in the grader's marks: our error. It is logged for the
  instructor, the check neither passes nor fails, and the whole result is in state `error`.
"""

from __future__ import annotations

import functools
import io
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Literal

import hypothesis
import msgspec
import pytest
from hypothesis.errors import Flaky, HypothesisException, Unsatisfiable

from autograder.errors import EngineError
from autograder.grading.answers import Answers
from autograder.grading.context import CheckContext, TimingPlan
from autograder.grading.examiner import Examiner
from autograder.grading.failures import CheckFailed, Failure, GraderFault, Settled
from autograder.grading.fixtures import QUESTIONS
from autograder.grading.hearing import Heard, Profile, said
from autograder.grading.margins import Margins
from autograder.grading.marks import forbidden, mark, name_of, title_of
from autograder.grading.prepared import Prepared
from autograder.grading.questions import UNUSABLE, Questions
from autograder.grading.recording import Recordings
from autograder.grading.seeds import secret_seed
from autograder.jobs import Job
from autograder.output.inert import inert, one_line
from autograder.results.feedback import explained_text
from autograder.results.model import CheckResult, Status, Visibility
from autograder.sandbox.torch_state import seed_generators

GRADER_FAILED = "The grader itself failed here; your instructor has been told."
MOST_TEXT = 5_000  # characters of a message or hint, which a grader may have made of an answer


class GradingPlugin:
    """Makes a `CheckResult` for each check and calls `report` with it as soon as it is known. `heard` notes what was
    answered in each check that came to a judgement, by exercise and name, `failed` what was asked in those that the
    submission failed, and `stumbled` the checks that raised an exception, perhaps over an answer; if it is not
    `listening`, a check that fails asks no more than it must."""

    def __init__(
        self,
        job: Job,
        prepared: Prepared,
        answers: Answers,
        report: Callable[[CheckResult], None] = lambda _: None,
        *,
        listening: bool = True,
    ) -> None:
        self._job = job
        self._prepared = prepared
        self._answers = answers
        self._report = report
        self._untimed: dict[str, str] = {}  # exercise → why its forward pass is not worth timing
        self._enough = False
        self._fatal: EngineError | None = None
        self._recordings: Recordings = {}
        self._passed: set[str] = set()
        self._listening = listening
        self.heard: dict[str, dict[str, tuple[Profile, Heard]]] = defaultdict(dict)
        self.failed: dict[tuple[str, str], Questions] = {}
        self.stumbled: list[pytest.Item] = []
        self.log: list[str] = []

    def run(self, items: list[pytest.Item]) -> None:
        """Runs the checks that the job asks for. What they print goes to the log.

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
            raise self._fatal
        if text := printed.getvalue().strip():
            self.log.append(f"printed by the graders:\n{text[:3000]}")

    def _wanted(self, item: pytest.Item) -> bool:
        job = self._job
        return (not job.exercises or mark(item, "exercise") in job.exercises) and (
            not job.only_timed or "forward_time" in getattr(item, "fixturenames", ())
        )

    def learnt(self) -> Recordings:
        """The recordings, which hold for every submission: only a check that passed has asked all its questions."""
        return {
            node: recording.for_replay()
            for node, recording in self._recordings.items()
            if node in self._passed or not recording.complete
        }

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Skips pytest's own protocol, which takes most of the time, if it is already known how the check ends."""
        exercise, seconds = mark(item, "exercise"), mark(item, "time_limit")
        self._answers.begin(exercise, seconds)
        questions = item.stash[QUESTIONS] = Questions(self._context(item, exercise))
        self._recordings[item.nodeid] = questions.context.recording
        self._started = time.monotonic()
        call = pytest.CallInfo.from_call(lambda: self._known_end(item), "call", KeyboardInterrupt)
        if call.excinfo is None and not call.result:
            self._answers.begin(exercise, seconds)  # a replay must not eat into the check's time
            return None
        self._take_down(item, call)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
        return True

    def _context(self, item: pytest.Item, exercise: str) -> CheckContext:
        job, answers = self._job, self._answers
        timing = None
        if job.device and isinstance(answers, Examiner):
            gpu = job.device == "cuda"
            submission = functools.partial(answers.another_worker, gpu=gpu)
            reference = functools.partial(answers.reference_worker, gpu=gpu)
            seconds = mark(item, "time_limit") or self._prepared.assignment.limits.check_seconds
            timing = TimingPlan(job.device, seconds, submission, reference)
        return CheckContext(
            answers,
            self._prepared.reference,
            exercise,
            forbidden=forbidden(item),
            explain=job.explain,
            hurried=not self._listening,
            timing=timing,
            untimed=self._untimed.get(exercise, ""),
            margins=Margins() if job.explain_pass in (name_of(item), f"{exercise}/{name_of(item)}") else None,
        )

    def _known_end(self, item: pytest.Item) -> bool:
        """Whether the check is known to pass; raises Settled if it is known to fail."""
        exercise = mark(item, "exercise")
        failure = self._answers.load_failure()
        if failure is None and hasattr(self._prepared.reference, exercise) and exercise not in self._answers.names:
            failure = self._missing(exercise)
        if failure is not None:
            raise Settled(failure)
        recording = self._prepared.archive.get(item.nodeid)
        return recording is not None and recording.complete and item.stash[QUESTIONS].replay(recording)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        check = (self._prepared.salt, self._prepared.assignment.slug, pyfuncitem.name)
        if hasattr(pyfuncitem.obj, "hypothesis"):
            hypothesis.seed(secret_seed(*check, "Hypothesis"))(pyfuncitem.obj)
        seed_generators(secret_seed(*check, "torch"))
        result = yield
        pyfuncitem.stash[QUESTIONS].examples.confirm()
        return result

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Records the check's result. pytest's own report would contain a formatted traceback, which takes longer than
        most checks and which nobody reads."""
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
        elif questions.uses_answers and _may_be_theirs(error):
            failure = Failure(UNUSABLE)
            questions.trouble = _whereabouts(item, call.excinfo)
            self.stumbled.append(item)
        if isinstance(error, EngineError):  # there is no worker, for this check or any other
            self._fatal = error
            return
        if error is None:
            status = Status.PASSED
        elif failure is None or isinstance(error, Unsatisfiable):
            status = Status.ERROR
            self.log.append(f"{item.nodeid}: {_whereabouts(item, call.excinfo)}")
            failure = Failure(GRADER_FAILED)
        else:
            status = failure.status
        self._add(item, status, failure)
        self._enough |= status in self._job.until

    def _add(self, item: pytest.Item, status: Status, failure: Failure | None) -> None:
        points, questions = mark(item, "points"), item.stash[QUESTIONS]
        share = 1.0 if status in (Status.PASSED, Status.EXCUSED) else questions.share
        exercise = mark(item, "exercise")
        visibility = self._prepared.assignment.visibility_of(exercise, name_of(item)) or mark(item, "visibility")
        check = CheckResult(
            exercise=exercise,
            name=name_of(item),
            title=title_of(item),
            status=status,
            max_points=points,
            points=round(points * share, 4),
            message=inert(failure.message if failure else questions.remark, MOST_TEXT),
            hint=inert(failure.hint, MOST_TEXT) if failure else "",
            counterexample=failure.counterexample if failure else None,
            misconception=failure.misconception if failure else "",
            visibility=visibility or Visibility.VISIBLE,
            examples=questions.asked,
            answered=_answered(questions),
            timing=questions.timing,
            margin=questions.context.margins.result() if questions.context.margins else None,
            seconds=round(time.monotonic() - self._started, 4),
        )
        if check.status is Status.FAILED and check.answered:  # what is not written has done nothing wrong
            penalty = self._prepared.assignment.penalties.get(f"{check.exercise}/{check.name}", 0.0)
            check = msgspec.structs.replace(check, deduction=penalty)
        self.log += [f"explaining {self._place(item)} failed: {line}" for line in questions.examples.unexplained]
        if questions.trouble:
            self.log.append(f"judging {self._place(item)} could not go on: {one_line(questions.trouble, 2_000)}")
        if questions.counts_work and status is not Status.PASSED:
            self._untimed[check.exercise] = f"the check {_quoted(check.title)} must pass first."
        if status is Status.PASSED:
            self._passed.add(item.nodeid)
        if status in (Status.PASSED, Status.FAILED, Status.TIMEOUT):
            self._hear(check, questions)
        if status in (Status.FAILED, Status.TIMEOUT):
            self.failed[check.exercise, check.name] = questions
        self._report(self._presentable(check, item))

    def _hear(self, check: CheckResult, questions: Questions) -> None:
        heard, passed = questions.examples.heard, check.status is Status.PASSED
        if passed or not all(heard.right):
            text = ""
        else:
            text = said(check.message) if check.status is Status.FAILED else check.status.value
        profile = Profile(not passed, bytes(heard.right), text, heard.digests() if self._listening else {})
        self.heard[check.exercise][check.name] = profile, heard

    def _presentable(self, check: CheckResult, item: pytest.Item) -> CheckResult:
        """The check, without its explanation if no text can be made of that."""
        if check.status is Status.PASSED:
            return check
        try:
            explained_text(check)
            msgspec.json.encode(check)
        except Exception as error:
            self.log.append(f"explaining {self._place(item)} failed: {type(error).__name__}: {error}")
            message = one_line(check.message, 2_000)
            return msgspec.structs.replace(check, message=message, hint="", counterexample=None)
        return check

    def _place(self, item: pytest.Item) -> str:
        """A check's place in the course."""
        return f"graders/{self._prepared.assignment.slug}/{item.nodeid}"

    def _missing(self, exercise: str) -> Failure:
        problems = "".join(f"\n  {problem}" for problem in self._answers.problems[:3])
        why = f" These lines raised an error:{problems}" if problems else ""
        return Failure(f"{exercise} is not defined in your file.{why}")


def _may_be_theirs(error: BaseException | None) -> bool:
    """Whether a grader may have raised this over what a submission answered."""
    return isinstance(error, Exception) and not isinstance(error, GraderFault | EngineError | HypothesisException)


def _best(error: BaseException, questions: Questions) -> Failure | None:
    """What to tell the student: a failure that needs no example, or else the smallest example that was recorded."""
    settled = error.failure if isinstance(error, Settled) else None
    if settled is not None and settled.status not in (Status.FAILED, Status.SKIPPED):
        return settled
    explained = questions.examples.explained()
    if explained is not None:
        return explained
    return getattr(error, "failure", None)


def _answered(questions: Questions) -> bool:
    """Whether the submission got as far as an answer: one that is wrong by its value or, if no answer is known to be
    wrong, any value at all."""
    examples = questions.examples
    return bool(examples.wrong_values or (not examples.exceptions and questions.values))


def _whereabouts(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException] | None) -> str:
    """What went wrong in a grader, and where."""
    if excinfo is None:
        return ""
    if isinstance(excinfo.value, GraderFault):
        entries = [entry for entry in excinfo.traceback if Path(entry.path).parent == item.path.parent]
        places = [f" ({Path(entry.path).name}, line {entry.lineno + 1})" for entry in entries]
        return f"{excinfo.value}{places[-1] if places else ''}"
    last = excinfo.traceback[-1]
    return f"{excinfo.exconly()[:2000]} ({last.path}:{last.lineno + 1})"


def _quoted(title: str) -> str:
    return f"“{title.rstrip('.')}”"
