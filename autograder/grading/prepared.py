"""What a judge knows of an assignment before there is a submission. All of it is trusted."""

from __future__ import annotations

import types
from dataclasses import dataclass
from pathlib import Path

from autograder import fingerprint
from autograder.course import Assignment, load_assignment
from autograder.grading import archive
from autograder.grading.diagnosis import Diagnosis
from autograder.grading.recording import Recordings
from autograder.grading.reference import load_reference
from autograder.jobs import WarmUp


@dataclass(frozen=True)
class Prepared:
    """The assignment as its files were when it was loaded: a whole class is graded by that. `digest` names them (see
    `fingerprint.of_assignment`), and `recordings` grows while the reference is asked."""

    assignment: Assignment
    salt: str
    digest: str
    reference: types.ModuleType
    diagnosis: Diagnosis
    recordings: Recordings

    def learn(self, new: Recordings) -> None:
        """Adds recordings and keeps them for the next command."""
        new = {node: recording for node, recording in new.items() if node not in self.recordings}
        if new:
            self.recordings.update(new)
            archive.save(archive.key(self.digest, self.salt), self.recordings)


def prepare(order: WarmUp) -> Prepared:
    """Loads the assignment, its solution, and what an earlier command has recorded.

    Raises:
        UsageError: a file of the course has a mistake.
        EngineError: the solution does not run.
    """
    assignment = load_assignment(Path(order.course), order.slug)
    digest = fingerprint.of_assignment(assignment)
    reference = load_reference(assignment)
    salt = assignment.salt + order.salt
    return Prepared(assignment, salt, digest, reference, Diagnosis(assignment), archive.load(archive.key(digest, salt)))
