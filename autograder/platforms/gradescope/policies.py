"""How the course's policies change a result: late penalties, groups, best of all submissions, rate limits.

Everything is computed from what the platform recorded when the submission came in, never from the clock: a regrade
weeks later gives the same score.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from autograder.platforms.gradescope.metadata import Metadata, Previous
from autograder.platforms.gradescope.settings import LatePolicy, RateLimit, Settings
from autograder.results.feedback import points_text
from autograder.results.overview import Settlement


def refuse(settings: Settings, metadata: Metadata) -> Settlement | None:
    """Why this submission must not be graded, and the score it gets instead; None if it should be graded."""
    if settings.largest_group is not None and len(metadata.users) > settings.largest_group:
        most, count = settings.largest_group, len(metadata.users)
        people = "alone" if most == 1 else f"in groups of at most {most}"
        text = f"This was handed in for {count} people, but here you hand in {people}: remove the others from it."
        return Settlement(_best(settings, metadata), (text,), graded=False)
    if settings.rate_limit is None or metadata.created is None:
        return None
    counted = accepted(settings.rate_limit, metadata.previous)
    window = timedelta(hours=settings.rate_limit.hours)
    recent = [previous for previous in counted if previous.at > metadata.created - window]
    most = settings.rate_limit.submissions
    if len(recent) < most:
        return None
    again = (recent[-most].at + window).astimezone(metadata.created.tzinfo)
    kept = max(counted[-1].score, _best(settings, metadata))
    text = (
        f"Not graded: at most {most} submission{'s' if most > 1 else ''} in {_hours(settings.rate_limit.hours)} "
        f"{'are' if most > 1 else 'is'} graded. The next one will be graded from {_when(again)} on. "
        "Your score stays the same."
    )
    return Settlement(kept, (text,), graded=False)


def accepted(limit: RateLimit, previous: tuple[Previous, ...]) -> list[Previous]:
    """The ones that were graded and count against the limit: not refused ones, nor ones that we failed to grade."""
    counted: list[Previous] = []
    window = timedelta(hours=limit.hours)
    for one in previous:
        if not one.failed and sum(other.at > one.at - window for other in counted) < limit.submissions:
            counted.append(one)
    return counted


def settle(points: float, settings: Settings, metadata: Metadata) -> Settlement:
    """The score that a submission with `points` gets on the platform, and what the student is told about it."""
    score, remarks, sums = points, list[str](), list[str]()
    if settings.largest_group is not None and len(metadata.users) > 1:
        remarks.append(f"Handed in together by {', '.join(metadata.users)}.")
    if settings.late is not None and metadata.created is not None and metadata.due is not None:
        days = days_late(settings.late, metadata.created, metadata.due)
        share = min(days * settings.late.percent_per_day, settings.late.at_most_percent)
        if days:
            score = round(points * (1 - share / 100), 6)
            late = f"{days} day{'s' if days > 1 else ''} late (due {_when(metadata.due)}, each started day counts)"
            remarks.append(f"Handed in {late}: {points_text(share)} % of the points are taken off.")
            sums.append(f"{points_text(points)} points earned, {points_text(score)} after the deduction.")
    if settings.best_of_previous:
        best = _best(settings, metadata)
        if best > score:
            remarks.append("The best of your submissions counts, and an earlier one was better.")
            sums.append(f"This one is worth {points_text(score)} points, the best one {points_text(best)}.")
            score = best
    return Settlement(score, tuple(remarks), tuple(sums))


def _best(settings: Settings, metadata: Metadata) -> float:
    """The best score so far, if it counts."""
    scores = [previous.score for previous in metadata.previous if not previous.failed]
    return max(scores, default=0.0) if settings.best_of_previous else 0.0


def days_late(late: LatePolicy, created: datetime, due: datetime) -> int:
    """Days since the due date, rounded up; 0 within the grace period."""
    over = created - due
    if over <= timedelta(minutes=late.grace_minutes):
        return 0
    return math.ceil(over / timedelta(days=1))


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M (UTC%z)")


def _hours(hours: float) -> str:
    return "24 hours" if hours == 24 else f"{hours:g} hour{'' if hours == 1 else 's'}"
