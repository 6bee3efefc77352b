"""What docs/gradescope.md shows works: its settings are read, its commands exist, its files are there."""

from __future__ import annotations

import re
import sys

import msgspec
import pytest

from autograder.course import load_assignment
from autograder.platforms.gradescope.settings import Settings, load_settings
from command_line import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = (ROOT / "docs/gradescope.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.S)


def test_there_are_ten_steps() -> None:
    steps = TEXT.split("## Ten steps", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^(\d+)\. ", steps, re.M) == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("block", BLOCKS)
def test_settings_are_read_as_shown(place, block: str) -> None:
    path = place.root / "source/graders/sums/assignment.toml"
    path.write_text(path.read_text().replace("double", "naive_padding") + block)
    load_settings(load_assignment(place.root / "source", "sums"))


def test_every_setting_is_explained() -> None:
    shown = tomllib.loads("\n".join(BLOCKS))["gradescope"]
    assert set(shown) == set(Settings.__struct_fields__)
    for policy in ("late", "rate_limit"):
        kind = msgspec.structs.asdict(msgspec.convert(shown, Settings))[policy]
        assert set(shown[policy]) == set(kind.__struct_fields__)


def test_settings_of_the_course_hold_where_the_assignment_says_nothing(place) -> None:
    (place.root / "source/graders/gradescope.toml").write_text("best_of_previous = true\ndeadline_seconds = 100\n")
    place.set("deadline_seconds = 200\n")
    settings = load_settings(load_assignment(place.root / "source", "sums"))
    assert (settings.best_of_previous, settings.deadline_seconds) == (True, 200)


def test_files_it_names_are_there() -> None:
    for name in re.findall(r"`((?:assignments|solutions|examples|graders|tests)/pooling[\w./]*)`", TEXT):
        assert (ROOT / name).exists(), name
