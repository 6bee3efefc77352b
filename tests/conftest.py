"""Where tests are run in several processes (`-n`), those that share an expensive fixture stay together."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath

import pytest

# As where submissions are graded: processes with as many threads as there are processors stand in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"

# Examples and the reference's answers, for all processes of this run and for none after it.
ARCHIVE = "AUTOGRADER_CACHE"

WHOLE_FOLDERS = ("report", "threats", "timing")  # one fixture for the session
BY_PARAMETER = ("test_course.py", "threats")  # and one for each parameter


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the processes of `-n` inherit it
        os.environ[ARCHIVE] = tempfile.mkdtemp(prefix="autograder-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(Path(os.environ[ARCHIVE]), ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = PurePosixPath(item.nodeid.partition("::")[0])
        group = path.parent.name if path.parent.name in WHOLE_FOLDERS else path.name
        if group in BY_PARAMETER:
            group += re.split(r"[\[\]-]", item.name + "[")[1]
        item.add_marker(pytest.mark.xdist_group(group))
