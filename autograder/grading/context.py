"""What the parts of one check share."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autograder.grading.answers import Answers
from autograder.grading.margins import Margins
from autograder.grading.recording import Recording
from autograder.sandbox.client import Worker


@dataclass(frozen=True)
class TimingPlan:
    """Where forward passes are timed, how many seconds it may take to build what is timed, and how to start a worker
    with each of the two sides."""

    device: str
    seconds: float
    submission: Callable[[], Worker]
    reference: Callable[[], Worker]


@dataclass(frozen=True)
class CheckContext:
    """`forbidden` are patterns of operators. Without `explain`, failures are not explained; if `hurried`, no more is
    asked than it takes to know that the check fails. `recording` collects what the check asks, and `margins`, if they
    are wanted, how close the answers come. `timing` is None if nothing is timed, and `untimed` says why this check is
    not worth timing."""

    answers: Answers
    reference: types.ModuleType
    exercise: str
    forbidden: Sequence[str] = ()
    explain: bool = True
    hurried: bool = False
    timing: TimingPlan | None = None
    untimed: str = ""
    margins: Margins | None = None
    recording: Recording = field(default_factory=Recording)
