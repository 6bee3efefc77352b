"""`autograder similar`: lists suspiciously similar pairs of submissions, for a person to look at."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import track

from autograder.batch import contents
from autograder.batch.discovery import Found
from autograder.batch.store import Store
from autograder.course import Assignment, find_course, load_assignment
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.output.inert import one_line
from autograder.output.workflow import commands_stopped
from autograder.results.printer import Printer
from autograder.submissions.reading import Submission, read_submission
from autograder.submissions.sources import SubmissionError

PAGE = "similar.html"
_SHOWN = 50  # pairs side by side: a page for people


@commands_stopped()
def run(output: Path, *, threshold: float, course: Path | None = None) -> int:
    """Writes OUT/similar.html and prints the pairs; returns the exit code.

    Raises:
        UsageError: the folder was not made by `autograder batch`, the submissions are gone, or a package is missing.
    """
    try:
        from autograder.report.pages import Pages
        from autograder.report.similarity import Class, Pair, side_by_side
    except ImportError as error:
        raise UsageError(
            f"The package {error.name} is missing; run pip install 'torch-autograder[similar]'."
        ) from error
    store = Store(output)
    roll = store.roll()
    paths = [Path(found.path) for found in roll.found]
    assignment = load_assignment(find_course(course, paths, beside=[path.parent for path in paths]), roll.assignment)
    console = Console(highlight=False, soft_wrap=True)
    show = Printer(console)
    class_ = Class(_skeleton(assignment))
    everyone = {found.name: found for found in roll.found}
    disabled = not console.is_terminal
    for found in track(roll.found, "Reading", console=console, transient=True, disable=disabled):
        if source := _source(found, assignment):
            class_.add(found.name, source)
    if not len(class_):
        raise UsageError(f"None of the {len(roll.found)} submissions can still be read from where they were graded.")
    pairs = class_.pairs(threshold)
    common = class_.common()

    def both(pair: Pair) -> tuple[Found, Found, Pair, object]:
        first, second = everyone[pair.first], everyone[pair.second]
        return first, second, pair, side_by_side(_source(first, assignment), _source(second, assignment), common)

    page = Pages().similar(roll.title, len(class_), [both(pair) for pair in pairs[:_SHOWN]], len(pairs), threshold)
    atomic.replace(output / PAGE, page)
    for pair in pairs[:_SHOWN]:
        names = [one_line(everyone[name].label, 40) for name in (pair.first, pair.second)]
        show.line((f"{pair.share:4.0%}  ", "bold"), (f"{names[0]}  –  {names[1]}", ""))
    more = f" (the first {_SHOWN} are shown)" if len(pairs) > _SHOWN else ""
    count = f"{len(pairs) or 'No'} pair{'s' * (len(pairs) != 1)} among {len(class_)} submissions"
    show.line((f"{count} with at least {threshold:.0%} shared code{more}: {output / PAGE}", "bold"))
    return 0


def _source(found: Found, assignment: Assignment) -> str:
    """Empty if there is no readable file, or no longer."""
    try:
        submission, _ = contents.read(found, assignment.module, assignment.other_files)
    except SubmissionError:
        return ""
    return _text(submission)


def _skeleton(assignment: Assignment) -> str:
    """What all students were given."""
    try:
        return _text(read_submission(assignment.release, assignment.module, assignment.other_files))
    except SubmissionError:
        return ""


def _text(submission: Submission) -> str:
    both = [submission, submission.other] if submission.other else [submission]
    cells = [cell.source for one in both for cell in one.cells]
    return "\n".join([*cells, *(file.source for file in submission.files)])
