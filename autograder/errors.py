"""Failures that must never become a grade, and being told to stop."""

import signal


class UsageError(Exception):
    """The person at the keyboard gave us something unusable; the text says in one sentence what to do (exit code 2)."""


class EngineError(Exception):
    """The kit itself failed (a grader crashed, a worker could not start): no grade, exit code 1."""


class EngineGone(EngineError):
    """A process that the rest of the engine needs has ended (it was killed, say). A fresh engine may well succeed."""


class Stopped(KeyboardInterrupt):
    """A signal asks the command to end; the exit code is that of shells, 128 and the signal's number."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = int(number)
