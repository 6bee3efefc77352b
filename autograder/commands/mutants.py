"""`autograder mutants`: puts small mistakes into the solutions, one at a time, and lists those that cost no points, and
the checks that none of them fails."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich.console import Console

from autograder.course import Assignment, find_course, load_assignments, read_toml, require_exercises
from autograder.engine.client import Engine
from autograder.errors import EngineError, UsageError
from autograder.jobs import Job, WarmUp
from autograder.quality.mutation import Mutant, mutants
from autograder.quality.table import WHOLE, update
from autograder.results.model import Status
from autograder.results.printer import Printer, progress
from autograder.sandbox.processors import cores
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell

FailedChecks = frozenset[tuple[str, str]]  # exercise, check

# A check that times out takes seconds, and so would the others.
_UNTIL_TIMEOUT = (Status.TIMEOUT,)
_UNTIL_FAILURE = (Status.FAILED, Status.TIMEOUT, Status.SKIPPED, Status.ERROR)


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mutant that still meets the contract: `change` as the command prints it, and `why` it does."""

    exercise: str
    change: str
    why: str


class _Explanations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mutant: list[Explained] = []


@dataclass
class MutantTally:
    """How the mutants of one exercise fared. `unfailed` are its checks that none of them fails and that no grader marks
    `unproven`."""

    caught: int = 0
    equivalent: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    unfailed: list[str] = field(default_factory=list)

    @property
    def score(self) -> str:
        return f"{self.caught}/{self.caught + len(self.survivors)}"


def run(
    slugs: tuple[str, ...],
    *,
    most: int,
    exercises: tuple[str, ...] = (),
    jobs: int | None = None,
    table: Path | None = None,
    course: Path | None = None,
) -> int:
    """Grades at most `most` mutants of every exercise of these assignments (default: all), and prints the survivors.

    Returns:
        The exit code: 0 if every survivor is explained in `graders/<slug>/equivalent_mutants.toml`, else 1.

    Raises:
        UsageError: there is no such assignment or exercise, or the explanations cannot be read.
        EngineError: the graders do not run.
    """
    root = find_course(course)
    assignments = load_assignments(root, slugs)
    require_exercises(exercises, assignments)
    show = Printer(Console(highlight=False))
    unexplained = 0
    with ThreadPoolExecutor(jobs or cores()) as pool, Engine(*assignments) as engine:
        try:
            for assignment in assignments:
                started = time.monotonic()
                rows = _tried(assignment, engine, pool, most, exercises, show)
                _print(assignment, rows, time.monotonic() - started, show)
                unexplained += sum(len(row.survivors) for row in rows.values())
                if table is not None:
                    update(table, _cells(assignment, rows))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return 1 if unexplained else 0


def _tried(
    assignment: Assignment,
    engine: Engine,
    pool: ThreadPoolExecutor,
    most: int,
    exercises: tuple[str, ...],
    show: Printer,
) -> dict[str, MutantTally]:
    explained = {(item.exercise, item.change) for item in _explanations(assignment)}
    solution = assignment.solution.read_text(encoding="utf-8")
    every = [
        mutant
        for mutant in mutants(solution, list(assignment.exercises), most)
        if not exercises or mutant.exercise in exercises
    ]
    declared = engine.warm_up(WarmUp(str(assignment.root), assignment.slug))
    rows = {name: MutantTally() for name in assignment.exercises if not exercises or name in exercises}
    every_failed: set[tuple[str, str]] = set()
    with progress(show.console) as bar:
        task = bar.add_task(assignment.slug, total=len(every))
        for mutant, failed in _graded(assignment, engine, pool, every):
            row = rows[mutant.exercise]
            every_failed |= failed
            if failed:
                row.caught += 1
            elif (mutant.exercise, str(mutant)) in explained:
                row.equivalent += 1
            else:
                row.survivors.append(mutant)
            bar.advance(task)
    for one in declared:
        if one.exercise in rows and (one.exercise, one.check) not in every_failed and not one.unproven:
            rows[one.exercise].unfailed.append(one.check)
    return rows


def _graded(
    assignment: Assignment, engine: Engine, pool: ThreadPoolExecutor, every: list[Mutant]
) -> Iterator[tuple[Mutant, FailedChecks]]:
    """Each mutant with the checks that it fails; of those that several exercises share, with the first one."""
    file = f"{assignment.module}.py"

    def grade(mutant: Mutant) -> FailedChecks:
        submission = Submission(str(mutant), file, (Cell(file, mutant.source),), False)
        only = () if mutant.shared else (mutant.exercise,)
        until = _UNTIL_FAILURE if mutant.shared else _UNTIL_TIMEOUT  # all checks of all exercises would take long
        job = Job(str(assignment.root), assignment.slug, submission, explain=False, exercises=only, until=until)
        result = engine.grade(job)
        statuses = {check.status for check in result.checks}
        if Status.ERROR in statuses or not statuses:
            raise EngineError(f"{mutant} could not be graded: {' '.join(result.log)[:300]}")
        passed = (Status.PASSED, Status.EXCUSED)
        return frozenset((check.exercise, check.name) for check in result.checks if check.status not in passed)

    return zip(every, pool.map(grade, every), strict=True)


def _explanations(assignment: Assignment) -> list[Explained]:
    path = assignment.graders / "equivalent_mutants.toml"
    if not path.exists():
        return []
    try:
        return msgspec.convert(read_toml(path), _Explanations).mutant
    except msgspec.ValidationError as error:
        raise UsageError(f"Correct {path}: {error}.") from error


def _cells(assignment: Assignment, rows: dict[str, MutantTally]) -> dict[tuple[str, str], dict[str, str]]:
    total = MutantTally(
        sum(row.caught for row in rows.values()),
        sum(row.equivalent for row in rows.values()),
        [mutant for row in rows.values() for mutant in row.survivors],
    )
    named = {**rows, WHOLE: total} if len(rows) == len(assignment.exercises) else rows
    return {
        (assignment.slug, name): {"Mutants caught": row.score, "Equivalent mutants": str(row.equivalent)}
        for name, row in named.items()
    }


def _print(assignment: Assignment, rows: dict[str, MutantTally], seconds: float, show: Printer) -> None:
    count = sum(row.caught + row.equivalent + len(row.survivors) for row in rows.values())
    show.line((f"{assignment.title} · {count} mutants of the solution in {seconds:.0f} seconds", "bold"))
    show.console.print()
    table = show.table()
    table.add_column("", width=1)
    table.add_column("Exercise", overflow="fold")
    for heading in ("Caught", "Equivalent", "Not noticed"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        symbol, style = show.symbol(Status.FAILED if row.survivors else Status.PASSED)
        cells = (name, row.score, str(row.equivalent or ""), str(len(row.survivors) or ""))
        table.add_row(show.text(symbol, style), *map(show.text, cells))
    show.console.print(table)
    if unfailed := [(name, row.unfailed) for name, row in rows.items() if row.unfailed]:
        show.console.print()
        show.line(("No mutant fails these checks; `autograder verify` says whether a misconception does.", "yellow"))
        for name, checks in unfailed:
            show.line((f"{name}: {', '.join(checks)}", ""))
    unexplained = [(name, str(mutant)) for name, row in rows.items() for mutant in row.survivors]
    if unexplained:
        path = (assignment.graders / "equivalent_mutants.toml").relative_to(assignment.root)
        show.console.print()
        show.line((f"Not noticed: write a check, or say in {path} why each is not a mistake.", "red"))
    for name, change in unexplained:
        fields = {"exercise": name, "change": change, "why": ""}
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
        show.console.print(show.text("\n".join(["", "[[mutant]]", *lines])), soft_wrap=True)  # to be copied
    show.console.print()
