"""`autograder report`: pages about a class that `autograder batch` has graded."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import track

from autograder.batch.store import Store
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.output.workflow import commands_stopped
from autograder.results.model import Result
from autograder.results.printer import Printer


@commands_stopped()
def run(output: Path, *, feedback: bool = True) -> int:
    """Writes OUT/report.html and a feedback page per student; returns the exit code.

    Raises:
        UsageError: the folder was not made by `autograder batch`, a package is missing, or nothing can be written.
    """
    try:
        from autograder.report.analysis import Analysis, whole
        from autograder.report.pages import FEEDBACK, REPORT, Pages
    except ImportError as error:
        raise UsageError(f"The package {error.name} is missing; run pip install 'torch-autograder[report]'.") from error
    store = Store(output)
    roll = store.roll()
    console = Console(highlight=False, soft_wrap=True)
    analysis, pages = Analysis(roll), Pages()
    folder = output / FEEDBACK
    if feedback:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot write {folder}: {error.strerror}; name another place.") from error
    disabled = not console.is_terminal
    for found, record in track(
        store.records(roll), "Reading", total=len(roll.found), console=console, transient=True, disable=disabled
    ):
        result: Result | None = whole(record)
        analysis.add(found, record, result, store.previous(found.name))
        if feedback and record is not None and result is not None:
            atomic.replace(folder / f"{found.name}.html", pages.feedback(found, record, result), durable=False)
    analysis.finish()
    atomic.replace(output / REPORT, pages.report(analysis, linked=feedback))
    show = Printer(console)
    show.line((f"Report on {len(analysis.rows)} of {len(roll.found)} submissions: {output / REPORT}", ""))
    if feedback:
        show.line((f"Feedback pages: {folder}/", ""))
    return 0
