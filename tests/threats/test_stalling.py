"""Threat 19: stalling the judge, with answers that are cheap to send and dear to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.grading import examiner
from autograder.jobs import Job, WarmUp
from autograder.results.model import CheckResult, Status
from autograder.submissions.reading import read_submission
from toy_course import check, grader, toy_course

COURSE = {f"area{number}": 1 for number in range(12)}
CHECKS = grader(*(check(name, 1, f"m.{name}(x)", name=f"values_of_{name}") for name in COURSE))
RIGHT = "def {name}(x):\n    return x * x\n\n\n"
HEAVY = {
    "tensors": "[torch.zeros(20) for _ in range(19_000)]",
    "by name": "{{str(i): torch.zeros(20) for i in range(19_000)}}",
    "arrays": "[np.zeros(20) for _ in range(19_000)]",
    "numbers": "list(range(400_000))",
    "lists": "[[0.5] * 100 for _ in range(4_000)]",
    "keys": "{{(i, str(i)): i for i in range(4_900)}}",
    "sets": "[{{i, str(i)}} for i in range(4_000)]",
    "records": "[Pair(i, None) for i in range(6_000)]",
    "nothing": "[[] for _ in range(19_000)]",
}


@pytest.fixture(scope="module")
def course(engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = "\n\n".join(RIGHT.format(name=name) for name in COURSE)
    folder = tmp_path_factory.mktemp("course")
    limits = {"check_seconds": 100, "total_seconds": 1000}  # on a busy machine, too, it is not time that is used up
    root = toy_course(folder, exercises=COURSE, solution=source, checks=CHECKS, examples=30, limits=limits)
    engine.warm_up(WarmUp(str(root), "demo"))
    return root


@pytest.fixture
def graded(engine, course: Path, tmp_path: Path):
    """The checks of a submission all of whose functions but the first return this."""

    def run(value: str) -> list[CheckResult]:
        source = (
            "import collections\nimport numpy as np\nimport torch\n\nPair = collections.namedtuple('Pair', 'a b')\n\n\n"
        )
        first, *others = COURSE
        source += RIGHT.format(name=first)
        source += "".join(f"def {name}(x):\n    return {value.format()}\n\n\n" for name in others)
        path = tmp_path / "demo.py"
        path.write_text(source)
        return list(engine.grade(Job(str(course), "demo", read_submission(path, "demo"))).checks)

    return run


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind != "tensors")) for kind in HEAVY])
def test_what_is_far_too_much_is_not_looked_at_for_long(graded, kind):
    first, second, *_, last = graded(HEAVY[kind])
    assert first.status is Status.PASSED
    assert second.status is Status.FAILED
    assert last.status is Status.SKIPPED
    assert last.message.startswith("Not run: your code returns far more than it is asked for")


def test_wrong_answers_of_the_size_of_right_ones_cost_nothing(graded):
    checks = graded("[x, x.tolist(), str(x), [[x] * 10] * 5]")
    assert [one.status for one in checks[1:]] == [Status.FAILED] * (len(COURSE) - 1)


def test_the_limit_is_far_above_what_mistakes_amount_to():
    """A hundred numbers too many in each of a thousand answers."""
    assert examiner.MAX_SURPLUS > 1_000 * 100 * 80
