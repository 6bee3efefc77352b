"""Where in a Python file the exercises begin, found without parsing the file, which is hostile."""

from __future__ import annotations

import re

from autograder.submissions.reading import Submission

_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")


def definition_lines(submission: Submission) -> dict[str, int]:
    """The line of the last definition of each name at the top of the file; nothing for a notebook, whose cells have
    lines of their own."""
    if submission.is_notebook or len(submission.cells) != 1:
        return {}
    found = {}
    for number, line in enumerate(submission.cells[0].source.split("\n"), 1):
        if match := _DEFINITION.match(line):
            found[match[1] or match[2]] = number
    return found
