"""The same hidden checks without any isolation: the submission is imported into the grader's own process.

This is what a course without this kit would do, and what `single.py` compares with. Use it as a pytest plugin
(`-p in_process`) or as a script, which runs the checks as a gradescope-utils test suite. Environment variables:
SUBMISSION (a .py file), ASSIGNMENT.
"""

from __future__ import annotations

import importlib.util
import inspect
import io
import os
import sys
import unittest
from pathlib import Path

import pytest
import torch

from autograder.course import find_course, load_assignment
from autograder.grading.collecting import use_profile
from autograder.grading.comparison import compare
from autograder.grading.operators import forbidden_use
from autograder.grading.questions import held_to
from autograder.grading.reference import load_reference, module_from_source
from autograder.sandbox.observation import Functions, Lines, Operators
from autograder.sandbox.torch_state import seed_torch
from autograder.sandbox.values import Raised, Returned, Work

torch.set_num_threads(1)
assignment = load_assignment(find_course(Path(__file__).parent), os.environ["ASSIGNMENT"])
use_profile(assignment)
reference = load_reference(assignment)
student_file = Path(os.environ["SUBMISSION"])
submission = module_from_source(assignment.module, student_file.read_text(), str(student_file))


class InProcess:
    """The three fixtures, which call the submission directly."""

    def __init__(self, forbidden=()):
        self.forbidden = forbidden

    def same_outcome(self, probe, *, raises=None, tolerance=None):
        seed_torch(0)
        if self.forbidden:
            with Operators() as operators, Functions() as functions:
                got = outcome(probe, submission)
            used = forbidden_use(tuple(self.forbidden), Work(operators.counts, functions=functions.calls))
            assert not used, used
        else:
            got = outcome(probe, submission)
        seed_torch(0)
        difference = compare(held_to(raises, outcome(probe, reference)), got, tolerance)
        assert difference is None, difference.message

    def student(self, probe, *, seed=0):
        seed_torch(seed)
        return probe(submission)

    def vectorised(self, probe, first, *others, hint=""):
        def work(value):
            with Operators() as operators, Lines({str(student_file)}) as lines:
                probe(submission, value)
            return sum(operators.counts.values()), sum(line.count for line in lines.counts)

        base = work(first)
        assert all(abs(a - b) <= 4 for other in others for a, b in zip(base, work(other), strict=True)), hint


def outcome(probe, module):
    try:
        return Returned(probe(module))
    except Exception as error:
        return Raised(type(error).__name__, tuple(kind.__name__ for kind in type(error).__mro__), str(error))


def pytest_configure(config):
    for name in ("exercise", "points", "forbids", "visibility", "time_limit"):
        config.addinivalue_line("markers", name)


def in_process(request):
    return InProcess([pattern for mark in request.node.iter_markers("forbids") for pattern in mark.args])


@pytest.fixture
def same_outcome(request):
    return in_process(request).same_outcome


@pytest.fixture
def student(request):
    return in_process(request).student


@pytest.fixture
def vectorised(request):
    return in_process(request).vectorised


# --- the same as a gradescope-utils suite ----------------------------------------------------------------------------


def test_case() -> type[unittest.TestCase]:
    from gradescope_utils.autograder_utils.decorators import weight

    sys.path.insert(0, str(assignment.graders))
    methods = {}
    for path in sorted(assignment.graders.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        file_marks = module.pytestmark if isinstance(module.pytestmark, list) else [module.pytestmark]
        forbidden = [pattern for mark in file_marks if mark.name == "forbids" for pattern in mark.args]
        names = [value.values[0] for mark in file_marks if mark.name == "parametrize" for value in mark.args[1]]
        for name, check in vars(module).items():
            if name.startswith("test_"):
                for parameter in names or [None]:
                    points = next(mark.args[0] for mark in check.pytestmark if mark.name == "points")
                    title = f"{path.stem.replace('test_', 'test_', 1)}_{name}_{parameter or ''}"
                    methods[title] = weight(points)(method(check, forbidden, parameter))
    return type("Checks", (unittest.TestCase,), methods)


def method(check, forbidden, parameter):
    fixtures = InProcess(forbidden)
    wanted = inspect.signature(check).parameters
    given = {name: getattr(fixtures, name) for name in ("same_outcome", "student", "vectorised") if name in wanted}
    if parameter is not None:
        given["name"] = parameter

    def run(_self):
        check(**given)

    run.__doc__ = check.__doc__
    return run


if __name__ == "__main__":
    from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

    stream = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(test_case())
    result = JSONTestRunner(visibility="visible", stream=stream).run(suite)
    sys.exit(0 if result.wasSuccessful() else 1)
