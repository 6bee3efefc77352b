"""`autograder timing`: finds out how well this machine can time forward passes, using the solutions themselves, or
whether the limits leave enough room for slow styles."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from autograder.course import Assignment, find_course, load_assignments
from autograder.engine.client import Engine
from autograder.engine.devices import Device, choose
from autograder.errors import EngineError, UsageError
from autograder.jobs import Job
from autograder.output import atomic
from autograder.output.inert import one_line
from autograder.results.model import Result, State, Status
from autograder.results.printer import Printer, progress
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from autograder.timing import machine
from autograder.timing.calibration import SLOWER, Calibration, Decisions, false_deductions, slowed
from autograder.timing.styles import StyleDecisions, add, read_styles, slowest


def run(
    slugs: tuple[str, ...],
    *,
    decisions: int = 20,
    slow: int | None = None,
    styles: Path | None = None,
    report: Path | None = None,
    device: str = "auto",
    course: Path | None = None,
) -> int:
    """Times the solutions of these assignments (default: all that are timed) `decisions` times against themselves, and
    `slow` times (default: equally often) slowed down; or, `decisions` times each, the `styles` in that folder. Writes
    what was found about this machine to the file `report`.

    Returns:
        The exit code: 0 if this machine is fit for timing them, or no style loses points; else 1.

    Raises:
        UsageError: there is no such assignment or device, nothing in it is timed, or the folder holds no style for it.
    """
    root = find_course(course)
    if styles is not None and slow is not None:
        raise UsageError("Leave out --slowed or --styles: only solutions are slowed down.")
    if styles is not None and report is not None:
        raise UsageError("Leave out --report or --styles: the report is about solutions.")
    write = _writer(report, device)
    console = Console(highlight=False)
    show = Printer(console)
    found: list[Calibration] = []
    where: Device | None = None
    try:
        where = choose(device)
        if where.remark:
            show.line((where.remark, "dim"))
        assignments = load_assignments(root, slugs)
        if styles is not None:
            return _with_styles(assignments, slugs, styles, decisions, where.name, console, show)
        with Engine(*assignments) as engine:
            for assignment in assignments:
                counts = decisions, decisions if slow is None else slow
                found += _calibrated(engine, assignment, counts, where.name, console)
                write(where, found, where.remark)
        if not found:
            raise UsageError(f"Nothing in {', '.join(slugs)} is timed; name another assignment.")
    except (EngineError, UsageError) as error:
        write(where, found, str(error))
        raise
    _print(found, show)
    return 1 if any(item.problems for item in found) else 0


def _writer(report: Path | None, device: str) -> Callable[[Device | None, list[Calibration], str], None]:
    """A function that writes the report so far, if there is to be one; it exists from the first moment.

    Raises:
        UsageError: it cannot be written.
    """
    if report is None:
        return lambda *_: None
    gpu = device != "cpu"
    before = [machine.gpu_state()] if gpu else []

    def write(where: Device | None, found: list[Calibration], trouble: str) -> None:
        states = [*before, machine.gpu_state()] if gpu and found else before
        atomic.replace(report, machine.page(states, where.tried if where else None, found, trouble).encode())

    write(None, [], "The command has not finished.")
    return write


def _calibrated(
    engine: Engine, assignment: Assignment, decisions: tuple[int, int], device: str, console: Console
) -> list[Calibration]:
    source = assignment.solution.read_text(encoding="utf-8")
    solution = _submission(assignment, source)
    timed: dict[str, Calibration] = {}
    with progress(console) as bar:
        task = bar.add_task(assignment.slug, total=sum(decisions))
        for _ in range(decisions[0]):
            result = _graded(engine, assignment, solution, device)
            for check in result.checks:
                timed.setdefault(check.exercise, Calibration(check.exercise)).same.add(check, result.log)
            if not timed:
                return []
            bar.advance(task)
        bar.update(task, total=decisions[0] + decisions[1] * len(timed))
        for item in timed.values():
            limit = next((timing.k_full for timing in item.same.timings), 2.0)
            item.times = math.ceil(SLOWER * limit)
            slow = _submission(assignment, slowed(source, item.exercise, item.times))
            for _ in range(decisions[1]):
                result = _graded(engine, assignment, slow, device, (item.exercise,))
                for check in result.checks:
                    item.slow.add(check, result.log)
                bar.advance(task)
    return list(timed.values())


def _with_styles(
    assignments: list[Assignment],
    named: tuple[str, ...],
    folder: Path,
    decisions: int,
    device: str,
    console: Console,
    show: Printer,
) -> int:
    styles = {assignment.slug: read_styles(folder, assignment) for assignment in assignments}
    total = decisions * sum(map(len, styles.values()))
    for slug in named or list(styles):
        if not (styles[slug] if named else total):
            raise UsageError(f"No styles of {slug} in {folder}; write {folder}/{slug}/<style>.py.")
    found: dict[tuple[str, str], StyleDecisions] = {}
    with Engine(*assignments) as engine, progress(console) as bar:
        task = bar.add_task("styles", total=total)
        for assignment in assignments:
            for style in styles[assignment.slug]:
                for _ in range(decisions):
                    add(found, style.name, _graded(engine, assignment, style.submission, device).checks)
                    bar.advance(task)
    if not found:
        raise UsageError(f"Nothing in {', '.join(styles)} is timed; name another assignment.")
    _print_styles(list(found.values()), show)
    return 1 if any(one.problem for one in found.values()) else 0


def _submission(assignment: Assignment, source: str) -> Submission:
    file = f"{assignment.module}.py"
    return Submission(file, file, (Cell(file, source),), False)


def _graded(
    engine: Engine, assignment: Assignment, submission: Submission, device: str, exercises: tuple[str, ...] = ()
) -> Result:
    job = Job(str(assignment.root), assignment.slug, submission, exercises=exercises, device=device, only_timed=True)
    result = engine.grade(job)
    if result.state is not State.GRADED:
        raise EngineError(f"{assignment.slug} could not be timed: {one_line(' '.join(result.log), 400)}")
    return result


def _ratios(decisions: Decisions) -> str:
    low, middle, high = decisions.ratios
    return "–" if math.isnan(middle) else f"{middle:.2f} ({low:.2f}–{high:.2f})"


def _slowed(item: Calibration) -> str:
    measured = item.slow.ratios[1]
    return f"{item.times}× → " + ("stopped" if math.isnan(measured) else f"{measured:.1f}")


def _print(found: list[Calibration], show: Printer) -> None:
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    for heading in ("A/A ratio", "Lost", "Noise", "Slowed", "Full", "Seconds"):
        table.add_column(heading, justify="right", overflow="fold")
    for item in found:
        symbol, style = show.symbol(Status.FAILED if item.problems else Status.PASSED)
        cells = (
            _ratios(item.same),
            f"{item.same.deducted}/{item.same.count}",
            f"{item.same.unmeasured}/{item.same.count}",
            _slowed(item) if item.slow.count else "–",
            f"{item.slow.unpunished}/{item.slow.count}" if item.slow.count else "–",
            f"{statistics.median(item.same.seconds):.1f}",
        )
        table.add_row(show.text(symbol, style), show.text(item.exercise), *map(show.text, cells))
    show.console.print(table)
    for item in found:
        for problem in item.problems:
            show.line((f"{item.exercise}: {one_line(problem, 300)}", "red"))
    decisions = sum(item.same.count - item.same.unmeasured for item in found)
    share = false_deductions(decisions, sum(item.same.deducted for item in found))
    names = {timing.device for item in found for timing in item.same.timings}
    fit = not any(item.problems for item in found)
    show.console.print()
    show.line(
        (
            f"This machine ({', '.join(sorted(names)) or 'nothing measured'}) is {'' if fit else 'not '}fit for timing",
            "bold green" if fit else "bold red",
        ),
        (f"; wrong deductions in at most {share:.1%} of {decisions} decisions (95% confidence)", ""),
    )


def _print_styles(found: list[StyleDecisions], show: Printer) -> None:
    table = show.table()
    table.add_column("", width=1)
    for heading in ("Exercise", "Style"):
        table.add_column(heading, overflow="fold")
    for heading in ("Ratio", "Lost", "Noise"):
        table.add_column(heading, justify="right", overflow="fold")
    for one in found:
        symbol, style = show.symbol(Status.FAILED if one.problem else Status.PASSED)
        done = one.decisions
        cells = _ratios(done), f"{done.deducted}/{done.count}", f"{done.unmeasured}/{done.count}"
        table.add_row(show.text(symbol, style), show.text(one.exercise), show.text(one.style), *map(show.text, cells))
    show.console.print(table)
    for one in found:
        if one.problem:
            show.line((one_line(one.problem, 300), "red"))
    show.console.print()
    for one in slowest(found):
        show.line(
            (f"{one.exercise}: {one.style} takes {one.ratio:.1f} times as long as the solution, so full points ", ""),
            (
                f"are due up to {one.needed} times; the limit is {one.limit:g}",
                "green" if one.needed <= one.limit else "red",
            ),
        )
