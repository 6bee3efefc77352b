"""`autograder fairness`: how close do right answers come to being refused, and known mistakes to being accepted?"""

from __future__ import annotations

import math
import time
from pathlib import Path

from rich.console import Console

from autograder.course import Assignment, find_course, load_assignments
from autograder.errors import UsageError
from autograder.output.inert import one_line
from autograder.quality.fairness import OWN, Fairness, measured, others, rate
from autograder.quality.table import WHOLE, update
from autograder.results.model import Status
from autograder.results.printer import Printer
from autograder.submissions.sources import SubmissionError, python_source


def run(
    slugs: tuple[str, ...],
    *,
    right: str = "",
    pythons: tuple[Path, ...] = (),
    salt: str = "",
    table: Path | None = None,
    course: Path | None = None,
) -> int:
    """Measures the margins of these assignments (default: all), with the right submissions in the folder `right`, in
    which "{slug}" stands for the assignment, and also with these `pythons`. What is found goes into the file `table`.

    Returns:
        The exit code: 0 if no right answer is refused and every tolerance has room on both sides, else 1.

    Raises:
        UsageError: there is no such assignment or folder, or another Python cannot run the graders.
        EngineError: the graders do not run.
    """
    assignments = load_assignments(find_course(course), slugs)
    corpora = {assignment.slug: _corpus(right, assignment) for assignment in assignments}
    console = Console(highlight=False)
    show, sound = Printer(console), True
    for number, assignment in enumerate(assignments):
        started, corpus = time.monotonic(), corpora[assignment.slug]
        fairness = Fairness(assignment)
        with console.status(f"{assignment.slug}: {OWN.name}") as status:
            found = measured(assignment, corpus, OWN, salt=salt, mistakes=True)
            fairness.add_right(OWN.name, found.right)
            fairness.add_mistakes(found.mistakes)
            names = [f"{OWN.name} (PyTorch {found.torch}, {found.capability})"]
            for arithmetic in others(found.capability, pythons):
                status.update(f"{assignment.slug}: {arithmetic.name}")
                other = measured(assignment, corpus, arithmetic, salt=salt)
                fairness.add_right(arithmetic.name, other.right)
                names.append(
                    arithmetic.name if other.torch == found.torch else f"{arithmetic.name} (PyTorch {other.torch})"
                )
        if number:
            console.print()
        _print(fairness, len(found.right), names, time.monotonic() - started, show)
        if table is not None:
            update(table, _cells(fairness))
        sound = sound and not fairness.problems
    return 0 if sound else 1


def _corpus(right: str, assignment: Assignment) -> dict[str, str]:
    """The sources of an assignment's right submissions, by the names of their files."""
    if not right:
        return {}
    folder = Path(right.replace("{slug}", assignment.slug))
    paths = sorted(folder.glob("*.py"))
    if not paths:
        raise UsageError(
            f"There is no .py file in {folder}; name the folder of right submissions of {assignment.slug}."
        )
    try:
        return {path.stem: python_source(path.read_bytes(), path.name) for path in paths}
    except (OSError, SubmissionError) as error:
        raise UsageError(f"{folder}: {error}") from error


def _share(value: float) -> str:
    return "–" if math.isinf(value) else f"{value:.2g}" if value < 100 else f"{value:.0e}"


def _figures(fairness: Fairness, exercise: str) -> tuple[float, float]:
    closest = [one for (owner, _), one in fairness.closest.items() if exercise in (owner, WHOLE)]
    return max((one.right for one in closest), default=0.0), min((one.wrong for one in closest), default=math.inf)


def _cells(fairness: Fairness) -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for exercise in (WHOLE, *fairness.assignment.exercises):
        refused = fairness.all_refused if exercise == WHOLE else len(fairness.refused.get(exercise, ()))
        largest, smallest = _figures(fairness, exercise)
        found[fairness.assignment.slug, exercise] = {
            "Right refused": rate(refused, fairness.runs),
            "Closest right": _share(largest),
            "Closest wrong": _share(smallest),
        }
    return found


def _print(fairness: Fairness, right: int, names: list[str], seconds: float, show: Printer) -> None:
    title = one_line(fairness.assignment.title, 100)
    show.line((f"{title} · {right} right submissions, computed in {len(names)} ways", "bold"))
    show.console.print()
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    for heading in ("Checks", "Rounding", "Right", "Wrong", "Refused"):
        table.add_column(heading, justify="right", overflow="fold")
    for exercise in fairness.assignment.exercises:
        bad = any(problem.exercise == exercise for problem in fairness.problems)
        symbol, style = show.symbol(Status.FAILED if bad else Status.PASSED)
        largest, smallest = _figures(fairness, exercise)
        cells = (
            str(fairness.checks(exercise)),
            str(len(fairness.of(exercise))),
            _share(largest),
            _share(smallest),
            f"{len(fairness.refused.get(exercise, ()))}/{fairness.runs}",
        )
        table.add_row(show.text(symbol, style), show.text(one_line(exercise, 60)), *map(show.text, cells))
    show.console.print(table)
    show.block(
        "Errors are in units of the tolerance: right ones should be below 1/4, those of mistakes above 4.", "dim"
    )
    show.block(f"Computed {'; '.join(names)}.", "dim")
    symbol, style = show.symbol(Status.FAILED)
    for problem in fairness.problems:
        show.console.print(show.text(f"{symbol} ", style).append(one_line(problem.text, 600), ""))
    count = len(fairness.problems)
    refused = f"; right submissions refused: {rate(fairness.all_refused, fairness.runs)}   ({seconds:.0f} seconds)"
    show.line((f"{count or 'No'} problem{'s' * (count != 1)}", "bold red" if count else "bold green"), (refused, ""))
