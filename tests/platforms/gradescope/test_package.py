"""`autograder package`: the zip for those who do not use an image."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from autograder.commands.package import archive
from autograder.course import load_assignment
from command_line import ROOT, autograder
from platforms.gradescope.fake_platform import RIGHT, Place


def test_scripts_lie_at_the_root_and_can_be_run(tmp_path: Path) -> None:
    done = autograder("package", "pooling", "-o", tmp_path / "pooling.zip")
    assert done.returncode == 0, done.stderr
    assert "grades pooling" in done.stdout
    with zipfile.ZipFile(tmp_path / "pooling.zip") as made:
        modes = {info.filename: info.external_attr >> 16 for info in made.infolist()}
        for name in ("run_autograder", "setup.sh"):
            assert stat.S_IMODE(modes[name]) == 0o755
            assert b"\r" not in made.read(name)
            assert made.read(name).startswith(b"#!")
    assert {"requirements.txt", "autograder/engine/client.py", "solutions/pooling/pooling.py"} <= modes.keys()
    assert {name.split("/")[1] for name in modes if name.startswith("graders/")} == {"pooling"}
    assert not [name for name in modes if name.endswith(".pyc") or "/." in name or ".." in name]


def test_the_same_course_gives_the_same_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    root = place.root / "source"
    first = archive(root, [load_assignment(root, "sums")])
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    for path in root.rglob("*"):
        os.utime(path, (0, 1_000_000_000))
        path.chmod(0o700)
    assert archive(root, [load_assignment(root, "sums")]) == first


@pytest.mark.slow
def test_the_unpacked_zip_grades_as_the_image_does(place: Place) -> None:
    """As the platform does it: unpacked into `source`, and run_autograder copied beside it."""
    root = place.root / "source"
    data = archive(root, [load_assignment(root, "sums")])
    subprocess.run(["rm", "-rf", str(root)], check=True)
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        made.extractall(root)
    (place.root / "run_autograder").write_bytes((root / "run_autograder").read_bytes())
    place.submit(RIGHT)
    assert place.run()["score"] == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "There is no assignment 'nope'"),
        (["-o", "/nowhere/a.zip"], "Cannot write /nowhere/a.zip: there is no folder /nowhere"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_sentence(arguments: list[str], words: str) -> None:
    done = autograder("package", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_of_the_course_and_its_packages_go_along(place: Place) -> None:
    root = place.root / "source"
    (root / "graders/gradescope.toml").write_text("best_of_previous = true\n")
    (root / "graders/packages.txt").write_text("matplotlib\n")
    with zipfile.ZipFile(io.BytesIO(archive(root, [load_assignment(root, "sums")]))) as made:
        assert made.read("graders/gradescope.toml") == b"best_of_previous = true\n"
        assert made.read("packages.txt") == b"matplotlib\n"


def test_everything_that_the_engine_needs_is_installed_and_nothing_for_authors() -> None:
    """requirements.txt is pyproject.toml's list less what only the command line, reports and authors use. (torch brings
    jinja2 along.)"""
    pyproject = (ROOT / "pyproject.toml").read_text()
    listed = pyproject.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    needed = {line.strip().strip('",').split(">=")[0] for line in listed.splitlines() if line.strip()}
    pinned = (ROOT / "autograder/platforms/gradescope/requirements.txt").read_text().splitlines()
    installed = {line.split("==")[0] for line in pinned if line and not line.startswith("#")}
    for_others = {"click", "jinja2", "jupytext", "nbformat", "platformdirs", "pytest-timeout", "pyyaml", "rich"}
    assert needed - installed == for_others
    assert installed <= needed


def test_pytorch_is_the_one_of_the_constraints() -> None:
    pinned = (ROOT / "autograder/platforms/gradescope/requirements.txt").read_text().splitlines()
    assert next(line for line in pinned if line.startswith("torch==")) in (ROOT / "constraints.txt").read_text()
