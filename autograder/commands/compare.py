"""`autograder compare`: who moves between two results of a class, or if the class were graded again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.batch.change_table import print_changes, write_csv
from autograder.batch.changes import Comparison, compared
from autograder.batch.discovery import Found
from autograder.batch.stopping import Stops
from autograder.batch.store import Record, Store
from autograder.commands.batch import How, Where, exit_code, grade, proposals
from autograder.course import Assignment, find_course, load_assignment
from autograder.course.commits import at_commit
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.results.printer import Printer

if TYPE_CHECKING:
    from autograder.report.pages import Pages


def run(
    old: Path,
    new: Path | None,
    *,
    regrade: bool = False,
    commit: str = "",
    jobs: int | None = None,
    table: Path | None = None,
    page: Path | None = None,
    course: Path | None = None,
) -> int:
    """Prints and writes the comparison; returns the exit code: 3 if a grade falls, 1 if something could not be graded.

    Raises:
        UsageError: the folders were not made by `autograder batch` or cannot be compared, or nothing can be written.
        EngineError: no submission can be graded.
    """
    if bool(new) == regrade:
        raise UsageError("Name two folders of results, or one and --regrade.")
    if commit and not regrade:
        raise UsageError("--commit says whose graders to use for grading again; add --regrade.")
    pages = _pages() if page else None
    show = Printer(Console(highlight=False, soft_wrap=True))
    comparison = _of_folders(old, new) if new else _graded_again(old, commit, jobs, course, show)
    if table:
        write_csv(comparison, table)
    if page and pages:
        atomic.replace(page, pages.changes(comparison))
    print_changes(comparison, show)
    return exit_code(comparison)


def _pages() -> Pages:
    try:
        from autograder.report.pages import Pages
    except ImportError as error:
        raise UsageError(f"The package {error.name} is missing; run pip install 'torch-autograder[report]'.") from error
    return Pages()


def _of_folders(old: Path, new: Path) -> Comparison:
    before, after = Store(old), Store(new)
    first, second = before.roll(), after.roll()
    if first.assignment != second.assignment:
        raise UsageError(
            f"{old} has results of {first.assignment}, and {new} of {second.assignment}; compare the same assignment."
        )
    return compared(second.title, str(old), str(new), _pairs(before, after))


def _pairs(before: Store, after: Store) -> Iterator[tuple[str, Record | None, Record | None]]:
    """Everyone in one of the classes. A submission may have another name in another download: then its students
    decide."""
    first, second = before.roll().found, after.roll().found
    names = {found.name for found in first}
    left = {found.name: found for found in second}
    renamed = {found.students: found for found in second if found.name not in names}
    for found in first:
        other = left.get(found.name) or renamed.pop(found.students, None)
        if other:
            del left[other.name]
        yield found.label, before.record(found.name), after.record(other.name) if other else None
    for found in left.values():
        yield found.label, None, after.record(found.name)


def _graded_again(old: Path, commit: str, jobs: int | None, course: Path | None, show: Printer) -> Comparison:
    roll = Store(old).roll()
    there = [found for found in roll.found if _is_there(found)]
    if not there:
        raise UsageError(f"None of the {len(roll.found)} submissions can still be read from where they were graded.")
    paths = [Path(found.path) for found in there]
    root = find_course(course, paths, beside=[path.parent for path in paths])
    # The GPU of then may not be here now.
    where = Where(jobs, device="auto" if roll.device == "cuda" else roll.device)
    with _assignment(root, commit, roll.assignment) as assignment, Stops() as stops, Store(old, stops.held) as store:
        grade(assignment, store, there, where, show, salt=roll.salt, how=How(preview=True))
        now = f"{roll.assignment} {f'at {commit}' if commit else 'as it is now'}"
        gone = ((found.label, store.record(found.name), None) for found in roll.found if found not in there)
        return compared(assignment.title, str(old), now, [*proposals(store, there), *gone])


def _assignment(root: Path, commit: str, slug: str) -> contextlib.AbstractContextManager[Assignment]:
    return at_commit(root, commit, slug) if commit else contextlib.nullcontext(load_assignment(root, slug))


def _is_there(found: Found) -> bool:
    return all(map(os.path.lexists, found.files.values() or [found.path]))
