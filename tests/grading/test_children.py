"""Work is divided among processes, or kept apart in one; whatever happens to them, nothing is missing."""

from __future__ import annotations

import os
import signal

import pytest

from autograder.errors import EngineError
from autograder.grading import archive, children
from autograder.grading.recording import Recording

A_SHARE = 4
CHECKS = list(range(3 * A_SHARE))


@pytest.fixture(autouse=True)
def three_processors(monkeypatch):
    monkeypatch.setattr(children, "occupied", lambda: (0, 1, 2))


def divided(work, checks=CHECKS):
    return children.in_parallel(work, checks, A_SHARE, archive.encode, archive.decode)


def shares(trouble=None):
    """What all the shares recorded, and the shares that this process did."""
    here, mine = os.getpid(), []

    def work(checks):
        if os.getpid() == here:
            mine.append(checks)
        elif trouble:
            trouble()
        return {str(check): Recording() for check in checks}

    return divided(work), mine


def refuse():
    raise EngineError("no")


def test_each_process_does_a_share():
    found, mine = shares()
    assert found == {str(check): Recording() for check in CHECKS}
    assert mine == [CHECKS[::3]]


@pytest.mark.parametrize(
    "trouble",
    [lambda: os._exit(0), lambda: os.kill(os.getpid(), signal.SIGKILL), refuse],
    ids=["exit", "kill", "error"],
)
def test_what_others_did_not_do_is_done_here(trouble):
    found, mine = shares(trouble)
    assert sorted(found, key=int) == [str(check) for check in CHECKS]
    assert len(mine) == 3


def test_an_error_of_the_graders_is_said():
    with pytest.raises(EngineError):
        divided(lambda _: refuse())


def test_a_few_checks_are_not_shared_out():
    found = divided(lambda checks: {str(os.getpid()): Recording()} if checks else {}, CHECKS[: 2 * A_SHARE - 1])
    assert list(found) == [str(os.getpid())]


def test_isolated_work_leaves_no_trace():
    changed = []

    def work():
        changed.append(1)
        return b"done"

    assert children.isolated(work) == b"done"
    assert changed == []


@pytest.mark.parametrize(
    ("trouble", "why"),
    [(lambda: os._exit(0), "the process ended"), (refuse, "EngineError: no"), (lambda: exit(3), "SystemExit: 3")],
    ids=["killed", "error", "exit"],
)
def test_isolated_work_that_fails_says_why(trouble, why):
    with pytest.raises(EngineError, match=f"^{why}$"):
        children.isolated(trouble)
