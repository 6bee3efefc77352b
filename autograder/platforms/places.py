"""Where things are in the container of a platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """`root` holds all the others. `course` is the course's folder, with graders and solutions; `submission` is what
    was handed in; `results` is the folder from which the platform collects, if it does. `secret` is closed to every
    user but root. With `is_container`, every process there is ours."""

    root: Path
    course: Path
    submission: Path
    results: Path | None
    secret: tuple[Path, ...]
    is_container: bool

    @property
    def recordings(self) -> Path:
        """The reference's answers, recorded in advance (see `grading.archive`)."""
        return self.course / "recordings"
