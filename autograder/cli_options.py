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

table_option = click.option(
    "--table",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also update the figures in this Markdown file.",
)
