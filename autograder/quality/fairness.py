"""How close right answers come to being refused, and known mistakes to being accepted.

Right answers are the solution, its `rewrites`, and an author's own corpus, each under every arithmetic that this
machine has. A tolerance is sound if it lies well between the rounding errors of all of them and the errors of mistakes.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.course import Assignment
from autograder.errors import EngineError, UsageError
from autograder.jobs import CACHE
from autograder.output.inert import one_line
from autograder.quality.margins import Found, Margins, Order
from autograder.quality.subjects import Problem

FACTOR = 4  # to either side of the tolerance

# What PyTorch and oneDNN can be told to do without, from the least to the most.
_CAPABILITIES = {"DEFAULT": "default", "AVX2": "avx2", "AVX512": "avx512"}
_ONEDNN = {"DEFAULT": "SSE41", "AVX2": "AVX2", "AVX512": "AVX512_CORE"}


@dataclass(frozen=True)
class Arithmetic:
    """A way in which PyTorch computes: settings of the environment, of PyTorch itself, or another Python."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    flush: bool = False
    python: Path = Path(sys.executable)


OWN = Arithmetic("as this machine computes")


def others(capability: str, pythons: tuple[Path, ...]) -> list[Arithmetic]:
    """All other arithmetics of a machine with this capability, as `torch.backends.cpu.get_cpu_capability` says."""
    names = list(_CAPABILITIES)
    fewer = names[: names.index(capability)] if capability in names else []
    return [
        *(Arithmetic(f"PyTorch's {_CAPABILITIES[one]}", {"ATEN_CPU_CAPABILITY": _CAPABILITIES[one]}) for one in fewer),
        *(Arithmetic(f"oneDNN's {_ONEDNN[one]}", {"ONEDNN_MAX_CPU_ISA": _ONEDNN[one]}) for one in fewer),
        Arithmetic("two threads", threads=2),
        Arithmetic("tiny numbers flushed to zero", flush=True),
        *(Arithmetic(str(python), python=python) for python in pythons),
    ]


def measured(
    assignment: Assignment, right: Mapping[str, str], arithmetic: Arithmetic, *, salt: str = "", mistakes: bool = False
) -> Found:
    """The margins under one arithmetic.

    Raises:
        UsageError: another Python cannot run the graders.
        EngineError: the graders do not run.
    """
    order = Order(
        str(assignment.root), assignment.slug, salt, dict(right), mistakes, arithmetic.threads, arithmetic.flush
    )
    package = str(Path(__file__).parents[2])
    # What another arithmetic answered must not be kept.
    environment = os.environ | arithmetic.environment | {"PYTHONPATH": package, CACHE: "", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        asked, found = Path(folder, "order"), Path(folder, "found")
        asked.write_bytes(msgspec.msgpack.encode(order))
        command = [str(arithmetic.python), "-m", "autograder.quality.margins", str(asked), str(found)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        except OSError as error:
            raise UsageError(f"{arithmetic.python} cannot be started: {error.strerror}.") from error
        if done.returncode == 0:
            return msgspec.msgpack.decode(found.read_bytes(), type=Found)
    why = one_line((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1], 300)
    if arithmetic.python != OWN.python:
        raise UsageError(f"{arithmetic.python} cannot run the graders of {assignment.slug}: {why}")
    raise EngineError(f"the graders of {assignment.slug} do not run ({arithmetic.name}): {why}")


@dataclass
class Closest:
    """Of one check: the largest share of the tolerance that a right answer takes, and the smallest by which a mistake
    exceeds it that no other check catches more clearly; and whose these are."""

    right: float = 0.0
    right_by: str = ""
    wrong: float = math.inf
    wrong_by: str = ""
    compared: bool = False  # up to a tolerance


@dataclass
class Fairness:
    """What was found about one assignment. `runs` counts right submissions, graded once under each arithmetic, and
    `refused` those that lost points in an exercise, by exercise."""

    assignment: Assignment
    closest: dict[tuple[str, str], Closest] = field(default_factory=dict)
    refused: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    runs: int = 0
    _problems: dict[Problem, None] = field(default_factory=dict)

    def add_right(self, arithmetic: str, right: Mapping[str, Margins]) -> None:
        for name, margins in right.items():
            self.runs += 1
            if not margins:
                self._note("", f"{name} does not run ({arithmetic})")
            for check, margin in margins.items():
                exercise, test = check.split("/", 1)
                closest = self.closest.setdefault((exercise, test), Closest())
                closest.compared |= margin.share is not None
                if not margin.passed:
                    self.refused.setdefault(exercise, set()).add((name, arithmetic))
                    told = one_line(margin.message, 300)
                    self._note(exercise, f"check {test} of {exercise} refuses {name} ({arithmetic}): {told}")
                elif margin.share is not None and margin.share > closest.right:
                    closest.right, closest.right_by = margin.share, f"{name}, {arithmetic}"

    def add_mistakes(self, mistakes: Mapping[str, Margins]) -> None:
        for name, margins in mistakes.items():
            caught = {check: margin.share or 0.0 for check, margin in margins.items() if not margin.passed}
            if not caught:  # as `autograder verify` says
                continue
            check = max(caught, key=lambda each: caught[each])
            exercise, test = check.split("/", 1)
            closest = self.closest.setdefault((exercise, test), Closest())
            if caught[check] < closest.wrong:
                closest.wrong, closest.wrong_by = caught[check], name

    def of(self, exercise: str) -> dict[str, Closest]:
        """The checks of an exercise that allow for rounding, by name."""
        return {name: one for (owner, name), one in self.closest.items() if owner == exercise and one.compared}

    def checks(self, exercise: str) -> int:
        return sum(owner == exercise for owner, _ in self.closest)

    @property
    def all_refused(self) -> int:
        return len(set().union(*self.refused.values())) if self.refused else 0

    @property
    def problems(self) -> list[Problem]:
        return [*self._problems, *self._thin()]

    def _thin(self) -> Iterator[Problem]:
        """Tolerances that are too close to what is right or to what is wrong."""
        for (exercise, test), one in self.closest.items():
            where = f"check {test} of {exercise}"
            if one.right > 1 / FACTOR:
                text = f"{where} is narrow: a right answer takes {one.right:.0%} of its tolerance ({one.right_by})"
                yield Problem(exercise, text)
            if one.wrong < FACTOR:
                text = f"{where} is wide: misconception {one.wrong_by} exceeds its tolerance only {one.wrong:.1f} times"
                yield Problem(exercise, text)

    def _note(self, exercise: str, text: str) -> None:
        self._problems[Problem(exercise, text)] = None


def rate(refused: int, runs: int) -> str:
    """How many right submissions were refused, and the rate below which the truth is with a confidence of 95 %: for
    none of n that is 3/n (Hanley & Lippman-Hand 1983), else the Clopper–Pearson bound, found by bisection."""
    if not runs:
        return "–"
    if not refused:
        return f"0/{runs} (< {min(3 / runs, 1):.1%})"
    low, high = refused / runs, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        at_most = sum(math.comb(runs, k) * middle**k * (1 - middle) ** (runs - k) for k in range(refused + 1))
        low, high = (middle, high) if at_most > 0.05 else (low, middle)
    return f"{refused}/{runs} (< {high:.1%})"
