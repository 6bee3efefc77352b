"""Threat 13: files in the submission's folder that Python, pytest or torch would pick up by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

attack = pytest.mark.attack

EVIL = "import os\nopen(os.path.join(os.path.dirname(__file__), 'I_RAN'), 'w').close()\nraise SystemExit('evil ran')\n"
NAMES = [
    "conftest.py", "sitecustomize.py", "usercustomize.py", "torch.py", "pytest.py", "hypothesis.py", "msgspec.py",
    "click.py", "rich/__init__.py", "json.py", "autograder/__init__.py", "autograder/cli.py", "test_attack.py",
    "test_evil.py", "misconceptions.py", "inputs.py", "graders/attack/test_attack.py", "solutions/attack/other.py",
    "__pycache__/evil.cpython-311.pyc", "setup.py",
]  # fmt: skip
FILES = dict.fromkeys(NAMES, EVIL) | {
    "pytest.ini": "[pytest]\naddopts = -p evil --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "evil.pth": "import os; os._exit(0)\n",
    "pyvenv.cfg": "home = /nowhere\n",
    "graders/attack/assignment.toml": "title = 'Mine'\n[exercises]\nattacked = 1000\n",
    "results.json": '{"score": 1000}',
    "sitecustomize.cpython-311.pyc": b"\x00\x01",
}
SOURCE = """
def attacked(x):
    import importlib
    for name in ("conftest", "evil", "inputs", "misconceptions", "graders", "test_evil", "other"):
        try:
            importlib.import_module(name)
        except ImportError:
            tried.append(name)
        else:
            got.append(name)
    verdict()
"""


@attack(SOURCE, files=FILES)
def test_only_the_named_module_is_taken(result, graded):
    result.was_refused()
    assert not list(graded.course.submissions.rglob("I_RAN"))


@attack("def attacked(x):\n    return 3 * x\n", files=FILES)
def test_honest_work_beside_such_files_is_graded_as_ever(result):
    assert result.points == {"attacked": 6, "refusing": 2, "honest": 4}


def test_standing_in_the_submissions_folder_changes_nothing(own_course, grade):
    """As in the installed command: its own folder is on the search path, the working directory is not."""
    folder = own_course.attack("brought", "def attacked(x):\n    return 3 * x\n", FILES)
    repo = Path(__file__).resolve().parents[2]
    start = f"import sys; sys.path.insert(0, {str(repo)!r}); from autograder.cli import main; main()"
    done = grade(own_course, folder, cwd=folder, python=("-I", "-c", start))
    assert done.code == 0, done.stderr
    assert done.results["brought"].data["score"] == 12
    assert not list(own_course.submissions.rglob("I_RAN"))
