from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# `fake_platform.py` is shared by these tests; import mode "importlib" does not put it on the path.
sys.path.insert(0, str(Path(__file__).parent))

from fake_platform import Place, make_place


@pytest.fixture
def place() -> Iterator[Place]:
    """A fake /autograder with the assignment `sums` and the platform's metadata, but no submission yet."""
    made = make_place()
    yield made
    shutil.rmtree(made.root.parent)
