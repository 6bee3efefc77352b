"""Grading of PyTorch coursework: a trusted judge asks, an untrusted worker answers, only plain values cross."""

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext autograder` in a notebook: from then on `%check EXERCISE` runs the public tests of an exercise."""
    from autograder.selfcheck.in_notebook import check

    shell.register_magic_function(lambda line: check(line, shell), "line", "check")
