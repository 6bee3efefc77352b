"""Grades one submission: prepares the assignment, runs its checks on the submission, and puts the result together.

For a class, the first step is done only once: `warm_up` prepares in the class server, and `grade` runs in its forks.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable

import hypothesis
import hypothesis.strategies
import msgspec
import pytest

from autograder import fingerprint
from autograder.course import Assignment
from autograder.errors import EngineError, EngineGone
from autograder.grading import profiles
from autograder.grading.assembling import assembled
from autograder.grading.carried_forward import CarryingForward
from autograder.grading.collecting import collect
from autograder.grading.examiner import Examiner
from autograder.grading.explaining import Explaining
from autograder.grading.marks import forbidden, mark, name_of
from autograder.grading.plugin import GRADER_FAILED, GradingPlugin
from autograder.grading.prepared import Prepared, prepare
from autograder.grading.questions import UNUSABLE
from autograder.grading.recorder import record
from autograder.grading.reproducing import reproduced
from autograder.grading.trusted import Variant
from autograder.jobs import Declared, Job, WarmUp
from autograder.results.feedback import points_text
from autograder.results.model import CheckResult, Result, State, Status
from autograder.sandbox.forkserver import Client
from autograder.submissions.reading import Submission


def warm_up(order: WarmUp, serve: Callable[[Prepared, list[pytest.Item]], None]) -> None:
    """Prepares for a class: collects the checks, records what they ask and what the reference answers, and calls
    `serve` with both. `serve` can then fork and call `grade` in the forks.

    Raises:
        UsageError: the course has a mistake.
        EngineError: the graders do not run.
    """
    prepared = prepare(order)

    def record_and_serve(checks: list[pytest.Item]) -> None:
        _learn(order, prepared, checks)
        if order.thorough:
            profiles.complete(order, prepared, checks)
        _fail_once()
        serve(prepared, checks)

    collect(prepared.assignment, record_and_serve)


def grade(
    job: Job,
    client: Client,
    report: Callable[[CheckResult], None],
    warm: tuple[Prepared, list[pytest.Item]] | None = None,
) -> Result:
    """The result of one submission, or of the better of its two files; `report` is called with each check of the first
    as soon as it is known. `warm` is what `warm_up` prepared, if it was called. If something of ours fails on the way,
    the result is in state `error`.

    Raises:
        UsageError, EngineError: nothing can be graded with this assignment.
        EngineGone: the process that starts workers is gone.
    """
    if job.submission.other is None:
        return _graded(job, client, report, warm)
    if warm:
        return _better(job, job.submission.other, client, report, warm)
    prepared, results = prepare(job.warm_up), list[Result]()

    def run(items: list[pytest.Item]) -> None:
        _learn(job.warm_up, prepared, items)
        assert job.submission.other is not None
        results.append(_better(job, job.submission.other, client, report, (prepared, items)))

    collect(prepared.assignment, run)
    return results[0]


def _better(
    job: Job,
    other: Submission,
    client: Client,
    report: Callable[[CheckResult], None],
    warm: tuple[Prepared, list[pytest.Item]],
) -> Result:
    """The result of the one of two files that has more points. Each has half of the time."""
    submission = msgspec.structs.replace(job.submission, other=None)
    shown = _graded(msgspec.structs.replace(job, submission=submission), client, report, warm, 2)
    hidden = _graded(msgspec.structs.replace(job, submission=other), client, lambda _: None, warm, 2)
    if State.ERROR in (shown.state, hidden.state):
        return shown if shown.state is State.ERROR else hidden
    worse, better = sorted((hidden, shown), key=lambda result: result.points)
    most, least = points_text(better.points), points_text(worse.points)
    why = (
        f"Both have {most} points; {better.submission} counts."
        if most == least
        else f"{better.submission} counts, with {most} points; the other has {least}."
    )
    notice = f"{submission.name} and {other.name} were both graded. {why} {better.notice}".strip()
    seconds = shown.seconds + hidden.seconds
    mark = fingerprint.of_job(warm[0].digest, job)
    return msgspec.structs.replace(better, notice=notice, seconds=seconds, fingerprint=mark)


def _graded(
    job: Job,
    client: Client,
    report: Callable[[CheckResult], None],
    warm: tuple[Prepared, list[pytest.Item]] | None,
    files: int = 1,
) -> Result:
    """The result of one of the `files` that share the time of a submission."""
    started = time.monotonic()
    checks: list[CheckResult] = []

    def take(check: CheckResult) -> None:
        checks.append(check)
        report(check)

    prepared = warm[0] if warm else prepare(job.warm_up)
    seconds = prepared.assignment.limits.total_seconds / files
    examiner = _another_examiner(client, prepared.assignment, job.submission, seconds)
    plugin = GradingPlugin(job, prepared, examiner, take, listening=job.explain)
    failures: list[str] = []
    found, forward = Explaining(job.warm_up, prepared, (), {}, {}), None

    def run(items: list[pytest.Item]) -> None:
        if not warm:
            _learn(job.warm_up, prepared, items)
        plugin.run(items)
        if plugin.stumbled:
            ours = _stumbling_anyway(job, prepared, plugin.stumbled)
            checks[:] = [_broken(one) if (one.exercise, one.name) in ours else one for one in checks]
        if job.explain:
            nonlocal found, forward
            heard, references = plugin.heard, examiner.references
            found = Explaining(job.warm_up, prepared, items, heard, references)
            found.run()
            log, checks[:] = reproduced(checks, plugin.failed, prepared, examiner, job.submission)
            plugin.log += log
            if job.carry_forward:
                examiner.close()  # whatever is asked from now on is asked of others
                again = functools.partial(_another_examiner, client, prepared.assignment, job.submission)
                forward = CarryingForward(job, prepared, items, heard, references, found.mistakes, again)
                forward.run()

    try:
        if warm:
            run(warm[1])
        else:
            collect(prepared.assignment, run)
    except EngineGone:
        raise
    except EngineError as error:
        failures = [str(error)]
    finally:
        with contextlib.suppress(EngineError):  # the zygote is gone, and the worker with it
            examiner.close()
    log = plugin.log + found.log + (forward.log if forward else []) + failures
    carried = forward.carried if forward else {}
    result = assembled(job, prepared, examiner, checks, found, carried, log, complete=not failures)
    return msgspec.structs.replace(result, seconds=round(time.monotonic() - started, 3))


def _stumbling_anyway(job: Job, prepared: Prepared, items: list[pytest.Item]) -> set[tuple[str, str]]:
    """Which of these checks raise an exception over the solution's answers as well: then it is not the submission's."""
    results: list[CheckResult] = []
    job = msgspec.structs.replace(job, explain=False, device="", until=())
    GradingPlugin(job, prepared, Variant(prepared.reference), results.append, listening=False).run(items)
    return {(one.exercise, one.name) for one in results if one.message == UNUSABLE}


def _broken(check: CheckResult) -> CheckResult:
    return msgspec.structs.replace(check, status=Status.ERROR, points=0.0, message=GRADER_FAILED)


def _another_examiner(client: Client, assignment: Assignment, submission: Submission, seconds: float) -> Examiner:
    """One that asks the submission for so many seconds in all."""
    limits = msgspec.structs.replace(assignment.limits, total_seconds=seconds)
    return Examiner(client, msgspec.structs.replace(assignment, limits=limits), submission)


def _learn(order: WarmUp, prepared: Prepared, checks: list[pytest.Item]) -> None:
    """Records what is not known yet of what the checks ask and the reference answers."""
    new = [check for check in checks if prepared.archive.get(check.nodeid) is None]
    prepared.archive.learn(record(order, prepared, new))


def declared(checks: list[pytest.Item]) -> list[Declared]:
    """What the graders declare about these checks."""
    return [
        Declared(mark(check, "exercise"), name_of(check), forbidden(check), mark(check, "unproven") or "")
        for check in checks
    ]


def _fail_once() -> None:
    """Makes Hypothesis do now, and not in each judge, what it sets up at its first failing check (0.1 s)."""

    @hypothesis.seed(0)
    @hypothesis.given(hypothesis.strategies.integers(0, 9))
    def check(number: int) -> None:
        assert number < 5

    with contextlib.suppress(AssertionError):
        check()
