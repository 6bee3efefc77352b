"""The fixtures of hidden graders, under the names that their authors use. The rest is pytest and Hypothesis."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from autograder.grading.questions import Questions
from autograder.grading.speed import forward_time
from autograder.grading.vectorised import vectorised

QUESTIONS = pytest.StashKey[Questions]()  # of the check that is running


class Fixtures:
    """A pytest plugin."""

    @pytest.fixture
    def same_outcome(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return _questions(request).same_outcome

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Callable[..., Any]:
        return _questions(request).student

    @pytest.fixture
    def operators(self, request: pytest.FixtureRequest) -> Callable[..., dict[str, int]]:
        return _questions(request).operators

    @pytest.fixture
    def vectorised(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return functools.partial(vectorised, _questions(request))

    @pytest.fixture
    def forward_time(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        return functools.partial(forward_time, _questions(request))


def _questions(request: pytest.FixtureRequest) -> Questions:
    return request.node.stash[QUESTIONS]  # type: ignore[no-any-return]
