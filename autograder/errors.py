"""The two kinds of failure that are nobody's grade."""


class UsageError(Exception):
    """The person at the keyboard gave us something unusable; the text says in one sentence what to do (exit code 2)."""


class EngineError(Exception):
    """The kit itself failed (a grader crashed, a worker could not start): no grade, exit code 1."""
