"""A fake /autograder in a temporary folder, with a tiny course, laid out as the platform does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from command_line import ROOT
from toy_course import check, grader, toy_course

PLATFORM = json.loads((Path(__file__).parent / "platform.schema.json").read_text())
OURS = json.loads((ROOT / "tests/results/gradescope.schema.json").read_text())

CHECKS = grader(
    check("double", 4, "m.double(torch.tensor([1.0, 2.0]))", "Twice the input."),
    check("triple", 1, "m.triple(torch.tensor([1.0, 2.0]))", "Three times the input."),
    check("triple", 5, "m.triple(torch.ones(100))", "Three times many inputs.", name="triple_of_many", seconds=25),
)
RIGHT = "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    return 3 * x\n"
METADATA: dict[str, Any] = {
    "id": 123456,
    "created_at": "2026-11-20T14:22:32.365935-08:00",
    "submission_method": "upload",
    "assignment": {
        "id": 25828,
        "course_id": 1357,
        "title": "Homework 3",
        "due_date": "2026-11-20T23:59:00.000000-08:00",
        "late_due_date": None,
        "release_date": "2026-11-01T00:00:00.000000-08:00",
        "total_points": "10.0",
        "group_size": None,
        "group_submission": False,
    },
    "users": [{"email": "ada@example.org", "id": 1234, "name": "Ada"}],
    "previous_submissions": [],
}


@dataclass
class Place:
    """`root` is what /autograder is on the platform."""

    root: Path
    printed: str = ""

    def submit(self, source: str, name: str = "sums.py") -> None:
        (self.root / "submission" / name).write_text(source)

    def set(self, lines: str) -> None:
        """Adds to the assignment's file."""
        path = self.root / "source/graders/sums/assignment.toml"
        path.write_text(path.read_text() + "\n[gradescope]\n" + lines)

    def say(self, **changes: Any) -> None:
        """The platform's metadata, with changes; those to `assignment` go on top of what it has."""
        fields = METADATA | changes
        fields["assignment"] = METADATA["assignment"] | changes.get("assignment", {})
        (self.root / "submission_metadata.json").write_text(json.dumps(fields))

    def run(self, *options: str, code: int = 0, seconds: float = 120) -> dict[str, Any]:
        done = self.start(*options, seconds=seconds)
        assert done.returncode == code, done.stdout + done.stderr
        self.printed = done.stdout
        return self.result()

    def start(self, *options: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"AUTOGRADER_PYTHON": sys.executable}
        command = [str(self.root / "run_autograder"), *options]
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=seconds
        )

    def result(self) -> dict[str, Any]:
        """The result file, which must be valid."""
        document = json.loads((self.root / "results/results.json").read_text(), parse_constant=_refuse)
        jsonschema.validate(document, PLATFORM)
        jsonschema.validate(document, OURS)
        assert isinstance(document, dict)
        return document


def make_place() -> Place:
    """A new one, to be removed with the folder it is in."""
    folder = Path(tempfile.mkdtemp(prefix="gradescope-", dir="/tmp"))  # pytest's own folder is closed to other users
    folder.chmod(0o755)
    root = folder / "autograder"
    for name in ("submission", "results"):
        (root / name).mkdir(parents=True)
    shutil.copytree(ROOT / "autograder", root / "source/autograder", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "autograder/platforms/gradescope/run_autograder", root / "run_autograder")
    toy_course(
        root / "source",
        "sums",
        title="Sums of numbers",
        examples=5,
        exercises={"double": 4, "triple": 6},
        limits={"check_seconds": 2, "import_seconds": 5, "total_seconds": 30, "memory_mb": 512},
        checks=CHECKS,
        solution=RIGHT,
    )
    place = Place(root)
    place.say()
    return place


def _refuse(constant: str) -> None:
    raise AssertionError(f"the result holds {constant}")
