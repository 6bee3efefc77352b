"""How a check ends other than by passing. Raised by the fixtures, understood by the plugin."""

from __future__ import annotations

import msgspec

from autograder.results.model import Counterexample, Status


class Failure(msgspec.Struct, frozen=True):
    """What is known of a failed check before it becomes a result."""

    message: str
    status: Status = Status.FAILED
    counterexample: Counterexample | None = None
    hint: str = ""
    misconception: str = ""


class CheckFailed(Exception):
    """The submission does not do what the check asks. Hypothesis sees it and looks for a smaller example."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Settled(BaseException):
    """The same, and nothing is gained by more examples: passes through Hypothesis, which catches only `Exception`.
    `position` is that of the question without an answer, where several were put at once."""

    def __init__(self, failure: Failure, position: int = 0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.position = position
