"""The commands about a class that is graded already: their arguments, which `cli` reads as those of the others."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli_options import course_option


@click.command(short_help="Show whose grades differ between two results of a class.")
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path))
@click.argument("new", metavar="[NEW]", required=False, type=click.Path(path_type=Path))
@click.option("--regrade", is_flag=True, help="Grade OLD's submissions again, and compare with that.")
@click.option(
    "--commit", default="", metavar="COMMIT", help="With --regrade: use graders and solution of this commit of git."
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Submissions graded in parallel [default: number of cores]."
)
@click.option(
    "--csv",
    "table",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write everyone to this CSV file.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write it as a web page.",
)
@course_option
def compare(
    old: Path,
    new: Path | None,
    regrade: bool,
    commit: str,
    jobs: int | None,
    table: Path | None,
    page: Path | None,
    course: Path | None,
) -> None:
    """Shows who gets more or fewer points, through which checks, and why: grader, solution, engine, submission, salt or
    timing changed.

    OLD and NEW are folders that `autograder batch` wrote. With --regrade, OLD's submissions are graded again with OLD's
    options, and no result in OLD changes. Exit code 3 if a grade falls, 1 if something could not be graded, else 0.
    """
    from autograder.commands import compare

    code = compare.run(old, new, regrade=regrade, commit=commit, jobs=jobs, table=table, page=page, course=course)
    sys.exit(code)


@click.command(short_help="Write web pages about a graded class.")
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--feedback/--no-feedback", default=True, help="Also write a page for each student [default: yes].")
def report(output: Path, feedback: bool) -> None:
    """Writes OUT/report.html for you and OUT/feedback/<name>.html for each student.

    OUT is the folder that `autograder batch` wrote. Each page is self-contained and needs no network.
    """
    from autograder.commands import report

    sys.exit(report.run(output, feedback=feedback))


@click.command(short_help="Show the failures of a graded submission outside of grading.")
@click.argument("result", metavar="RESULT", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("check", metavar="[CHECK]", required=False)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to write the programs [default: this folder].",
)
def reproduce(result: Path, check: str | None, output: Path) -> None:
    """Writes a short program for CHECK (such as pool2d/maximum), or for each failed check that can be shown like this.

    RESULT is the result file that `autograder grade` or `autograder batch` wrote. A program needs nothing but torch and
    the student's file beside it: it fails as it did in grading, and passes once that is right.
    """
    from autograder.commands import reproduce

    sys.exit(reproduce.run(result, check, output))


COMMANDS = (compare, report, reproduce)
