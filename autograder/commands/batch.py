"""`autograder batch`: grades a class, here or on a cluster, and continues where an earlier run was stopped."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from autograder.batch import gradebook
from autograder.batch.change_table import print_changes
from autograder.batch.changes import Comparison, Kind, compared
from autograder.batch.discovery import Found, Roster, discover
from autograder.batch.grader import Grader
from autograder.batch.local import LocalGrader
from autograder.batch.runner import Run, Tally, rate
from autograder.batch.stopping import Stops
from autograder.batch.store import Record, Roll, Store
from autograder.course import Assignment, find_course, load_assignment
from autograder.engine.devices import Device, choose
from autograder.errors import UsageError
from autograder.output.inert import one_line
from autograder.output.workflow import commands_stopped
from autograder.results.model import missing_layer
from autograder.results.printer import Printer
from autograder.sandbox.processors import cores

_RATE_SECONDS = 120.0  # how far back the rate looks: submissions differ


@dataclass(frozen=True)
class Where:
    """Which machines grade: those of a scheduler's address, SLURM's, or by default this one. Without `device`, forward
    passes are not timed."""

    jobs: int | None = None
    scheduler: str = ""
    slurm: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class How:
    """Whether to grade what need not be graded again, to use results that are worse than before, and to change nothing
    but to show what would change."""

    force: bool = False
    accept: bool = False
    preview: bool = False


@commands_stopped()
def run(
    folder: Path,
    slug: str,
    output: Path,
    where: Where,
    *,
    salt: str = "",
    how: How = How(),
    only: tuple[str, ...] = (),
    quiet: bool = False,
    course: Path | None = None,
) -> int:
    """Returns the exit code: 1 if something could not be graded through no fault of the student's, 3 if a grade would
    fall.

    Raises:
        UsageError: the request cannot be carried out, or a result cannot be written.
        EngineError: no submission can be graded.
    """
    assignment = load_assignment(find_course(course, [folder.resolve()]), slug)
    # Not resolved: a link to somebody else's folder must stay a link.
    folder, output = (Path(os.path.normpath(Path.cwd() / path)) for path in (folder, output))
    roster = discover(folder, slug, output)
    chosen = _chosen(roster, only)
    console = Console(highlight=False, quiet=quiet, soft_wrap=True)  # one line stays one line
    show = Printer(console)
    started = time.monotonic()
    with Stops() as stops, Store(output, stops.held) as store:
        if how.preview:
            store.require(slug)
        else:
            store.call(
                Roll(
                    slug,
                    assignment.title,
                    assignment.exercises,
                    tuple(roster.found),
                    salt=salt,
                    device=where.device,
                    bonus=tuple(assignment.bonus),
                )
            )
        show.line((str(roster), "dim"))
        for line in roster.left_out:
            show.line((line, "yellow"))
        tally, remark = grade(assignment, store, chosen, where, show, salt=salt, how=how)
        if not how.preview:
            gradebook.write(store)
        grades = "" if how.preview else f" Grades: {output / gradebook.FILE}"
        _print_end(tally, remark, len(chosen), started, grades, show)
        if how.preview:
            now = f"{slug} as it is now"
            comparison = compared(assignment.title, str(output), now, proposals(store, chosen))
            print_changes(comparison, show)
            show.line(("Nothing was changed; the same command without --preview uses these results.", "dim"))
            return exit_code(comparison)
    return 1 if tally.errors else 3 if tally.falling else 0


def grade(
    assignment: Assignment, store: Store, chosen: list[Found], where: Where, show: Printer, *, salt: str, how: How
) -> tuple[Tally, str]:
    """Grades these submissions; returns what was done, and a remark on the timing.

    Raises: as `run`.
    """
    with _grader(assignment, salt, where) as (grader, device), _progress(show.console) as bar:
        task = bar.add_task("Grading", total=len(chosen))
        left = len(chosen)

        def trouble(name: str, line: str) -> None:
            show.line((f"{one_line(name, 60)}: ", ""), (one_line(line, 300), "yellow"))

        def done(count: int, worked: bool) -> None:
            nonlocal left
            if worked:
                bar.advance(task, count)
            else:  # takes no time, so it must not count towards the rate
                left -= count
                bar.update(task, total=left)

        work = Run(
            assignment, grader, store, salt, trouble, done, force=how.force, accept=how.accept, preview=how.preview
        )
        count, reasons = work.out_of_date(chosen)
        if count and not how.preview:
            verb = "is" if count == 1 else "are"
            text = (
                f"{count} of {len(chosen)} results {verb} out of date ({', '.join(reasons)}); compare with --preview."
            )
            show.line((text, "yellow"))
        try:
            work(chosen)
        finally:
            if not how.preview:
                with store.held(), contextlib.suppress(UsageError):  # the disk may be full: report the first error
                    gradebook.write(store)
    return work.tally, device.remark if work.tally.timed else ""


def proposals(store: Store, chosen: Iterable[Found]) -> Iterator[tuple[str, Record | None, Record | None]]:
    """The label of each submission, the result that counts, and the one that would take its place."""
    for found in chosen:
        record = store.record(found.name)
        yield found.label, record, store.proposed(found.name) or record


def exit_code(comparison: Comparison) -> int:
    """3 if a grade falls, 1 if something could not be graded, else 0."""
    return 3 if comparison.falls else int(comparison.kinds[Kind.FAILED] > 0)


def _chosen(roster: Roster, only: tuple[str, ...]) -> list[Found]:
    if not only:
        return roster.found
    chosen = []
    for name in only:
        named = [found for found in roster.found if name and name in _names(found)]
        if not named:
            raise UsageError(f"There is no submission called {name!r}; check the names in the folder.")
        chosen += [found for found in named if found not in chosen]
    return chosen


def _names(found: Found) -> set[str]:
    """What an instructor may call a submission: its own names, and the names and IDs of its students."""
    return {found.name, found.label, *(each for who in found.students for each in msgspec.structs.astuple(who))}


@contextlib.contextmanager
def _grader(assignment: Assignment, salt: str, where: Where) -> Iterator[tuple[Grader, Device]]:
    """The grader, and where it times forward passes if that is here."""
    context: AbstractContextManager[Grader]
    device = Device("")
    if where.scheduler or where.slurm:
        from autograder.batch import cluster

        if where.slurm:
            context = cluster.start_slurm(assignment, salt, where.device, where.jobs)
        else:
            context = cluster.connect(assignment, salt, where.device, where.scheduler)
    else:
        device = choose(where.device)
        context = LocalGrader(assignment, salt, where.jobs or cores(), device)
    with context as grader:
        yield grader, device


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal or console.quiet,
        speed_estimate_period=_RATE_SECONDS,
    )


def _print_end(tally: Tally, remark: str, count: int, started: float, grades: str, show: Printer) -> None:
    if remark:
        show.line((remark, "dim"))
    for name, why in sorted(tally.missing_layers.items()):
        show.line((f"On this machine: {missing_layer(name, why)}", "yellow"))
    parts = [f"{tally.graded} graded"] if tally.graded else []
    for number, words in (
        (tally.reused, "unchanged since the last run"),
        (tally.previewed, "graded by an earlier command"),
        (tally.identical, "identical to another"),
        (tally.unreadable, "without a file that can be graded (0 points)"),
    ):
        parts += [f"{number} {words}"] if number else []
    show.line((f"{count} submission{'s' * (count != 1)}: {', '.join(parts)}.", "bold"))
    if tally.unmeasured:
        checks = "1 check" if tally.unmeasured == 1 else f"{tally.unmeasured} checks"
        text = f"{checks} could not be measured and counted as passed; --force measures again."
        why = f" The first reason: {one_line(tally.why_unmeasured, 300)}" if tally.why_unmeasured else ""
        show.line((text + why, "yellow"))
    if tally.errors:
        text = f"{tally.errors} could not be graded because the kit failed; run the command again to retry them."
        show.line((text, "bold magenta"))
    if tally.falling:
        grades, verb = ("grade", "stays") if tally.falling == 1 else ("grades", "stay")
        text = (
            f"{tally.falling} {grades} would fall and {verb} as before: look with --preview, then use the new results "
            "with --accept."
        )
        show.line((text, "bold red"))
    seconds = time.monotonic() - started
    speed = rate(tally, started)
    show.line((f"{seconds:.1f} seconds{f', {speed}' if speed else ''}.{grades}", "dim"))
