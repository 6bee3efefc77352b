"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

course_option = click.option(
    "--course",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The course folder [default: this folder, or the nearest one above it with graders/ that cannot have been "
    "handed in].",
)

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["gradescope", "junit", "classroom50", "prairielearn", "autolab", "github", "github-check"]),
    default="gradescope",
    show_default=True,
    help="The form of the result; docs/platforms.md describes each.",
)

table_option = click.option(
    "--table",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also update the figures in this Markdown file.",
)
