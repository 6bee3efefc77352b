"""The two kinds of failure that must never become a grade."""


class UsageError(Exception):
    """The person at the keyboard gave us something unusable; the text says in one sentence what to do (exit code 2)."""


class EngineError(Exception):
    """The kit itself failed (a grader crashed, a worker could not start): no grade, exit code 1."""


class EngineGone(EngineError):
    """A process that the rest of the engine needs has ended (it was killed, say). A fresh engine may well succeed."""
