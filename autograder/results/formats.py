"""The forms in which a result can be written, by the name that `--format` takes."""

from __future__ import annotations

from collections.abc import Callable

from autograder.results import autolab, classroom50, github, gradescope, junit, prairielearn
from autograder.results.model import Result

ENCODERS: dict[str, Callable[[Result], bytes]] = {
    "gradescope": gradescope.encode,
    "junit": junit.encode,
    "classroom50": classroom50.encode,
    "prairielearn": prairielearn.encode,
    "autolab": autolab.encode,
    "github": github.encode,
    "github-check": github.encode_check,
}
FILE_NAMES = {
    "gradescope": "results.json",
    "junit": "results.xml",
    "classroom50": "result.json",
    "prairielearn": "results.json",
    "autolab": "results.txt",
    "github": "summary.md",
    "github-check": "check.json",
}
