"""Where things are in the platform's container. The root can be another folder, so that everything runs in tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOME = Path("/autograder")


@dataclass(frozen=True)
class Tree:
    """`root` is /autograder. The platform recreates everything in it except `source` for every run."""

    root: Path = HOME

    @property
    def source(self) -> Path:
        """What the image or the zip contains: engine, graders, solutions. It is also the course's folder."""
        return self.root / "source"

    @property
    def default_assignment(self) -> Path:
        """Names the assignment that the image was built for, if it was built for one."""
        return self.source / "default_assignment"

    @property
    def recordings(self) -> Path:
        """The reference's answers, recorded when the image was built (see `grading.archive`)."""
        return self.source / "recordings"

    @property
    def submission(self) -> Path:
        return self.root / "submission"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def results_file(self) -> Path:
        return self.results / "results.json"

    @property
    def metadata(self) -> Path:
        return self.root / "submission_metadata.json"

    @property
    def entry(self) -> Path:
        return self.root / "run_autograder"

    @property
    def is_container(self) -> bool:
        """Whether this is the real container: if so, every process in it is ours."""
        return self.root == HOME
