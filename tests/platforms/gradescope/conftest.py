from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from platforms.gradescope.fake_platform import Place, make_place


@pytest.fixture
def place() -> Iterator[Place]:
    """A fake /autograder with the assignment `sums` and the platform's metadata, but no submission yet."""
    made = make_place()
    yield made
    shutil.rmtree(made.root.parent)
