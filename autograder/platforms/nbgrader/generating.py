"""Runs nbgrader's own `generate_assignment`: to get the released notebooks, and to fill the gradebook."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.errors import UsageError

CONFIG = "nbgrader_config.py"


def released(course: Path, sources: Mapping[str, str]) -> dict[str, str]:
    """The notebooks that nbgrader releases from these assignments' source notebooks (slug → text). Leaves no files.

    Raises:
        UsageError: nbgrader failed.
    """
    with tempfile.TemporaryDirectory(prefix="autograder-release-") as name:
        root = Path(name).resolve()
        for slug, text in sources.items():
            (root / "solutions" / slug).mkdir(parents=True)
            (root / "solutions" / slug / f"{slug}.ipynb").write_text(text, encoding="utf-8", newline="\n")
        config = _config(course)
        config.CourseDirectory.root = str(root)
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
        for slug in sources:
            _generate(config, slug)
        made = {slug: root / config.CourseDirectory.release_directory / slug / f"{slug}.ipynb" for slug in sources}
        return {slug: path.read_text(encoding="utf-8") for slug, path in made.items()}


def record(course: Path, slugs: Sequence[str]) -> None:
    """Adds these assignments to the gradebook of a course that has an nbgrader_config.py.

    Raises:
        UsageError: nbgrader refuses, for example because cells were added or removed after grading began.
    """
    # For a new gradebook nbgrader calls `alembic`, which is in the same folder as our own command.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    config = _config(course)
    for slug in slugs:
        _generate(config, slug)


def _config(course: Path) -> Any:
    """The course's own settings, or ours if it has none."""
    try:
        from traitlets.config.loader import Config, PyFileConfigLoader

        from autograder.platforms.nbgrader.settings import configure
    except ImportError as error:
        raise UsageError(f"Notebooks need nbgrader ({error}): pip install 'torch-autograder[nbgrader]'.") from error
    if (course / CONFIG).exists():
        return PyFileConfigLoader(CONFIG, path=str(course)).load_config()
    config = Config()
    configure(config, course)
    return config


def _generate(config: Any, slug: str) -> None:
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    log = logging.Logger(f"autograder.platforms.nbgrader.{slug}")
    said = _Collected()
    log.addHandler(said)
    folder = CourseDirectory(config=config, log=log)
    folder.assignment_id = slug
    try:
        GenerateAssignment(coursedir=folder, config=config, log=log).start()
    except Exception as error:  # whatever it is, nbgrader has logged it
        why = (said.reason() or str(error)).removesuffix(".")
        raise UsageError(f"nbgrader cannot make the assignment {slug}: {why}.") from error


class _Collected(logging.Handler):
    """Keeps what nbgrader logs as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage())

    def reason(self) -> str:
        """The last line of the last traceback: it says what went wrong, not only that something did."""
        tracebacks = [text for text in self.errors if text.startswith("Traceback")]
        return tracebacks[-1].strip().splitlines()[-1] if tracebacks else ""
