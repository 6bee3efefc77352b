"""What the script `grade` of a packaged course becomes: `prairielearn`, `autolab FILE` or `record`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from autograder.platforms.autolab import Autolab
from autograder.platforms.prairielearn import HOME, PrairieLearn
from autograder.platforms.supervisor import Platform, leave, record, supervise


def main(here: str, *arguments: str) -> NoReturn:
    """`here` is the folder with the course. Exits with 0 if there is a score, whatever it is, and 1 if we failed."""
    options, course = _parser().parse_args(arguments), Path(here)

    def does() -> int:
        if options.platform == "record":
            record(course, course / "recordings")
            return 0
        platform: Platform
        if options.platform == "prairielearn":
            platform = PrairieLearn(course, options.root, options.deadline)
        else:
            platform = Autolab(course, options.file, options.deadline)
        platform.default = options.assignment
        return supervise(platform)

    leave(does)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("grade", description="Grades one submission as the platform wants it.")
    commands = parser.add_subparsers(dest="platform", required=True)
    of_platform = argparse.ArgumentParser(add_help=False)
    of_platform.add_argument("--assignment", default="", metavar="SLUG", help="if the file's name does not say it")
    prairielearn = commands.add_parser("prairielearn", parents=[of_platform], help="grade what is in /grade/student")
    prairielearn.add_argument("--root", type=Path, default=HOME, help="the folder in the place of /grade")
    autolab = commands.add_parser("autolab", parents=[of_platform], help="grade FILE and print the scores")
    autolab.add_argument("file", type=Path, metavar="FILE", help="the submission, beside the folder with this script")
    for command, seconds in ((prairielearn, 480.0), (autolab, 150.0)):
        command.add_argument(
            "--deadline",
            type=float,
            default=seconds,
            metavar="SECONDS",
            help=f"when grading stops and what is finished counts [default: {seconds:g}]",
        )
    commands.add_parser("record", help="record the reference's answers, so that grading starts sooner")
    return parser
