"""Grades one submission, or makes ready for many: collects the hidden graders, runs them, and makes a `Result`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import hypothesis
import hypothesis.strategies
import msgspec
import pytest
import torch

import autograder
from autograder.course import Assignment, load_assignment
from autograder.errors import EngineError, UsageError
from autograder.grading import archive
from autograder.grading.collecting import collect
from autograder.grading.diagnosis import Diagnosis
from autograder.grading.examiner import Examiner
from autograder.grading.plugin import GradingPlugin, Trusted
from autograder.grading.recording import Recorder, Recordings
from autograder.grading.reference import load_reference
from autograder.jobs import Job, WarmUp
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.sandbox import confinement
from autograder.sandbox.forkserver import Client
from autograder.sandbox.processors import occupied

CHECKS_IN_A_SHARE = 12  # at least: a process for less is not worth it


def rehearse(stage: WarmUp, serve: Callable[[Trusted, list[pytest.Item]], None]) -> None:
    """Makes ready for a class: collects the checks, writes down what they ask and what the reference answers (of checks
    that do more, nothing), and calls `serve` with both. `grade` can be called from there, in forks.

    Raises:
        EngineError: the graders do not run.
    """
    assignment = _assignment(stage.course, stage.slug)
    kept_as = _archive_key(assignment, stage.salt)
    trusted = _trusted(assignment, kept_as)

    def some(checks: list[pytest.Item]) -> Recordings:
        recorder = Recorder(load_reference(assignment))
        unprompted = Trusted(trusted.reference, trusted.diagnosis, {})
        plugin = GradingPlugin(assignment, unprompted, recorder, assignment.salt + stage.salt)
        plugin.run(checks)
        return _learnt(plugin)

    def all_(checks: list[pytest.Item]) -> None:
        new = _in_parallel(some, [check for check in checks if check.nodeid not in trusted.recordings])
        trusted.recordings.update(new)
        if new:
            archive.save(kept_as, trusted.recordings)
        trusted.diagnosis.prepare()
        _fail_once()
        serve(trusted, checks)

    collect(assignment, all_)


def _in_parallel(work: Callable[[list[pytest.Item]], Recordings], checks: list[pytest.Item]) -> Recordings:
    """`work` on all checks, shared out to a process for each processor, this one included."""
    count = max(1, min(len(occupied()), len(checks) // CHECKS_IN_A_SHARE))
    first, *others = [checks[start::count] for start in range(count)]
    fork = multiprocessing.get_context("fork")
    running = []
    for share in others:
        receiver, sender = fork.Pipe(duplex=False)
        running.append((share, receiver, fork.Process(target=_send, args=(work, share, sender, os.getpid()))))
        running[-1][2].start()
        sender.close()
    done = work(first)
    for share, receiver, process in running:
        try:
            done |= archive.decode(receiver.recv_bytes())
        except (EOFError, OSError):  # here it says what is wrong
            done |= work(share)
        process.join()
    return done


def _send(
    work: Callable[[list[pytest.Item]], Recordings], share: list[pytest.Item], sender: Connection, parent: int
) -> None:
    confinement.die_with_parent(parent)
    with contextlib.suppress(EngineError):
        sender.send_bytes(archive.encode(work(share)))


def _fail_once() -> None:
    """What Hypothesis sets up at its first failing check takes a tenth of a second: now, and not in each judge."""

    @hypothesis.seed(0)
    @hypothesis.given(hypothesis.strategies.integers(0, 9))
    def check(number: int) -> None:
        assert number < 5

    with contextlib.suppress(AssertionError):
        check()


def grade(
    job: Job,
    client: Client,
    report: Callable[[CheckResult], None],
    rehearsed: tuple[Trusted, list[pytest.Item]] | None = None,
) -> Result:
    """The result of one submission; `report` gets every check as soon as it is known. Never raises: what goes wrong
    with us ends up in a result in state `error`. `rehearsed` is what `rehearse` has prepared, if it has."""
    started = time.monotonic()
    assignment = _assignment(job.course, job.slug)
    log: list[str] = []
    checks: list[CheckResult] = []
    examiner = Examiner(client, assignment, job.submission)

    def take(check: CheckResult) -> None:
        checks.append(check)
        report(check)

    try:
        kept_as = _archive_key(assignment, job.salt)
        trusted = rehearsed[0] if rehearsed else _trusted(assignment, kept_as)
        plugin = GradingPlugin(assignment, trusted, examiner, assignment.salt + job.salt, take, explain=job.explain)
        plugin.exercises, plugin.until_failure = job.exercises, job.until_failure
        plugin.device, plugin.only_timed = job.device, job.only_timed
        if rehearsed:
            plugin.run(rehearsed[1])
        else:
            collect(assignment, plugin.run)
            new = {node: script for node, script in _learnt(plugin).items() if node not in trusted.recordings}
            if new:
                archive.save(kept_as, trusted.recordings | new)
        log += plugin.log
        state = State.ERROR if any(check.status is Status.ERROR for check in checks) else State.GRADED
    except (EngineError, UsageError) as error:
        log.append(str(error))
        state = State.ERROR
    finally:
        with contextlib.suppress(EngineError):  # the zygote is gone, and the worker with it
            examiner.close()
    log += [f"confinement without {name}: {why}" for name, why in examiner.layers.items() if why]
    return Result(
        assignment=assignment.slug,
        title=assignment.title,
        submission=job.submission.name,
        state=state,
        exercises=_with_causes(_by_exercise(assignment, job, checks), examiner.references),
        stopped=examiner.stopped,
        notice=_notice(examiner, assignment) if state is State.GRADED else "",
        log=tuple(log),
        environment=_environment(examiner.layers, job.device),
        fingerprint=fingerprint(assignment, job),
        seconds=round(time.monotonic() - started, 3),
    )


def fingerprint(assignment: Assignment, job: Job) -> str:
    """A hash of everything that determines the score: submission, graders, solution, engine, salt, torch's version."""
    digest = hashlib.sha256(_files_digest(assignment.solution, assignment.graders))
    for text in (job.submission.sha256, job.salt, job.device, torch.__version__, platform.python_version()):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def _trusted(assignment: Assignment, kept_as: str) -> Trusted:
    return Trusted(load_reference(assignment), Diagnosis(assignment), archive.load(kept_as))


def _learnt(plugin: GradingPlugin) -> Recordings:
    """What `plugin` has found out that holds for every submission: a check that passed has asked all it asks."""
    return {
        node: script.learnt()
        for node, script in plugin.recordings.items()
        if node in plugin.passed or not script.complete
    }


def _archive_key(assignment: Assignment, salt: str) -> str:
    return archive.key(_files_digest(assignment.solution, assignment.graders), assignment.salt + salt)


@functools.lru_cache
def _assignment(course: str, slug: str) -> Assignment:
    """Read once where it was rehearsed: a class is graded by what the files were then."""
    return load_assignment(Path(course), slug)


@functools.lru_cache
def _files_digest(solution: Path, graders: Path) -> bytes:
    digest = hashlib.sha256()
    package = Path(autograder.__file__).parent
    for path in [
        solution,
        *sorted(path for path in graders.rglob("*.*") if path.is_file() and path.suffix != ".pyc"),
        *sorted(package.rglob("*.py")),
    ]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _by_exercise(assignment: Assignment, job: Job, checks: list[CheckResult]) -> tuple[ExerciseResult, ...]:
    return tuple(
        ExerciseResult(name, points, tuple(check for check in checks if check.exercise == name))
        for name, points in assignment.exercises.items()
        if not job.exercises or name in job.exercises
    )


def _with_causes(exercises: tuple[ExerciseResult, ...], references: dict[str, list[str]]) -> tuple[ExerciseResult, ...]:
    """Says of each exercise that lost points which others, that lost points too, the student built it on."""
    lost = [exercise.name for exercise in exercises if exercise.points < exercise.max_points]
    results = []
    for exercise in exercises:
        causes = [name for name in lost if name in references.get(exercise.name, ()) and name != exercise.name]
        if exercise.name in lost and causes:
            text = (
                f"{exercise.name} depends on your {' and '.join(causes)}, where points are lost too: look there first."
            )
            checks = [_with_hint(check, text) for check in exercise.checks]
            exercise = msgspec.structs.replace(exercise, checks=tuple(checks), depends_on=tuple(causes))
        results.append(exercise)
    return tuple(results)


def _with_hint(check: CheckResult, text: str) -> CheckResult:
    if check.status not in (Status.FAILED, Status.TIMEOUT):
        return check
    return msgspec.structs.replace(check, hint=f"{check.hint} {text}".strip())


def _notice(examiner: Examiner, assignment: Assignment) -> str:
    """What a student has to know about the file as a whole."""
    if examiner.unloadable is not None:
        return examiner.unloadable.message
    if not examiner.names & assignment.exercises.keys():
        return "The file defines none of the exercises. Was it saved before it was handed in?"
    notices = []
    if examiner.stopped:
        notices.append(
            "These cells were stopped, because they did not come to an end or ended the process, and the rest was "
            f"graded without them: {', '.join(examiner.stopped)}."
        )
    if examiner.problems:
        where = ", ".join(dict.fromkeys(where for _, _, where in examiner.problems if where))
        notices.append(f"These cells ended with an error and were graded without what follows it in them: {where}.")
    return " ".join(notices)


def _environment(layers: dict[str, str], device: str) -> dict[str, str]:
    active = ", ".join(name for name, why in layers.items() if not why)
    return {
        "autograder": autograder.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "timed on": device or "nothing",
        "confinement": active or "none",
    }
