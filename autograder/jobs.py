"""What the engine can be asked to do. Kept light: commands make jobs without importing torch."""

from __future__ import annotations

import msgspec

from autograder.results.model import Status
from autograder.submissions.reading import Submission

CACHE = "AUTOGRADER_CACHE"  # environment variable: a folder for what can be reused; empty: none
# The processes that the grading server can be asked to start.
JUDGE, CLASS_SERVER, NOTEBOOK, PAIRS, TRIAL = b"judge", b"class server", b"notebook", b"pairs", b"trial"


class WarmUp(msgspec.Struct, frozen=True):
    """A request to prepare the assignment `slug` of `course` for many jobs with this salt. If it is `thorough`, what
    the known wrong variants do is found out now, and not when a submission first fails in their exercise."""

    course: str
    slug: str
    salt: str = ""
    thorough: bool = False


class Declared(msgspec.Struct, frozen=True):
    """What a grader declares about one check: what it `forbids`, and why no misconception fails it, if that is so."""

    exercise: str
    check: str
    forbids: tuple[str, ...] = ()
    unproven: str = ""


class Job(msgspec.Struct, frozen=True):
    """A request to grade one submission against the assignment `slug` of `course`.

    `salt` is added to the assignment's own. Without `explain`, a failed check is only reported as failed: no smaller
    example is looked for and no hint is given. With `exercises`, only their checks are run; the first check that
    ends in one of the ways in `until` is the last. Forward passes are timed on the `device` "cpu" or "cuda", or not at
    all if it is empty; with `only_timed`, all other checks are left out. With `carry_forward`, an exercise that the
    student built on a wrong one of theirs is judged on its own as well (see `grading.carried_forward`), if failures are
    explained. Checks called `explain_pass` ("exercise/check" or "check") come with their margins.
    """

    course: str
    slug: str
    submission: Submission
    salt: str = ""
    explain: bool = True
    exercises: tuple[str, ...] = ()
    until: tuple[Status, ...] = ()
    device: str = ""
    only_timed: bool = False
    carry_forward: bool = True
    explain_pass: str = ""

    @property
    def warm_up(self) -> WarmUp:
        """The request that prepares for this job."""
        return WarmUp(self.course, self.slug, self.salt)


class GpuTried(msgspec.Struct, frozen=True):
    """What a first try of the GPU showed: its name, what PyTorch says about it, and by step the seconds in each of two
    workers at a time."""

    name: str
    facts: dict[str, str]
    seconds: dict[str, tuple[float, float]]


class Pairs(msgspec.Struct, frozen=True):
    """A request to try `count` pairs of known mistakes in each exercise, or in each of `exercises`."""

    course: str
    slug: str
    salt: str
    count: int
    exercises: tuple[str, ...] = ()

    @property
    def warm_up(self) -> WarmUp:
        """The request that prepares for this one."""
        return WarmUp(self.course, self.slug, self.salt)


class PairsTried(msgspec.Struct, frozen=True):
    """How submissions with two mistakes fare: `told` counts those of all `mistakes` whose hint is given, and
    `misleading` lists those of all `hints` that belong to neither mistake of their pair."""

    mistakes: int = 0
    told: int = 0
    hints: int = 0
    misleading: tuple[str, ...] = ()
