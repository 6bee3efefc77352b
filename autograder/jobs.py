"""What judges are asked to do. Light: the command builds jobs without importing torch."""

from __future__ import annotations

import msgspec

from autograder.submissions.reading import Submission

ARCHIVE = "AUTOGRADER_CACHE"  # environment variable: a folder for what can be used again; empty: none is used
JUDGE, CLASS_SERVER, SHOW = b"judge", b"stage", b"show"  # the processes that the bench can be asked for


class WarmUp(msgspec.Struct, frozen=True):
    """An assignment that many jobs will be about, with the salt they share."""

    course: str
    slug: str
    salt: str = ""


class Job(msgspec.Struct, frozen=True):
    """One submission to grade against the assignment `slug` of `course`; `salt` goes on top of the assignment's own.
    Without `explain` a failed check is only said to have failed: no smaller example is looked for, and no hint.
    With `exercises` only their checks are run, and `until_failure` the first that is not passed is the last.
    Forward passes are timed on the `device` "cpu" or "cuda", and not at all where it is empty; with `only_timed` all
    other checks are left out."""

    course: str
    slug: str
    submission: Submission
    salt: str = ""
    explain: bool = True
    exercises: tuple[str, ...] = ()
    until_failure: bool = False
    device: str = ""
    only_timed: bool = False
