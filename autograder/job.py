"""What a judge is asked to do. Light: the command builds jobs without importing torch."""

from __future__ import annotations

import msgspec

from autograder.submission import Submission


class Job(msgspec.Struct, frozen=True):
    """One submission to grade against the assignment `slug` of `course`; `salt` goes on top of the assignment's own."""

    course: str
    slug: str
    submission: Submission
    salt: str = ""
