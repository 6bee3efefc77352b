"""Starts the child that runs the public tests, and another one for the remaining tests when it dies in one of them."""

from __future__ import annotations

import linecache
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.errors import EngineError, UsageError
from autograder.selfcheck import events
from autograder.selfcheck.events import Ended, Order, SourceLine, Test, TestStatus, Trouble, labels_of
from autograder.selfcheck.explaining import PLACES, place, still_running
from autograder.submissions.reading import Submission

TEST_SECONDS = 10.0
LOAD_SECONDS = 20.0

_START = (
    "import sys, os, pathlib; sys.path[:] = sys.argv[2].split(os.pathsep); "
    "from autograder.selfcheck.child import main; main(pathlib.Path(sys.argv[1]))"
)
_TICK_SECONDS = 0.03
_CRASH_LINE = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)
_decoder = msgspec.json.Decoder(events.Event)


@dataclass
class Outcome:
    """The outcome of a run. With `broken`, the code could not be loaded and nothing else is known."""

    tests: list[Test] = field(default_factory=list)
    ended: dict[str, Ended] = field(default_factory=dict)
    problems: tuple[Trouble, ...] = ()
    siblings: tuple[str, ...] = ()
    read_as_notebook: bool = False
    broken: Trouble | None = None


@dataclass(frozen=True)
class _Death:
    """How a child died before it had finished: `running` is the test it died in, if it was in one."""

    running: str
    loading: bool
    how: str
    timed_out: bool
    places: tuple[SourceLine, ...]
    errors: str


def run_tests(
    file: Path,
    submission: Submission,
    module: str,
    tests: Path,
    watch: Callable[[Outcome, str], None] = lambda _outcome, _running: None,
    *,
    method: str = "",
) -> Outcome:
    """Runs all tests, however often the tested code ends the process.

    `watch` is called at every step, and often between steps; what it raises ends the run.

    Raises:
        UsageError: the test file cannot be used.
        EngineError: the tests cannot be run here.
    """
    method = method or ("signal" if hasattr(signal, "SIGALRM") else "exit")
    cells, notebook, beside = submission.cells, submission.is_notebook, tuple(each.name for each in submission.files)
    outcome = Outcome()
    only: tuple[str, ...] | None = None
    while True:
        order = Order(module, str(file), cells, notebook, beside, str(tests), only, TEST_SECONDS, LOAD_SECONDS, method)
        death = _run_child(order, outcome, watch)
        if death is None:
            return outcome
        if death.loading:
            outcome.broken = _load_trouble(death)
            return outcome
        if not death.running:
            raise EngineError(f"the public tests could not be run: {death.how}; {death.errors}".rstrip("; "))
        outcome.ended[death.running] = _verdict(death)
        only = tuple(test.id for test in outcome.tests if test.id not in outcome.ended)
        if not only:
            return outcome


def _run_child(order: Order, outcome: Outcome, watch: Callable[[Outcome, str], None]) -> _Death | None:
    """Records in `outcome` what one child reports. None if it finished."""
    with tempfile.TemporaryDirectory(prefix="autograder-check-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "order.json").write_bytes(msgspec.json.encode(order))
        (folder / "events.jsonl").touch()
        with (folder / "errors.txt").open("wb") as errors:
            process = _start(order, folder, errors.fileno())
        running, loading = "", False
        try:
            for event in _events(process, folder / "events.jsonl"):
                match event:
                    case events.Ready():
                        loading = True
                    case events.Loaded(problems, siblings, read_as_notebook):
                        loading = False
                        outcome.problems, outcome.siblings = problems, siblings
                        outcome.read_as_notebook = read_as_notebook
                    case events.Broken(trouble):
                        outcome.broken = trouble
                        return None
                    case events.TestsBroken(message):
                        raise UsageError(f"The public tests in {order.tests} cannot be used:\n{message}")
                    case events.Collected(tests) if not outcome.tests:
                        outcome.tests = list(tests)
                    case events.Started(id_):
                        running = id_
                    case events.Ended(id_):
                        outcome.ended[id_] = event
                        running = ""
                    case events.Done():
                        return None
                watch(outcome, running)
        finally:
            process.kill()
            process.wait()
        return _death(process.returncode, folder, order, running, loading)


def _start(order: Order, folder: Path, errors: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, sys.path))
    # One thread, as in grading; no plot opens a window and waits.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _START, str(folder), path],
        cwd=Path(order.file).parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


def _events(process: subprocess.Popen[bytes], path: Path) -> Iterator[events.Event | None]:
    """Every event that the child writes, until it has ended; None while there is nothing new."""
    with path.open("rb") as file:
        rest = b""
        while True:
            alive = process.poll() is None
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            for line in lines:
                yield _decoder.decode(line)
            if not alive:
                return
            if not lines:
                yield None
                time.sleep(_TICK_SECONDS)


def _death(code: int, folder: Path, order: Order, running: str, loading: bool) -> _Death:
    crash = (folder / "crash.txt").read_text("utf-8", "replace") if (folder / "crash.txt").exists() else ""
    errors = (folder / "errors.txt").read_text("utf-8", "replace").strip()
    first = crash.partition("\n")[0]
    timed_out = first.startswith("Timeout")
    if crash and not timed_out:
        how = first.split(":", 1)[-1].strip()  # "Fatal Python error: Segmentation fault"
    elif code < 0:
        how = f"signal {signal.Signals(-code).name}" if -code in {int(s) for s in signal.Signals} else f"signal {-code}"
    else:
        how = f"exit code {code}"
    return _Death(running, loading, how, timed_out, _places(crash, order), "\n".join(errors.splitlines()[-3:]))


def _places(crash: str, order: Order) -> tuple[SourceLine, ...]:
    """The student's lines in what the fault handler wrote, innermost last."""
    labels = labels_of(order)
    escaped = {label.encode("ascii", "backslashreplace").decode(): label for label in labels}
    sources = {label: cell.source.splitlines() for label, cell in zip(labels, order.cells, strict=False)}
    found = []
    for file, number, function in _CRASH_LINE.findall(crash):
        if file in escaped:
            lines = sources.get(escaped[file]) or linecache.getlines(escaped[file])
            text = lines[int(number) - 1] if int(number) <= len(lines) else ""
            found.append(place(escaped[file], int(number), function, text, labels))
    return tuple(reversed(found[:PLACES]))


def _load_trouble(death: _Death) -> Trouble:
    if death.timed_out:
        return Trouble(f"It was still running after {LOAD_SECONDS:g} seconds, so it was stopped.", death.places)
    return Trouble(f"It ended the whole program ({death.how}).", death.places)


def _verdict(death: _Death) -> Ended:
    if death.timed_out:
        return Ended(death.running, TestStatus.TIMEOUT, Trouble(still_running(TEST_SECONDS), death.places))
    message = f"Your code ended the whole program ({death.how}), and the test with it."
    if death.how.startswith("exit code"):
        message += " Does it call exit() or os._exit()?"
    return Ended(death.running, TestStatus.ENDED, Trouble(message, death.places))
