"""Which device forward passes are timed on: a GPU only if a first try on it succeeds."""

from __future__ import annotations

from autograder.errors import EngineError, UsageError
from autograder.output.inert import one_line
from autograder.timing import devices


def choose(wanted: str) -> tuple[str, str]:
    """Returns "cuda" or "cpu" for "auto", "cpu" or "cuda", and why not "cuda" if it is "cpu" for "auto".

    Raises:
        UsageError: "cuda" was asked for but cannot be used.
    """
    if wanted == "cpu":
        return "cpu", ""
    why = devices.why_no_gpu() or _why_it_fails()
    if wanted == "cuda" and why:
        raise UsageError(f"--device cuda: {why}. Use --device auto to time on the CPU instead.")
    return ("cpu" if why else "cuda"), why


def _why_it_fails() -> str:
    from autograder.engine.client import Engine

    with Engine() as engine:
        try:
            engine.try_gpu()
        except EngineError as error:
            return f"the GPU cannot be used: {one_line(str(error), 300).removesuffix('.')}"
    return ""
