"""Lets the tests here import what they share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    from tiny_course import make_course

    return make_course(tmp_path_factory.mktemp("course"))
