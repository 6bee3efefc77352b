"""An engine for each file of tests, and how tests in several processes (`-n`) share what is costly to make."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from autograder.engine.client import Engine

# As where submissions are graded: processes with as many threads as there are processors stand in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"

# Examples and the reference's answers, for all processes of this run and for none after it.
ARCHIVE = "AUTOGRADER_CACHE"

WHOLE_FOLDERS = ("report", "threats")  # one fixture for the session
BY_PARAMETER = ("test_course.py", "threats")  # and one for each parameter


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the processes of `-n` inherit it
        os.environ[ARCHIVE] = tempfile.mkdtemp(prefix="autograder-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(Path(os.environ[ARCHIVE]), ignore_errors=True)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path, _, name = nodeid.partition("::")
            folder, file = PurePosixPath(path).parent.name, PurePosixPath(path).name
            group = folder if folder in WHOLE_FOLDERS else file
            return group + re.split(r"[\[\]-]", name + "[")[1] if group in BY_PARAMETER else group

    return ByFixture(config, log)
