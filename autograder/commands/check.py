"""`autograder check`: runs the public tests for a student. Needs nothing hidden and no particular system."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from autograder.errors import UsageError
from autograder.selfcheck import places, printing
from autograder.selfcheck.events import TestStatus
from autograder.selfcheck.running import Outcome, run_tests
from autograder.submissions.reading import Submission, read_submission
from autograder.submissions.sources import SubmissionError


def run(file: Path | None, tests: Path | None) -> int:
    """Runs the public tests on `file` (default: the one in this folder) and prints the outcome.

    Returns:
        The exit code: 0 if all tests pass, else 1.

    Raises:
        UsageError: there is no file, there are no tests, or one of them cannot be used.
        EngineError: the tests cannot be run here.
    """
    place = places.find(file, tests)
    try:
        submission = read_submission(place.file, place.module, place.allowed)
    except SubmissionError as error:
        raise UsageError(str(error)) from error
    console = Console(highlight=False)
    with console.status("Starting Python and torch") as status:

        def watch(outcome: Outcome, running: str) -> None:
            if running:
                status.update(f"Test {len(outcome.ended) + 1} of {len(outcome.tests)}")

        with _unpacked(place.file, submission) as file:
            outcome = run_tests(file, submission, place.module, place.tests, watch)
    title, notes = f"Public tests of {place.module} · {submission.name}", [place.note, *submission.remarks]
    printing.print_outcome(outcome, title, console, allowed=place.allowed, notes=list(filter(None, notes)))
    if outcome.broken is None and not outcome.tests:
        raise UsageError(f"{place.tests} contains no tests.")
    passed = all(ended.status in (TestStatus.PASSED, TestStatus.SKIPPED) for ended in outcome.ended.values())
    return 0 if passed and outcome.broken is None else 1


@contextlib.contextmanager
def _unpacked(file: Path, submission: Submission) -> Iterator[Path]:
    """The file, or a place for it where the other files of its zip lie."""
    if not zipfile.is_zipfile(file) or not submission.files:
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="autograder-check-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        for each in submission.files:
            (folder / each.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / each.name).write_bytes(each.data)
        yield folder / submission.file_name
