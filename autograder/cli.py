"""The command `autograder`: reads arguments, calls the parts, turns failures into a sentence and an exit code.

Exit codes: 0 done, 1 the kit itself failed, 2 the request cannot be carried out as given, 3 a grade would fall, 128 and
its number if a signal ends the command. Modules are imported where they are used, so that a first valid result file is
written before anything slow is loaded.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click

from autograder import __version__, cli_authors, cli_class
from autograder.cli_options import course_option, format_option
from autograder.errors import EngineError, Stopped, UsageError


class _Commands(click.Group):
    """Prints our own errors as one sentence on stderr, with the matching exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            click.echo(f"autograder: {error}", err=True)
            ctx.exit(2)
        except EngineError as error:
            click.echo(f"autograder: the kit itself failed: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt as error:
            stopped = error if isinstance(error, Stopped) else Stopped()
            word = "interrupted" if stopped.number == signal.SIGINT else "stopped"
            click.echo(f"autograder: {word}; results written so far are complete.", err=True)
            ctx.exit(128 + stopped.number)


_device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where forward passes are timed; auto uses a GPU if there is one.",
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="autograder")
def main() -> None:
    """Grades PyTorch coursework: tensors, gradients and modules, compared with a reference, in a sandbox.

    Students run `autograder check`. Instructors run `autograder grade` on one submission, `autograder batch` on
    a class, and `autograder verify` after a change to an assignment. Authors begin with `autograder new`.
    """


@main.command(short_help="Grade one submission (or several).")
@click.argument("submissions", metavar="SUBMISSION...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-a", "--assignment", metavar="SLUG", help="The assignment [default: inferred from the file name].")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write the result [default: results.json; some formats have other names]. With several submissions: "
    "a folder with one file for each [default: results].",
)
@format_option
@_device
@click.option(
    "--timing/--no-timing", default=True, help="Time forward passes; with --no-timing, timing checks count as passed."
)
@click.option("--salt", default="", metavar="TEXT", help="Use different examples: TEXT is mixed into the secret seed.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
@click.option(
    "--explain-pass", metavar="CHECK", help="Also print why this check (such as pool2d/maximum) passed, or did not."
)
@course_option
def grade(submissions: tuple[Path, ...], assignment: str | None, output: Path | None, **options: Any) -> None:
    """Grades SUBMISSION (a .py, .ipynb or .zip file, or a folder that contains one) with the hidden graders.

    Prints a table with feedback and writes the result file. Exit code 0 means "graded", whatever the score.
    """
    from autograder.commands import grade

    sys.exit(grade.run(submissions, assignment, output, **options))


@main.command(short_help="Grade a class.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-a", "--assignment", metavar="SLUG", required=True, help="The assignment.")
@click.option(
    "-o", "--output", metavar="OUT", required=True, type=click.Path(path_type=Path), help="The folder for the results."
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Submissions graded in parallel [default: number of cores]."
)
@click.option("--only", multiple=True, metavar="NAME", help="Grade only this submission; may be repeated.")
@click.option("--force", is_flag=True, help="Also grade submissions whose results are still valid.")
@click.option(
    "--preview", is_flag=True, help="Show who would get more or fewer points, and why; change nothing in OUT yet."
)
@click.option(
    "--accept", is_flag=True, help="Also use results with fewer points than before for an unchanged submission."
)
@click.option("--resume", is_flag=True, help="Keep results that are still valid (the default).")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Grade on the Dask cluster at tcp://….")
@click.option("--slurm", is_flag=True, help="Grade in SLURM jobs (as many as --jobs), as configured for dask-jobqueue.")
@_device
@click.option(
    "--timing/--no-timing", default=True, help="Time forward passes; with --no-timing, timing checks count as passed."
)
@click.option("--salt", default="", metavar="TEXT", help="Use different examples: TEXT is mixed into the secret seed.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
@course_option
def batch(
    folder: Path,
    assignment: str,
    output: Path,
    jobs: int | None,
    only: tuple[str, ...],
    force: bool,
    preview: bool,
    accept: bool,
    resume: bool,
    scheduler: str,
    slurm: bool,
    device: str,
    timing: bool,
    salt: str,
    quiet: bool,
    course: Path | None,
) -> None:
    """Grades every submission in DIR: one file, folder or zip each, a download from Gradescope, Moodle or Canvas, or
    nbgrader's submitted/.

    Writes OUT/<name>.json for each and OUT/grades.csv for all. You can stop it at any moment and continue by running it
    again: what has not changed is not graded again. Exit code 0 means "all graded", whatever the scores.

    After a change of graders, no grade of an unchanged submission falls without --accept; exit code 3 means that one
    would.
    """
    from autograder.commands import batch

    if scheduler and slurm:
        raise UsageError("--scheduler and --slurm name two different clusters; use only one of them.")
    if force and resume:
        raise UsageError("--force and --resume contradict each other; use only one of them.")
    if preview and accept:
        raise UsageError("--preview changes nothing, and --accept does; use only one of them.")
    where, how = batch.Where(jobs, scheduler, slurm, device if timing else ""), batch.How(force, accept, preview)
    code = batch.run(folder, assignment, output, where, salt=salt, how=how, only=only, quiet=quiet, course=course)
    sys.exit(code)


@main.command(short_help="Find suspiciously similar submissions in a class.")
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Report pairs that share at least this fraction of their code.",
)
@course_option
def similar(output: Path, threshold: float, course: Path | None) -> None:
    """Lists suspiciously similar pairs and writes OUT/similar.html, which shows them side by side.

    OUT is the folder that `autograder batch` wrote; the submissions are read again from where they were graded.
    """
    from autograder.commands import similar

    sys.exit(similar.run(output, threshold=threshold, course=course))


@main.command(short_help="Run the public tests on your own file.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--tests", type=click.Path(path_type=Path, exists=True), help="The public tests, if they are somewhere else."
)
def check(file: Path | None, tests: Path | None) -> None:
    """Runs the public tests on FILE, as a student does before handing in. No hidden graders are needed.

    FILE is your .py or .ipynb file [default: the one in this folder that has public tests].
    """
    from autograder.commands import check

    sys.exit(check.run(file, tests))


@main.command(short_help="Find out how well this machine can time forward passes.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option(
    "--decisions", type=click.IntRange(1), default=20, show_default=True, help="Timing decisions per exercise."
)
@click.option(
    "--slowed",
    type=click.IntRange(0),
    metavar="N",
    help="Decisions on slowed-down solutions [default: the same number].",
)
@click.option(
    "--styles",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Time the styles FOLDER/<assignment>/*.py instead.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write all that was found about this machine to this Markdown file.",
)
@_device
@course_option
def timing(
    slugs: tuple[str, ...],
    decisions: int,
    slowed: int | None,
    styles: Path | None,
    report: Path | None,
    device: str,
    course: Path | None,
) -> None:
    """Times every timed solution against itself, first unchanged, then slowed down to three times the limit for full
    points.

    Exit code 0 if this machine is fit for timing: no unchanged solution lost points, no slowed-down one kept them all,
    and at most a tenth of the decisions were not possible.

    With --styles, times slow but accepted styles instead and says how large the limits must be. A style is a file with
    what differs from the solution. Exit code 0 if none of them lost points.
    """
    from autograder.commands import timing

    sys.exit(
        timing.run(slugs, decisions=decisions, slow=slowed, styles=styles, report=report, device=device, course=course)
    )


@main.command(short_help="Make the archive for a platform.")
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option(
    "--platform",
    type=click.Choice(["gradescope", "prairielearn", "autolab"]),
    default="gradescope",
    show_default=True,
    help="Who grades with it; docs/platforms.md says where it goes.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it [default: gradescope.zip, prairielearn.zip or autograde.tar].",
)
@course_option
def package(slugs: tuple[str, ...], platform: str, output: Path | None, course: Path | None) -> None:
    """Writes the archive that Gradescope, PrairieLearn or Autolab grades these assignments with [default: all]."""
    from autograder.commands import package

    sys.exit(package.run(slugs, output, platform=platform, course=course))


for _command in (*cli_authors.COMMANDS, *cli_class.COMMANDS):
    main.add_command(_command)
