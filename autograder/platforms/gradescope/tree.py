"""Where things lie in the platform's container. The root can be another folder, so that all of it runs in a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOME = Path("/autograder")


@dataclass(frozen=True)
class Tree:
    """`root` is /autograder. The platform lays out everything in it but `source` anew for every run."""

    root: Path = HOME

    @property
    def source(self) -> Path:
        """What the image or the zip brought: engine, graders, solutions. It is also the course's folder."""
        return self.root / "source"

    @property
    def default_assignment(self) -> Path:
        """Holds the assignment that the image was built for, if it was built for one."""
        return self.source / "default_assignment"

    @property
    def recordings(self) -> Path:
        """What the reference answers, found out when the image was built (see `grading.archive`)."""
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
        """Whether this is the real place: then no process here is anybody else's."""
        return self.root == HOME
