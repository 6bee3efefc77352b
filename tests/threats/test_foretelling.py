"""Nothing that a worker receives determines an input that it has not received (the timed ones are in
`tests/timing/test_cheats.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import Result, State
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from toy_course import toy_course

SOLUTION = "def double(x):\n    return 2 * x\n"

# Graders draw from torch's global generator, too: here recorded once, and in `vectorised` for every submission.
CHECKS = """\
import torch

from autograder.grading import exercise, points

pytestmark = exercise("double")
known_from_the_start = torch.rand(5)


@points(1)
def test_recorded(same_outcome):
    '''The double.'''
    same_outcome(lambda m: m.double(torch.ones(2)))
    drawn = torch.rand(5)
    same_outcome(lambda m: m.double(drawn))


@points(1)
def test_run_in_full(same_outcome, vectorised):
    '''No loop.'''
    same_outcome(lambda m: m.double(torch.zeros(2)))
    vectorised(lambda m, x: m.double(x), torch.rand(5), torch.rand(5))


@points(1)
def test_made_before(same_outcome):
    '''As before.'''
    same_outcome(lambda m: m.double(known_from_the_start))
"""

# Continues every generator that it has ever found, and fails where it had foretold what comes.
PROPHET = """\
import torch

foretold = [torch.rand(5, generator=torch.Generator())]
state = torch.random.get_rng_state()
foretold += [torch.rand(5), torch.rand(5)]
torch.random.set_rng_state(state)


def double(x):
    if any(torch.equal(x, one) for one in foretold):
        raise RuntimeError("I knew it!")
    for seed in (torch.initial_seed(), torch.initial_seed() + 1, 0):
        generator = torch.Generator().manual_seed(seed)
        foretold.extend(torch.rand(5, generator=generator) for _ in range(4))
    return 2 * x
"""

REPORTER = "def double(x):\n    raise RuntimeError(x.tolist())\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("foretelling")
    return toy_course(root, "demo", salt="secret", exercises={"double": 3}, checks=CHECKS, solution=SOLUTION)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


def graded(engine: Engine, course: Path, source: str, salt: str = "") -> Result:
    submission = Submission("demo", "demo.py", (Cell("demo.py", source),), False)
    result = engine.grade(Job(str(course), "demo", submission, salt))
    assert result.state is State.GRADED, result.log
    return result


def test_seeds_in_the_worker_do_not_tell_what_a_grader_draws(engine: Engine, course: Path) -> None:
    messages = [check.message for check in graded(engine, course, PROPHET).checks]
    assert len(messages) == 3
    assert "I knew it!" not in " ".join(messages)


def test_what_graders_draw_is_the_same_for_everyone_and_depends_on_the_salt(engine: Engine, course: Path) -> None:
    one, same, other = (
        {check.name: check.message for check in graded(engine, course, REPORTER, salt).checks} for salt in ("", "", "x")
    )
    assert one == same
    assert one["made_before"] != other["made_before"]
