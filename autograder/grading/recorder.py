"""Records what checks ask and what the reference answers."""

from __future__ import annotations

import pytest

from autograder.grading import archive
from autograder.grading.children import in_parallel
from autograder.grading.plugin import GradingPlugin
from autograder.grading.prepared import Prepared
from autograder.grading.recording import Recordings
from autograder.grading.trusted import Reference
from autograder.jobs import Job, WarmUp
from autograder.submissions.reading import Submission

CHECKS_IN_A_SHARE = 12  # at least: a process is not worth it for fewer
_NO_SUBMISSION = Submission("the reference", "", (), False)


def record(order: WarmUp, prepared: Prepared, checks: list[pytest.Item]) -> Recordings:
    """What these checks ask and what the reference answers; nothing for checks that do more than compare.

    Raises:
        EngineError: the graders do not run.
    """
    job = Job(order.course, order.slug, _NO_SUBMISSION, order.salt)

    def some(share: list[pytest.Item]) -> Recordings:
        plugin = GradingPlugin(job, prepared, Reference(prepared.reference))
        plugin.run(share)
        return plugin.learnt()

    return in_parallel(some, checks, CHECKS_IN_A_SHARE, archive.encode, archive.decode)
