"""Lateness, groups, the best of all submissions, rate limits: computed from the metadata alone."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from autograder.platforms.gradescope.metadata import Metadata, Previous, read_metadata
from autograder.platforms.gradescope.policies import accepted, days_late, refuse, settle
from autograder.platforms.gradescope.settings import LatePolicy, RateLimit, Settings
from platforms.gradescope.fake_platform import METADATA

DUE = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def handed_in(after: timedelta, **changes: Any) -> Metadata:
    return Metadata(created=DUE + after, due=DUE, **changes)


def earlier(*hours_and_scores: tuple[float, float]) -> tuple[Previous, ...]:
    """Submissions that many hours before the due date."""
    return tuple(Previous(DUE - timedelta(hours=hours), score) for hours, score in hours_and_scores)


def test_everything_is_off_by_default() -> None:
    metadata = handed_in(timedelta(days=9), previous=earlier(*[(1, 99.0)] * 50), users=("Ada", "Bela"))
    assert refuse(Settings(), metadata) is None
    settlement = settle(70.0, Settings(), metadata)
    assert (settlement.score, settlement.remarks, settlement.sums) == (70.0, (), ())


@pytest.mark.parametrize(
    ("minutes", "days"), [(-5, 0), (0, 0), (30, 0), (31, 1), (24 * 60, 1), (24 * 60 + 1, 2), (10 * 24 * 60, 10)]
)
def test_begun_days_count_and_the_grace_does_not(minutes: int, days: int) -> None:
    assert days_late(LatePolicy(10, grace_minutes=30), DUE + timedelta(minutes=minutes), DUE) == days


def test_offsets_are_taken_into_account() -> None:
    created = DUE.astimezone(timezone(timedelta(hours=-8)))
    assert days_late(LatePolicy(10), created, DUE) == 0


@pytest.mark.parametrize(("days", "score"), [(1, 72.0), (3, 56.0), (30, 40.0)])
def test_lateness_takes_a_share_of_what_was_earned_up_to_the_most(days: int, score: float) -> None:
    late = LatePolicy(percent_per_day=10, at_most_percent=50)
    assert settle(80.0, Settings(late=late), handed_in(timedelta(days=days))).score == score


def test_without_a_due_date_nobody_is_late() -> None:
    metadata = Metadata(created=DUE)
    assert settle(80.0, Settings(late=LatePolicy(10)), metadata).score == 80.0


def test_the_best_submission_counts_if_that_was_chosen() -> None:
    metadata = handed_in(-timedelta(hours=1), previous=earlier((5, 60.0), (4, 85.0), (3, 20.0)))
    settlement = settle(70.0, Settings(best_of_previous=True), metadata)
    assert settlement.score == 85.0
    assert "earlier one was better" in settlement.remarks[0]
    assert settle(90.0, Settings(best_of_previous=True), metadata).score == 90.0


def test_one_that_we_failed_to_grade_is_not_the_best() -> None:
    failed = (Previous(DUE, 100.0, failed=True),)
    assert settle(10.0, Settings(best_of_previous=True), handed_in(timedelta(1), previous=failed)).score == 10.0


def test_above_the_rate_limit_nothing_is_graded_and_the_score_stays() -> None:
    settings = Settings(rate_limit=RateLimit(2, hours=24))
    metadata = handed_in(timedelta(0), previous=earlier((20, 30.0), (2, 55.0)))
    settlement = refuse(settings, metadata)
    assert settlement is not None
    assert (settlement.score, settlement.graded) == (55.0, False)
    assert "from 2026-11-20 16:00" in settlement.remarks[0]
    later = handed_in(timedelta(hours=4), previous=metadata.previous)
    assert refuse(settings, later) is None


def test_refused_submissions_do_not_put_off_the_next_one() -> None:
    tries = earlier((50, 10.0), (30, 10.0), (20, 10.0), (10, 10.0))
    assert accepted(RateLimit(1, hours=24), tries) == [tries[0], tries[2]]


def test_failures_of_ours_do_not_count_against_the_limit() -> None:
    failed = (Previous(DUE - timedelta(hours=1), 0.0, failed=True),)
    assert refuse(Settings(rate_limit=RateLimit(1)), handed_in(timedelta(0), previous=failed)) is None


def test_a_group_that_is_too_large_is_told_so() -> None:
    metadata = handed_in(timedelta(0), users=("Ada", "Bela", "Chen"))
    refusal = refuse(Settings(largest_group=2), metadata)
    assert refusal is not None
    assert (refusal.score, refusal.graded) == (0.0, False)
    assert "groups of at most 2" in refusal.remarks[0]
    assert refuse(Settings(largest_group=3), metadata) is None
    assert "Ada, Bela, Chen" in settle(5.0, Settings(largest_group=3), metadata).remarks[0]


def test_a_regrade_leaves_out_what_was_handed_in_later(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    previous = [
        {"submission_time": "2026-11-21T10:00:00-08:00", "score": 99.0, "autograder_error": False},
        {"submission_time": "2026-11-19T10:00:00-08:00", "score": "12.5", "autograder_error": False},
        {"submission_time": "2026-11-18T10:00:00-08:00", "score": None, "autograder_error": True},
    ]
    path.write_text(json.dumps(METADATA | {"previous_submissions": previous}))
    metadata = read_metadata(path)
    assert [(one.score, one.failed) for one in metadata.previous] == [(0.0, True), (12.5, False)]
    assert metadata.due == datetime(2026, 11, 21, 7, 59, tzinfo=timezone.utc)
    assert (metadata.total_points, metadata.users, metadata.problems) == (10.0, ("Ada",), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        '{"created_at": "9999-12-31T23:59:59-23:59", "assignment": {"due_date": 5, "total_points": "NaN"}}',
        '{"users": [[], {"name": 3}], "previous_submissions": [{"submission_time": "x"}, 5]}',
        '{"previous_submissions": [{"submission_time": "2026-01-01T00:00:00", "score": 1e999}]}',
    ],
)
def test_nonsense_is_named_and_never_raised(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(text)
    metadata = read_metadata(path)
    assert metadata.problems
    assert settle(5.0, Settings(late=LatePolicy(100), rate_limit=RateLimit(1)), metadata).score == 5.0


def test_no_metadata_at_all(tmp_path: Path) -> None:
    assert "cannot be used" in read_metadata(tmp_path / "none.json").problems[0]
