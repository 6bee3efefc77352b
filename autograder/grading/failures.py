"""The ways in which a check ends without passing. Raised by the fixtures, handled by the plugin."""

from __future__ import annotations

import msgspec

from autograder.results.model import Counterexample, Status


class Failure(msgspec.Struct, frozen=True):
    """What is known about a failed check before it becomes a result."""

    message: str
    status: Status = Status.FAILED
    counterexample: Counterexample | None = None
    hint: str = ""
    misconception: str = ""


class CheckFailed(Exception):
    """The submission does not do what the check asks for. Hypothesis catches this and looks for a smaller example."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Settled(BaseException):
    """The same, where more examples would add nothing: passes through Hypothesis, which catches only `Exception`.
    `position` is the index of the question without an answer, if several were asked at once."""

    def __init__(self, failure: Failure, position: int = 0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.position = position


class GraderFault(BaseException):
    """A mistake in the grader or the solution, found while a check ran. The check neither passes nor fails: the message
    goes to the instructor. Passes through Hypothesis, which would look for a smaller example and change the message."""
