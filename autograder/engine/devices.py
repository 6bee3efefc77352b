"""Which device forward passes are timed on: a GPU only if a first try on it succeeds, and as long as it works."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec

from autograder.errors import EngineError, UsageError
from autograder.jobs import GpuTried, Job
from autograder.output.inert import one_line
from autograder.results.model import Result, Status
from autograder.timing import devices

if TYPE_CHECKING:
    from autograder.engine.client import Engine


class Device:
    """`name` is "cuda", "cpu", or "" if nothing is timed; `remark` tells the instructor why it is not the GPU that was
    looked for, if so, and `tried` is what the first try of a GPU showed. With `may_fall_back`, the CPU takes the place
    of a GPU that stops working."""

    def __init__(
        self, name: str, remark: str = "", tried: GpuTried | None = None, *, may_fall_back: bool = False
    ) -> None:
        self.name = name
        self.remark = remark
        self.tried = tried
        self._may_fall_back = may_fall_back
        self._lock = threading.Lock()

    def grade(self, engine: Engine, job: Job) -> Result:
        """What the engine says about this job, on this device. Can be called from several threads.

        Raises: as `Engine.grade`.
        """
        used = self.name
        result = engine.grade(msgspec.structs.replace(job, device=used))
        failed = result.log and any(check.status is Status.EXCUSED for check in result.checks)
        if used != "cuda" or not self._may_fall_back or not failed or self._works_still(engine):
            return result
        return engine.grade(msgspec.structs.replace(job, device=self.name))

    def _works_still(self, engine: Engine) -> bool:
        with self._lock:
            if self.name == "cuda":
                try:
                    engine.try_gpu()
                except EngineError as error:
                    why = _reason(error)
                    self.remark = f"The GPU stopped working, so the rest was timed on the CPU: {why}."
                    self.name = "cpu"
            return self.name == "cuda"


def choose(wanted: str) -> Device:
    """The device for "auto", "cpu", "cuda", or "" (nothing is timed).

    Raises:
        UsageError: "cuda" was asked for but cannot be used.
    """
    if wanted in ("", "cpu"):
        return Device(wanted)
    tried, why = None, devices.why_no_gpu()
    if not why:
        from autograder.engine.client import Engine

        with Engine() as engine:
            try:
                tried = engine.try_gpu()
            except EngineError as error:
                why = f"the GPU cannot be used: {_reason(error)}"
    if wanted == "cuda" and why:
        raise UsageError(f"--device cuda: {why}. Use --device auto to time on the CPU instead.")
    return (
        Device("cpu", f"Timed on the CPU: {why}.") if why else Device("cuda", "", tried, may_fall_back=wanted == "auto")
    )


def _reason(error: EngineError) -> str:
    return one_line(str(error), 300).removesuffix(".")
