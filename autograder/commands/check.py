"""`autograder check`: runs the public tests for a student. Needs nothing hidden and no particular system."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from autograder.errors import UsageError
from autograder.selfcheck import places, printing
from autograder.selfcheck.events import TestStatus
from autograder.selfcheck.running import Outcome, run_tests
from autograder.submissions.reading import read_submission
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
        submission = read_submission(place.file, place.module)
    except SubmissionError as error:
        raise UsageError(str(error)) from error
    console = Console(highlight=False)
    with console.status("Starting Python and torch") as status:

        def watch(outcome: Outcome, running: str) -> None:
            if running:
                status.update(f"Test {len(outcome.ended) + 1} of {len(outcome.tests)}")

        outcome = run_tests(place.file, submission, place.module, place.tests, watch)
    printing.print_outcome(outcome, f"Public tests of {place.module} · {submission.name}", console)
    if outcome.broken is None and not outcome.tests:
        raise UsageError(f"{place.tests} contains no tests.")
    passed = all(ended.status in (TestStatus.PASSED, TestStatus.SKIPPED) for ended in outcome.ended.values())
    return 0 if passed and outcome.broken is None else 1
