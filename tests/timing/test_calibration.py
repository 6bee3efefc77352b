"""What is concluded about a machine, and that solutions can be slowed down."""

import math
import types

import pytest
import torch

from autograder.results.model import CheckResult, Status, Timing
from autograder.timing.calibration import Calibration, Decisions, false_deductions, slowed


def check(points: float = 1, status: Status = Status.PASSED, ratio: float | None = 1.0) -> CheckResult:
    timing = None if ratio is None else Timing(ratio, ratio * 0.9, 2, 8, "CPU", 9, 0.01, 0.01)
    return CheckResult("f", "speed", "Fast.", status, 1, points, "a message", timing=timing, seconds=2)


def test_decisions_are_counted() -> None:
    decisions = Decisions()
    for one in (check(), check(ratio=1.5), check(0.5, Status.FAILED, 3.0), check(1, Status.EXCUSED, None)):
        decisions.add(one)
    assert (decisions.full, decisions.deducted, decisions.unmeasured, decisions.count) == (2, 1, 1, 4)
    assert decisions.ratios == (1.0, 1.5, 3.0)
    assert decisions.trouble == "a message"


def test_nothing_measured_is_no_number() -> None:
    assert all(map(math.isnan, Decisions().ratios))


def test_a_machine_is_fit_unless_something_speaks_against_it() -> None:
    fit = Calibration("f", times=6)
    for _ in range(20):
        fit.same.add(check())
        fit.slow.add(check(0, Status.FAILED, 6.0))
    assert not fit.problems
    fit.same.add(check(1, Status.EXCUSED, None))
    assert not fit.problems
    fit.slow.add(check())
    fit.same.add(check(0.5, Status.FAILED, 2.5))
    for _ in range(3):
        fit.same.add(check(1, Status.EXCUSED, None))
    assert [problem.split(":")[0] for problem in fit.problems] == [
        "the solution itself lost points once",
        "the solution, made 6 times slower, got all points once",
        "4 of 25 decisions were not possible",
    ]


@pytest.mark.parametrize(("decisions", "deducted", "expected"), [(0, 0, 1), (300, 0, 0.01), (100, 4, 0.11), (2, 1, 1)])
def test_how_many_wrong_deductions_there_may_be(decisions: int, deducted: int, expected: float) -> None:
    assert false_deductions(decisions, deducted) == pytest.approx(expected)


SOLUTION = """\
import torch

calls = []


def double(x):
    calls.append(1)
    return 2 * x


class Layer(torch.nn.Module):
    def forward(self, x):
        return double(x)
"""


@pytest.mark.parametrize(("name", "made"), [("double", lambda m: m.double), ("Layer", lambda m: m.Layer())])
def test_a_slowed_solution_does_its_work_more_often(name: str, made) -> None:  # type: ignore[no-untyped-def]
    module = types.ModuleType("solution")
    exec(slowed(SOLUTION, name, 5), vars(module))
    function = made(module)
    module.calls.clear()
    assert torch.equal(function(torch.ones(2)), torch.full((2,), 2.0))
    assert len(module.calls) == 5
