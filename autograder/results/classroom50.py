"""Writes a result as the `result.json` of Classroom 50, in its schema `classroom50/result/v1`.

Who handed in what comes from the environment that its runner sets. Scores are whole numbers there: the total is rounded
to the nearest one, but up to full points only for full points, and the checks are rounded so that they add up to it,
unless there are bonuses or penalties.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from autograder.errors import UsageError
from autograder.output.inert import inert
from autograder.results.feedback import check_text
from autograder.results.model import Result, State, Status
from autograder.results.overview import TEXT_LIMIT, check_heading, clamp, finite, overview
from autograder.results.withheld import without_hidden

_NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
_TAG = re.compile(r"submit/(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z-.*")


def encode(result: Result, environment: Mapping[str, str] = os.environ, now: datetime | None = None) -> bytes:
    """The file's content.

    Raises:
        UsageError: the environment does not say whose result it is.
    """
    _require_identity(environment)
    result = without_hidden(result)
    at = (now or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ")
    commit, tag = environment["COMMIT_URL"], environment["SUBMISSION_TAG"]
    checks = result.checks if result.state is State.GRADED else ()
    of = finite(result.max_points)
    most = _nearest(of, of)
    score = _nearest(clamp(result.points, of), of) if checks else 0
    all_ = finite(result.max_points + result.max_bonus)
    whole, reached = _nearest(all_, all_), _nearest(clamp(result.earned, all_), all_)
    largest = _whole([finite(check.max_points) for check in checks], whole, [whole] * len(checks))
    earned = _whole([clamp(check.points, check.max_points) for check in checks], reached, largest)
    document = {
        "schema": "classroom50/result/v1",
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment.get("OWNER") or environment["USERNAME"],
        "submission": tag,
        "commit": commit,
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or commit,
        "datetime": _TAG.sub(r"\1T\2:\3:\4Z", tag) if _TAG.fullmatch(tag) else at,
        "graded_at": at,
        "score": score,
        "max-score": most,
        "tests": [
            {
                "test-name": check_heading(check),
                "passed": check.status in (Status.PASSED, Status.EXCUSED),
                "score": points,
                "max-score": worth,
                "output": inert(check_text(check), TEXT_LIMIT),
            }
            for check, points, worth in zip(checks, earned, largest, strict=True)
        ]
        or [{"test-name": "grading", "passed": False, "score": 0, "max-score": most, "output": overview(result)}],
    }
    return (json.dumps(document, allow_nan=False, indent=1) + "\n").encode("ascii")


def _require_identity(environment: Mapping[str, str]) -> None:
    missing = [name for name in _NEEDED if not environment.get(name)]
    if not (environment.get("OWNER") or environment.get("USERNAME")):
        missing.append("OWNER")
    if missing:
        text = "Classroom 50's runner sets these environment variables, and they are missing here"
        raise UsageError(f"{text}: {', '.join(missing)}.")


def _nearest(points: float, most: float) -> int:
    """The nearest whole number, but that of `most` only if all points were earned."""
    full = math.floor(most + 0.5)
    return full if points >= most else max(min(math.floor(points + 0.5), full - 1), 0)


def _whole(numbers: Sequence[float], total: int, largest: Sequence[int]) -> list[int]:
    """Whole numbers near `numbers` whose sum is `total` as far as `largest` permits: what is left after rounding down
    goes to the largest remainders."""
    found = [min(math.floor(number + 1e-9), most) for number, most in zip(numbers, largest, strict=True)]
    by_remainder = sorted(range(len(numbers)), key=lambda i: found[i] - numbers[i])
    for i in by_remainder:
        if sum(found) < total and found[i] < largest[i]:
            found[i] += 1
    return found
