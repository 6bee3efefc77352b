"""Which exercises of a skeleton are not written yet, and whether a skeleton loads."""

from __future__ import annotations

import pytest

from autograder.quality.public_tests import stubs_of, why_not_loaded

SKELETON = '''
"""A module."""
KEPT = {}

def stub(x):
    """Says what."""
    # YOUR CODE HERE
    raise NotImplementedError()

def begun(x):
    y = 2 * x
    raise NotImplementedError()

class Stub:
    """Says what."""
    def __init__(self):
        super().__init__()
        raise NotImplementedError()
    def forward(self, x):
        raise NotImplementedError()

class Begun:
    def __init__(self):
        self.size = 3
    def forward(self, x):
        raise NotImplementedError()
'''


def test_a_stub_is_what_defines_nothing_else() -> None:
    assert stubs_of(SKELETON) == {"stub", "Stub"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def f(x):\n    raise NotImplementedError()\n", ""),
        ("class F:\n    raise NotImplementedError()\n", "NotImplementedError, without a message (line 2)"),
        ("import os\nos._exit(3)\n", "It ended the whole program (exit code 3)"),
    ],
)
def test_why_a_source_does_not_load(source: str, why: str) -> None:
    assert why_not_loaded("demo", source) == why
