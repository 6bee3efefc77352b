"""A packaged course on PrairieLearn and Autolab: unpacked and started as the platform does it, in a fake tree."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from autograder.commands.package import archive
from autograder.course import load_assignment
from command_line import ROOT
from results.platform_class import SOURCES, make_course

SCHEMAS = json.loads((ROOT / "tests/results/platforms.schema.json").read_text())
EXAMPLES = ROOT / "examples/platforms"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users can enter, as pytest's own cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="platform-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def packaged(place: Path, platform: str) -> io.BytesIO:
    course = make_course(place / "course")
    data = archive(course, [load_assignment(course, "sums")], platform)
    shutil.rmtree(course)
    return io.BytesIO(data)


def start(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """With both outputs in one stream, as the platforms collect them, and not below the make that runs these tests."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = outside | {"AUTOGRADER_PYTHON": sys.executable}
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def valid(form: str, document: object) -> object:
    jsonschema.validate(document, {"$ref": f"#/$defs/{form}", "$defs": SCHEMAS["$defs"]})
    return document


@pytest.mark.slow
def test_prairielearn_finds_a_result_and_a_hanging_submission_loses_what_hangs(place: Path) -> None:
    root = place / "grade"
    kit = root / "serverFilesCourse/autograder"
    with zipfile.ZipFile(packaged(place, "prairielearn")) as made:
        made.extractall(kit)
    (kit / "grade").chmod(0o755)  # the platform does so
    for name in ("student", "data"):
        (root / name).mkdir()
    (root / "student/sums.py").write_text(str(SOURCES["hanging"]))
    (root / "data/data.json").write_text("{}")
    command = json.loads((EXAMPLES / "prairielearn/info.json").read_text())["externalGradingOptions"]["entrypoint"]
    _, *arguments = command.replace("--assignment pooling", "--assignment sums").split()
    done = start([str(kit / "grade"), *arguments, "--root", str(root)], place)
    document = json.loads((root / "results/results.json").read_text())
    valid("prairielearn", document)
    assert (done.returncode, document["score"]) == (0, 0.55), done.stdout
    assert [test["points"] for test in document["tests"]] == [4, 1.5, 0]
    assert "assignment sums: by the name of the file" in done.stdout
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.iterdir()}
    assert modes == {"results": 0o755, "student": 0o700, "data": 0o700, "serverFilesCourse": 0o700}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="Autolab starts make")
def test_autolab_reads_our_line_last_whatever_is_printed(place: Path) -> None:
    (place / "autograde.tar").write_bytes(packaged(place, "autolab").getvalue())
    makefile = (EXAMPLES / "autolab/autograde-Makefile").read_text()
    (place / "Makefile").write_text(makefile.replace("pooling.py", "sums.py"))
    (place / "sums.py").write_text(str(SOURCES["hostile"]))
    done = start(["make"], place)
    *feedback, last = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    document = json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', last))  # as Autolab reads it
    valid("autolab", document)
    assert document == {"scores": {"double": 4, "triple": 0}, "scoreboard": [4, 0, 4]}
    assert feedback[0] == "Sums of numbers: 4 of 10 points"
    assert not [line for line in feedback if line.lstrip().startswith("{")]

    (place / "kit/graders/sums/assignment.toml").unlink()
    (place / "Makefile").write_text(makefile.replace("\t@tar", "\t#"))
    done = start(["make"], place)
    assert done.returncode != 0
    assert '"scores"' not in done.stdout
    assert "not your fault" in done.stdout


def test_the_same_course_gives_the_same_archive_and_the_script_can_be_run(place: Path) -> None:
    data = packaged(place, "autolab")
    assert data.getvalue() == packaged(place, "autolab").getvalue()
    with tarfile.open(fileobj=data) as made:
        members = {member.name: member.mode for member in made.getmembers()}
    assert members["kit/grade"] == 0o755
    assert {"kit/autograder/platforms/entry.py", "kit/graders/sums/assignment.toml"} <= members.keys()
    assert {name.split("/")[0] for name in members} == {"kit"}


def test_the_workflow_for_github_gives_nothing_away() -> None:
    workflow = yaml.safe_load((EXAMPLES / "github/grade.yml").read_text())
    assert list(workflow[True]) == ["workflow_dispatch"]  # YAML takes the word "on" for true
    assert workflow["permissions"] == {"contents": "read"}
    [job] = workflow["jobs"].values()
    assert "permissions" not in job
    steps = {step["name"]: step for step in job["steps"]}
    assert [step["name"] for step in steps.values() if "uses" in step] == [
        "Fetch the course",
        "Ask for a token that can read submissions and write check runs",
        "Set up Python",
        "Keep the result",
    ]
    for step in steps.values():
        assert "uses" not in step or re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", step["uses"])
        assert "${{" not in step.get("run", ""), "an input could end the command"
    with_secrets = [name for name, step in steps.items() if re.search(r"secrets\.|outputs\.token", str(step))]
    assert with_secrets == [
        "Ask for a token that can read submissions and write check runs",
        "Fetch the submission",
        "Report to the student's commit",
    ]
    assert not re.search(r"secrets\.|token", str([job["env"], workflow.get("env")]))
    assert steps["Fetch the course"]["with"]["persist-credentials"] is False
    [line] = [line for line in steps["Grade"]["run"].splitlines() if line.startswith("autograder grade")]
    assert "--format github-check" in line
