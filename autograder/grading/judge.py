"""Grades one submission: runs the hidden graders under pytest and makes a `Result` of what the plugin saw."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import platform
import sys
import time
import types
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import cloudpickle
import hypothesis
import hypothesis.strategies
import msgspec
import pytest
import torch

import autograder
from autograder.course import Assignment, load_assignment
from autograder.errors import EngineError, UsageError
from autograder.grading import archive
from autograder.grading.examiner import Examiner
from autograder.grading.plugin import GradingPlugin, use_profile
from autograder.grading.reference import load_reference
from autograder.grading.rehearsal import Transcripts, Understudy
from autograder.job import Job, Stage
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.sandbox.forkserver import Client

# Parts of pytest that print, write files, or (the last four) take more time for a check than its questions do.
_NOT_NEEDED = (
    "cacheprovider",
    "terminal",
    "faulthandler",
    "logging",
    "unraisableexception",
    "threadexception",
    "warnings",
)


def rehearse(stage: Stage) -> Transcripts:
    """What all checks ask and what the reference answers; of checks that do more, nothing. The graders stay imported.

    Raises:
        EngineError: the graders do not run.
    """
    assignment = _assignment(stage.course, stage.slug)
    kept_as = _archive_key(assignment, stage.salt)
    kept = archive.load(kept_as)
    plugin = GradingPlugin(assignment, Understudy(load_reference(assignment)), assignment.salt + stage.salt)
    plugin.known = kept
    _run_pytest(assignment, plugin)
    _fail_once()
    return _with_new(kept, plugin, kept_as)


def _fail_once() -> None:
    """What Hypothesis sets up at its first failing check takes a tenth of a second: now, and not in each judge."""

    @hypothesis.seed(0)
    @hypothesis.given(hypothesis.strategies.integers(0, 9))
    def check(number: int) -> None:
        assert number < 5

    with contextlib.suppress(AssertionError):
        check()


def grade(
    job: Job, client: Client, report: Callable[[CheckResult], None], rehearsed: Transcripts | None = None
) -> Result:
    """The result of one submission; `report` gets every check as soon as it is known. Never raises: what goes wrong
    with us ends up in a result in state `error`. What was `rehearsed` is looked up if it is not given."""
    started = time.monotonic()
    assignment = _assignment(job.course, job.slug)
    log: list[str] = []
    plugin = None
    examiner = Examiner(client, assignment, job.submission)
    try:
        kept_as = _archive_key(assignment, job.salt)
        known = archive.load(kept_as) if rehearsed is None else rehearsed
        plugin = GradingPlugin(assignment, examiner, assignment.salt + job.salt, report, known, explain=job.explain)
        plugin.exercises, plugin.until_failure = job.exercises, job.until_failure
        plugin.device, plugin.only_timed = job.device, job.only_timed
        log += _run_pytest(assignment, plugin)
        log += plugin.log
        if rehearsed is None:
            _with_new(known, plugin, kept_as)
        state = State.ERROR if any(check.status is Status.ERROR for check in plugin.checks) else State.GRADED
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
        exercises=_with_causes(_by_exercise(assignment, job, plugin.checks if plugin else []), examiner.references),
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


def _with_new(kept: Transcripts, plugin: GradingPlugin, name: str) -> Transcripts:
    """`kept` and what `plugin` has found out besides, which is kept from now on: a check that passed has asked all."""
    new = {
        node: script.learnt()
        for node, script in plugin.transcripts.items()
        if node not in kept and (node in plugin.passed or not script.complete)
    }
    if not new:
        return kept
    scripts = kept | new
    archive.save(name, scripts)
    return scripts


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


def _run_pytest(assignment: Assignment, plugin: GradingPlugin) -> list[str]:
    """Runs the graders in this process. Whatever pytest prints goes to the instructor's log."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    if str(assignment.graders) not in sys.path:
        sys.path.insert(0, str(assignment.graders))
    use_profile(assignment)
    printed = io.StringIO()
    options = ["-s", "--noconftest", *(f"-pno:{name}" for name in _NOT_NEEDED)]
    place = ["--rootdir", str(assignment.graders), "-c", os.devnull, "--import-mode=prepend"]
    with redirect_stdout(printed), redirect_stderr(printed):
        code = pytest.main([*options, *place, str(assignment.graders)], plugins=[plugin, _Travelling(assignment)])
    if plugin.fatal:
        raise EngineError(plugin.fatal)
    done = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    if code not in done and not plugin.cut_short:
        raise EngineError(f"pytest stopped with {code!r}:\n{printed.getvalue()[-3000:]}")
    return [f"printed by the graders:\n{printed.getvalue()[:3000]}"] if printed.getvalue().strip() else []


class _Travelling:
    """Lets classes that a grader's own files define travel to the worker, which cannot import those files."""

    def __init__(self, assignment: Assignment) -> None:
        self._folder = f"{assignment.graders}/"

    def pytest_collection_finish(self) -> None:
        if cloudpickle.list_registry_pickle_by_value():  # in the rehearsal
            return
        for module in list(sys.modules.values()):
            if isinstance(module, types.ModuleType) and (getattr(module, "__file__", None) or "").startswith(
                self._folder
            ):
                cloudpickle.register_pickle_by_value(module)


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
