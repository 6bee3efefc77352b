"""The commands for authors of assignments: their arguments, which `cli` reads as those of the others."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli_options import course_option, format_option, table_option


@click.command(short_help="Begin an assignment of your own.")
@click.argument("slug", required=False)
@click.option(
    "--exercise",
    "exercises",
    multiple=True,
    metavar="NAME",
    help="A function or class that students write; may be repeated.",
)
@click.option(
    "--from",
    "notebook",
    metavar="NOTEBOOK",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Make it from this source notebook of nbgrader or otter.",
)
@course_option
def new(slug: str | None, exercises: tuple[str, ...], notebook: Path | None, course: Path | None) -> None:
    """Begins the assignment SLUG, in an empty folder or in a course.

    Writes a working example of everything that an assignment needs: solution, hidden graders, known mistakes, public
    tests. In a new course, also nbgrader_config.py and .gitignore. Nothing that exists is overwritten.

    With --from, its exercises are those of a notebook with solutions and tests, and SLUG is by default the notebook's
    name. What students compute in an assertion becomes a question, and comparing it stays with the grader. What
    cannot be split so is listed.
    """
    from autograder.commands import new

    sys.exit(new.run(slug, exercises, notebook=notebook, course=course))


@click.command(short_help="See what a student will see.")
@click.argument("slug")
@click.option("--misconception", default="", metavar="NAME", help="The known mistake that the student makes.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the result here, in the form that --format names.",
)
@format_option
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the feedback page that `autograder report` makes for a student.",
)
@course_option
def preview(
    slug: str, misconception: str, output: Path | None, form: str, html: Path | None, course: Path | None
) -> None:
    """Prints the feedback for a student who makes the mistake NAME of graders/SLUG/misconceptions.py and no other;
    without --misconception, for one who hands in the skeleton. Forward passes are not timed.
    """
    from autograder.commands import preview

    sys.exit(preview.run(slug, misconception, output, form=form, html=html, course=course))


@click.command(short_help="Make the students' files from the solutions.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit code 1 if a file is out of date.")
@course_option
def release(slugs: tuple[str, ...], only_check: bool, course: Path | None) -> None:
    """Writes the skeletons in assignments/ from solutions/: everything between the solution markers is removed."""
    from autograder.commands import release

    sys.exit(release.run(slugs, only_check=only_check, course=course))


@click.command(short_help="Test an assignment's graders.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option(
    "--salt", "salts", multiple=True, metavar="TEXT", help="Use different examples; repeat it to use several sets."
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Grade everything this many times and require identical results.",
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Submissions graded in parallel [default: number of cores]."
)
@click.option(
    "--exercise",
    "exercises",
    multiple=True,
    metavar="NAME",
    help="Try only this exercise's misconceptions; may be repeated.",
)
@click.option("--most", type=click.IntRange(0), metavar="N", help="Misconceptions per exercise [default: all].")
@click.option(
    "--pairs",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Also try this many random pairs of misconceptions in each exercise: are both hints given, and no other?",
)
@table_option
@course_option
def verify(
    slugs: tuple[str, ...],
    salts: tuple[str, ...],
    repeats: int,
    jobs: int | None,
    exercises: tuple[str, ...],
    most: int | None,
    pairs: int,
    table: Path | None,
    course: Path | None,
) -> None:
    """Tests the graders of assignments.

    The solution must get all points, the skeleton none, and every known misconception must lose points in its own
    exercise and in no other, answer some question, and be shown its own hint. Some misconception must fail each check.
    Feedback must not show tracebacks, paths or code of the graders. Every exercise must have public tests, which pass
    on the solution and fail on the skeleton. The skeleton must load, and what a check forbids must exist.

    docs/authoring.md says how to declare an exception to this. Exit code 0 if all of this holds, else 1.
    """
    from autograder.commands import verify

    salts = salts or ("",)
    code = verify.run(
        slugs,
        salts=salts,
        repeats=repeats,
        jobs=jobs,
        exercises=exercises,
        most=most,
        pairs=pairs,
        table=table,
        course=course,
    )
    sys.exit(code)


@click.command(short_help="Mutation testing of an assignment's graders.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option("--most", type=click.IntRange(1), default=40, show_default=True, help="Mutants per exercise.")
@click.option(
    "--exercise", "exercises", multiple=True, metavar="NAME", help="Try only this exercise's mutants; may be repeated."
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Submissions graded in parallel [default: number of cores]."
)
@table_option
@course_option
def mutants(
    slugs: tuple[str, ...],
    most: int,
    exercises: tuple[str, ...],
    jobs: int | None,
    table: Path | None,
    course: Path | None,
) -> None:
    """Puts small mistakes into the solutions, one at a time, and lists those that cost no points, and the checks that
    none of them fails.

    Exit code 0 if all mistakes that cost no points are explained in graders/<slug>/equivalent_mutants.toml, else 1.
    """
    from autograder.commands import mutants

    sys.exit(mutants.run(slugs, most=most, exercises=exercises, jobs=jobs, table=table, course=course))


@click.command(short_help="Find out how close right answers come to being refused.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option(
    "--right",
    metavar="FOLDER",
    default="",
    help='Right submissions of your own, .py files; "{slug}" stands for the assignment. They run without a sandbox.',
)
@click.option(
    "--python",
    "pythons",
    metavar="PROGRAM",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Also compute with this Python, which has another version of PyTorch and what this package needs; may be "
    "repeated.",
)
@click.option("--salt", default="", metavar="TEXT", help="Use different examples.")
@table_option
@course_option
def fairness(
    slugs: tuple[str, ...],
    right: str,
    pythons: tuple[Path, ...],
    salt: str,
    table: Path | None,
    course: Path | None,
) -> None:
    """Measures how much of each check's tolerance right answers take, and by how much known mistakes exceed it.

    Right answers are the solution, the solution with sums in other orders, through float64, in other steps and layouts,
    and your own right submissions; all of them computed with each instruction set that this processor has, with two
    threads, and with tiny numbers flushed to zero. Exit code 0 if none is refused and each tolerance has room by a
    factor of 4 on both sides, else 1.
    """
    from autograder.commands import fairness

    sys.exit(fairness.run(slugs, right=right, pythons=pythons, salt=salt, table=table, course=course))


COMMANDS = (new, preview, release, verify, mutants, fairness)
