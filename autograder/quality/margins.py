"""How much of the tolerance right answers take, and by how much known mistakes exceed it: measured in a process of its
own, since how PyTorch computes (`ATEN_CPU_CAPABILITY` and the like) is decided when it is loaded.

`python -m autograder.quality.margins ORDER FOUND` reads an `Order` from one file and writes what was `Found` to the
other.
"""

from __future__ import annotations

import contextlib
import functools
import math
import sys
import types
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch

from autograder.errors import EngineError
from autograder.grading import tolerance
from autograder.grading.children import in_parallel, isolated
from autograder.grading.collecting import collect
from autograder.grading.marks import mark
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared, prepare
from autograder.grading.recorder import record
from autograder.grading.reference import module_from_source
from autograder.grading.trusted import Variant
from autograder.jobs import Job, WarmUp
from autograder.quality.rewrites import REWRITES, Rewritten
from autograder.results.model import CheckResult, Status
from autograder.sandbox.client import Question
from autograder.sandbox.values import Answer
from autograder.submissions.reading import Submission

SOLUTION = "the solution"


class Order(msgspec.Struct, frozen=True):
    """What is asked for: `right` is the source of right submissions by name, beside the solution and its rewrites;
    `mistakes` asks for the known wrong variants as well."""

    course: str
    slug: str
    salt: str
    right: dict[str, str]
    mistakes: bool
    threads: int = 1
    flush: bool = False


class Margin(msgspec.Struct, frozen=True):
    """How one check ended. `share` is that of the tolerance which the largest error takes: 1 is the limit, an infinity
    is a difference that no tolerance allows, and None means that nothing was compared up to a tolerance."""

    passed: bool
    share: float | None
    message: str = ""


Margins = dict[str, Margin]  # by "exercise/check"


class Found(msgspec.Struct, frozen=True):
    """The margins of right submissions and of misconceptions, by their names."""

    torch: str
    capability: str
    right: dict[str, Margins]
    mistakes: dict[str, Margins]


def measure(order: Order) -> Found:
    """Runs the checks on trusted code, in forks of this process.

    Raises:
        UsageError, EngineError: the course has a mistake, or something right does not run.
    """
    warm_up = WarmUp(order.course, order.slug, order.salt)
    prepared, found = prepare(warm_up), list[Found]()
    torch.set_num_threads(1)  # more would be lost in forks
    torch.set_flush_denormal(order.flush)

    def run(checks: list[pytest.Item]) -> None:
        prepared.archive.learn(record(warm_up, prepared, checks))
        margins = functools.partial(_margins, order, prepared, checks)
        right = _right(order, prepared)
        wrong = {one.name: one for one in prepared.variants.known} if order.mistakes else {}
        found.append(
            Found(
                str(torch.__version__),
                torch.backends.cpu.get_cpu_capability(),
                _each(list(right), lambda name: margins(right[name]())),
                _each(list(wrong), lambda name: margins(prepared.variants.stand_in(wrong[name]), wrong[name].exercise)),
            )
        )

    collect(prepared.assignment, run)
    return found[0]


def _right(order: Order, prepared: Prepared) -> dict[str, Callable[[], Variant]]:
    """Makes the right stand-ins, by name."""
    solution = functools.partial(_StandIn, prepared.reference, order)
    found: dict[str, Callable[[], Variant]] = {SOLUTION: solution}
    for name in REWRITES:
        found[f"{SOLUTION}, {name}"] = functools.partial(solution, name)
    for name, source in order.right.items():
        found[name] = functools.partial(_loaded, prepared.assignment.module, source, name, order)
    return found


def _loaded(module: str, source: str, name: str, order: Order) -> Variant:
    return _StandIn(module_from_source(module, source, name), order)


def _each(names: list[str], margins: Callable[[str], Margins]) -> dict[str, Margins]:
    """The margins by name, each found in a process of its own: some variants leave traces in PyTorch. What cannot be
    built, or ends its process, has none."""

    def some(share: list[str]) -> dict[str, Margins]:
        found = {}
        for name in share:
            try:
                found[name] = _DECODER.decode(isolated(lambda: msgspec.msgpack.encode(margins(name))))  # noqa: B023
            except EngineError:
                found[name] = {}
        return found

    encode, decode = msgspec.msgpack.encode, msgspec.msgpack.Decoder(dict[str, Margins]).decode
    return in_parallel(some, names, 1, encode, decode)


def _margins(
    order: Order, prepared: Prepared, checks: list[pytest.Item], stand_in: Variant, exercise: str = ""
) -> Margins:
    """In the checks of one exercise, or of all."""
    job = Job(order.course, order.slug, Submission("trusted code", "", (), False), order.salt, explain=False)
    plugin = _Measuring(job, prepared, stand_in)
    plugin.run([check for check in checks if mark(check, "exercise") == (exercise or mark(check, "exercise"))])
    return plugin.margins


class _StandIn(Variant):
    """Answers with right code, perhaps rewritten, under the order's settings."""

    def __init__(self, module: types.ModuleType, order: Order, rewrite: str = "") -> None:
        super().__init__(module)
        self._order, self._rewrite = order, rewrite

    def begin(self, exercise: str, seconds: float | None = None) -> None:
        super().begin(exercise, seconds)
        torch.set_num_threads(self._order.threads)
        torch.set_flush_denormal(self._order.flush)

    def _answer(self, question: Question) -> Answer:
        with Rewritten(self._rewrite) if self._rewrite else contextlib.nullcontext():
            return super()._answer(question)


class _Measuring(GradingPlugin):
    """Notes the margin of each check that comes to a judgement."""

    def __init__(self, job: Job, prepared: Prepared, stand_in: Variant) -> None:
        super().__init__(job, prepared, stand_in, self._note)
        self.margins: Margins = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        with tolerance.watched() as self._errors:
            return super().pytest_runtest_protocol(item, nextitem)

    def _note(self, check: CheckResult) -> None:
        if check.status is Status.EXCUSED:  # timed checks
            return
        share = max((error.share for error in self._errors), default=None)
        passed = check.status is Status.PASSED
        if not passed and (share is None or share <= 1):
            share = math.inf
        self.margins[f"{check.exercise}/{check.name}"] = Margin(passed, share, "" if passed else check.message)


_DECODER = msgspec.msgpack.Decoder(Margins)


if __name__ == "__main__":
    order = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    Path(sys.argv[2]).write_bytes(msgspec.msgpack.encode(measure(order)))
