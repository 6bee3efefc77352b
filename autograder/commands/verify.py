"""`autograder verify`: grades submissions whose score is known, many in parallel, and says what does not hold."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console

from autograder.course import find_course, load_assignments, require_exercises
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import Job, Pairs, PairsTried, WarmUp
from autograder.output.inert import one_line
from autograder.quality import public_tests
from autograder.quality.costs import SEVERE, median
from autograder.quality.subjects import SOLUTION, Subject
from autograder.quality.table import WHOLE, update
from autograder.quality.verification import Verification
from autograder.results.feedback import points_text
from autograder.results.model import Result, Status
from autograder.results.printer import Printer, progress
from autograder.sandbox.processors import cores

Run = tuple[Subject, str, bool]  # a submission, a salt, and whether all exercises are graded and explained


def run(
    slugs: tuple[str, ...],
    *,
    salts: tuple[str, ...] = ("",),
    repeats: int = 1,
    jobs: int | None = None,
    exercises: tuple[str, ...] = (),
    most: int | None = None,
    pairs: int = 0,
    table: Path | None = None,
    course: Path | None = None,
) -> int:
    """Verifies the graders of these assignments (default: all) with every salt, `repeats` times each.

    A misconception is graded in full the first time, with every explanation; all its other runs grade only the
    exercise that it belongs to and explain nothing. The public tests are run on the solution and on the skeleton.
    With `exercises`, only the misconceptions of those are tried; with `most`, at most that many of each. That many
    `pairs` of misconceptions are tried in each exercise, with the first salt. `table` is a file to which the figures
    are written, if all misconceptions are tried.

    Returns:
        The exit code: 0 if everything holds that must hold, else 1.

    Raises:
        UsageError: there is no such assignment, its solution's markers are wrong, or a partial run wants a table.
        EngineError: there is no solution.
    """
    root = find_course(course)
    assignments = load_assignments(root, slugs)
    require_exercises(exercises, assignments)
    if table and (exercises or most is not None):
        raise UsageError("The table needs a complete run: leave out --exercise and --most, or leave out --table.")
    console = Console(highlight=False)
    show = Printer(console)
    sound, interrupted = True, threading.Event()
    thorough = most != 0 and not exercises  # else most of what that finds out would not be needed
    with ThreadPoolExecutor(jobs or cores()) as pool, Engine(*assignments) as engine:
        try:
            for number, assignment in enumerate(assignments):
                started = time.monotonic()
                verification = Verification(assignment)
                with console.status(f"Reading {assignment.slug}"):
                    subjects = verification.subjects(exercises, most)
                solution_and_skeleton = subjects[:2]
                run_public = partial(public_tests.run, assignment, stopped=interrupted.is_set)
                public = pool.map(run_public, solution_and_skeleton)
                for salt in salts:
                    with contextlib.suppress(EngineError):  # every run says so again, which is reported below
                        verification.declare(
                            engine.warm_up(WarmUp(str(assignment.root), assignment.slug, salt, thorough=thorough))
                        )
                # Salt by salt: only judges of one class server share the processors fairly.
                runs = [
                    (subject, salt, (salt, again) == (salts[0], 0))
                    for salt in salts
                    for subject in subjects
                    for again in range(repeats)
                ]
                with progress(console) as bar:
                    task = bar.add_task(assignment.slug, total=len(runs))
                    for (subject, salt, whole), result in _graded(pool, engine, verification, runs):
                        verification.add(subject, salt, result, explained=whole)
                        bar.advance(task)
                for subject, ran in zip(solution_and_skeleton, public, strict=True):
                    verification.add_public(subject, ran)
                with console.status(f"Running the programs that show failures in {assignment.slug}"):
                    verification.try_programs(subjects[0])
                verification.conclude()
                if number:
                    console.print()
                _print(verification, len(subjects), salts, repeats, time.monotonic() - started, show)
                tried = {}
                if pairs:
                    with console.status(f"Trying pairs of misconceptions of {assignment.slug}"):
                        order = Pairs(str(assignment.root), assignment.slug, salts[0], pairs, exercises)
                        tried = engine.try_pairs(order)
                    _print_pairs(tried, show)
                if table is not None:
                    update(table, _cells(verification, len(salts), repeats))
                    update(table, _pairs_cells(assignment.slug, tried))
                sound = sound and not verification.problems
        except BaseException:
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)  # closing the engine ends those that are running
            raise
    return 0 if sound else 1


def _cells(verification: Verification, salts: int, repeats: int) -> dict[tuple[str, str], dict[str, str]]:
    slug, rows = verification.assignment.slug, verification.rows
    cells = {
        name: {
            "Points": points_text(row.points),
            "Checks": str(row.checks),
            "Examples": str(row.examples),
            "Seconds": f"{row.typical_seconds:.2f}",
            "Misconceptions caught": f"{row.caught}/{len(row.misconceptions)}",
            **_costs(row.costs),
            "Checks nothing fails": str(row.unproven),
            "Own hint shown": f"{row.hinted}/{len(row.misconceptions)}",
            "Feedback rendered": f"{len(row.rendered)}/{len(row.misconceptions)}",
            "Reproduced": f"{len(row.reproduced)}/{len(row.misconceptions)}",
        }
        for name, row in rows.items()
    }
    known = sum(len(row.misconceptions) for row in rows.values())
    cells[WHOLE] = {
        "Points": points_text(sum(row.points for row in rows.values())),
        "Checks": str(sum(row.checks for row in rows.values())),
        "Examples": str(sum(row.examples for row in rows.values())),
        "Seconds": f"{sum(row.typical_seconds for row in rows.values()):.1f}",
        "Misconceptions caught": f"{sum(row.caught for row in rows.values())}/{known}",
        **_costs([share for row in rows.values() for share in row.costs]),
        "Checks nothing fails": str(sum(row.unproven for row in rows.values())),
        "Own hint shown": f"{sum(row.hinted for row in rows.values())}/{known}",
        "Feedback rendered": f"{sum(len(row.rendered) for row in rows.values())}/{known}",
        "Reproduced": f"{sum(len(row.reproduced) for row in rows.values())}/{known}",
        "Runs": f"{verification.runs} = {salts} × {repeats} × {verification.runs // (salts * repeats)}",
    }
    return {(slug, name): columns for name, columns in cells.items()}


def _costs(shares: list[float]) -> dict[str, str]:
    above = sum(share > SEVERE for share in shares)
    return {
        "Median cost": f"{median(shares):.0%}",
        "Largest cost": f"{max(shares, default=0.0):.0%}",
        "Above half": f"{above}/{len(shares)}",
    }


def _pairs_cells(slug: str, tried: Mapping[str, PairsTried]) -> dict[tuple[str, str], dict[str, str]]:
    columns = {name: _pairs_figures([one]) for name, one in tried.items()}
    if tried:
        columns[WHOLE] = _pairs_figures(list(tried.values()))
    cells = ("Told in pairs", "Misleading in pairs")
    return {(slug, name): dict(zip(cells, figures, strict=True)) for name, figures in columns.items()}


def _pairs_figures(tried: Sequence[PairsTried]) -> tuple[str, str]:
    """What of all mistakes is told, and what of all hints misleads."""
    told, mistakes = sum(one.told for one in tried), sum(one.mistakes for one in tried)
    misleading, hints = sum(len(one.misleading) for one in tried), sum(one.hints for one in tried)
    return f"{told}/{mistakes}", f"{misleading}/{hints}"


def _graded(
    pool: ThreadPoolExecutor, engine: Engine, verification: Verification, runs: list[Run]
) -> Iterator[tuple[Run, Result | EngineError]]:
    root, slug = str(verification.assignment.root), verification.assignment.slug

    def grade(run: Run) -> tuple[Run, Result | EngineError]:
        subject, salt, whole = run
        exercises = () if whole or not subject.exercise else (subject.exercise,)
        explain = whole or subject.label == SOLUTION
        job = Job(root, slug, subject.submission, salt, explain, exercises, carry_forward=False)
        try:
            return run, engine.grade(job)
        except EngineError as error:
            return run, error

    return pool.map(grade, runs)


def _print(
    verification: Verification, subjects: int, salts: tuple[str, ...], repeats: int, seconds: float, show: Printer
) -> None:
    title = one_line(verification.assignment.title, 100)
    show.line((f"{title} · graders verified with {subjects} submissions{_times(salts, repeats)}", "bold"))
    show.console.print()
    _print_table(verification, show)
    if verification.severe:
        show.console.print()
        show.line(("Mistakes that cost more than half of their exercise, and why:", ""))
        for text in verification.severe:
            _print_item("·", "", text, show)
    problems, warnings = verification.problems, verification.warnings
    for texts, status in (([problem.text for problem in problems], Status.FAILED), (warnings, Status.SKIPPED)):
        if texts:
            show.console.print()
        symbol, style = show.symbol(status)
        for text in texts:
            _print_item(symbol, style, text, show)
    show.console.print()
    count = f"{len(problems) or 'No'} problem{'' if len(problems) == 1 else 's'}"
    if warnings:
        count += f", {len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    rows = verification.rows.values()
    caught, known = sum(row.caught for row in rows), sum(len(row.misconceptions) for row in rows)
    took = f"; {caught} of {known} misconceptions caught   ({verification.runs} runs in {seconds:.0f} seconds)"
    show.line((count, "bold red" if problems else "bold green"), (took, ""))
    reproduced = sum(len(row.reproduced) for row in rows)
    show.line((f"Failures shown by a program: {reproduced} of {known} misconceptions", ""))


def _print_pairs(tried: Mapping[str, PairsTried], show: Printer) -> None:
    told, misleading = _pairs_figures(list(tried.values()))
    symbol, style = show.symbol(Status.SKIPPED)
    show.console.print()
    for exercise, one in tried.items():
        for text in one.misleading:
            _print_item(symbol, style, f"a pair of {exercise} is told something else: {text}", show)
    show.line((f"Pairs of misconceptions: {told} mistakes told, {misleading} hints misleading", ""))


def _times(salts: tuple[str, ...], repeats: int) -> str:
    parts = [f" × {len(salts)} salts"] if len(salts) > 1 else []
    return "".join([*parts, f" × {repeats} repeats"] if repeats > 1 else parts)


def _print_table(verification: Verification, show: Printer) -> None:
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    for heading in ("Points", "Checks", "Seconds", "Caught", "Cost", "Problems"):
        table.add_column(heading, justify="right", overflow="fold")
    for name, row in verification.rows.items():
        count = sum(problem.exercise == name for problem in verification.problems)
        symbol, style = show.symbol(Status.FAILED if count else Status.PASSED)
        known = len(row.misconceptions)
        cells = (
            points_text(row.points),
            str(row.checks),
            f"{row.typical_seconds:.2f}",
            f"{row.caught}/{known}",
            f"{row.median_cost:.0%}/{row.largest_cost:.0%}",
            str(count or ""),
        )
        styles = ("", "", "", "yellow" if row.caught < known or not known else "", "", "red")
        table.add_row(
            show.text(symbol, style),
            show.text(one_line(name, 60)),
            *(show.text(cell, style) for cell, style in zip(cells, styles, strict=True)),
        )
    show.console.print(table)


def _print_item(symbol: str, style: str, text: str, show: Printer) -> None:
    """One item, wrapped with a hanging indent where the screen is narrow."""
    lines = show.text(text).wrap(show.console, max(show.console.width - 2, 20))
    for number, line in enumerate(lines):
        show.console.print(show.text(f"{symbol} " if not number else "  ", style).append_text(line))
