"""What a judge knows about an assignment before there is a submission. All of it is trusted."""

from __future__ import annotations

import types
from dataclasses import dataclass
from pathlib import Path

from autograder import fingerprint
from autograder.course import Assignment, load_assignment
from autograder.grading.archive import Archive
from autograder.grading.reference import load_reference
from autograder.grading.seeds import secret_seed
from autograder.grading.variants import Variants
from autograder.jobs import WarmUp
from autograder.sandbox.torch_state import seed_generators


@dataclass(frozen=True)
class Prepared:
    """The assignment as its files were when it was loaded; a whole class is graded with this.

    `salt` combines the assignment's and the order's; `digest` identifies the assignment (`fingerprint.of_assignment`).
    """

    assignment: Assignment
    salt: str
    digest: str
    reference: types.ModuleType
    variants: Variants
    archive: Archive


def prepare(order: WarmUp) -> Prepared:
    """Loads the assignment, its solution, and what an earlier command recorded. Graders, which are imported next, may
    draw numbers from torch's generator: it gets a secret seed.

    Raises:
        UsageError: a file of the course has a mistake.
        EngineError: the solution does not run.
    """
    assignment = load_assignment(Path(order.course), order.slug)
    salt, digest = assignment.salt + order.salt, fingerprint.of_assignment(assignment)
    reference, variants = load_reference(assignment), Variants(assignment)
    seed_generators(secret_seed(salt, assignment.slug))
    return Prepared(assignment, salt, digest, reference, variants, Archive(f"{digest} {salt}"))
