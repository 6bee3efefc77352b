"""What a student's definitions build on, judged by their text."""

from __future__ import annotations

import pytest

from autograder.sandbox.name_dependencies import references

FUNCTIONS = """
def double(x):
    return x + x

def fourfold(x):
    return double(double(x))

def root(x):
    return fourfold(x) ** 0.5
"""


def test_names_are_found_directly_and_through_others():
    assert references([FUNCTIONS]) == {"double": [], "fourfold": ["double"], "root": ["double", "fourfold"]}


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return [double(y) for y in x]",
        "def f(x, how=double):\n    return how(x)",
        "class f(double):\n    pass",
        "class f:\n    how = double",
        "class f:\n    def forward(self, x):\n        return double(x)",
        "def f(x):\n    def inner():\n        return double(x)\n    return inner()",
        "@double\ndef f(x):\n    return x",
        "f = double",
        "f, g = map(double, (1, 2))",
        "f: int = double(2)",
        "async def f(x):\n    return double(x)",
        "f = lambda x: double(x)",
    ],
)
def test_every_use_counts(source):
    assert "double" in references([source])["f"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(double):\n    return double",
        "def f(x):\n    double = 2 * x\n    return double",
        "def f(x):\n    return [double for double in x]",
        "def f(x):\n    return x.double()",
        "class f:\n    double = 2\n    four = 2 * double",
        "def f(x):\n    double = 2\n    return (lambda: double * x)()",
    ],
)
def test_a_local_name_is_not_the_global_one(source):
    assert "double" not in references([source])["f"]


def test_what_is_not_python_is_left_out():
    assert references(["def f(:", "g = double", "h = '\0'"]) == {"g": ["double"]}
