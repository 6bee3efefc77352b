"""`autograder grade` on every submission of the corpus: its score, and what its result says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.commands import grade
from corpus import CASES, HANDED_IN, SLUG, course


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root, output = course(tmp_path_factory.mktemp("course")), tmp_path_factory.mktemp("results")
    folders = tuple(HANDED_IN / name for name in CASES)
    grade.run(folders, SLUG, output, timing=False, quiet=True, course=root)
    return {name: json.loads((output / f"{name}.json").read_text(encoding="utf-8")) for name in CASES}


def test_every_folder_is_listed_and_every_listed_folder_is_there() -> None:
    folders = {path.name for path in HANDED_IN.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_it_gets_its_score_and_says_what_there_is_to_say(name: str, results: dict[str, Any]) -> None:
    expected, result = CASES[name], results[name]
    told = "\n".join([result["output"], *(test.get("output", "") for test in result["tests"])])
    assert (result["score"], result["extra_data"]["state"]) == (expected["score"], "graded"), told
    for text in expected.get("says", ()):
        assert text in told
