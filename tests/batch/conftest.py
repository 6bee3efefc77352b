from __future__ import annotations

import pytest

from batch.tiny_course import make_course


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("course"))
