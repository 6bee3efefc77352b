"""Draws the outcome of the public tests as HTML, for a notebook."""

from __future__ import annotations

from autograder.results.feedback import SYMBOLS
from autograder.results.grids import compared
from autograder.results.html import environment, style
from autograder.selfcheck import summary
from autograder.selfcheck.running import Outcome

_PACKAGE = "autograder.selfcheck"


def html(outcome: Outcome, title: str, again: str) -> str:
    """One element with its own style and no script. `again` is what to run after the next change."""
    pairs = summary.pairs_of(outcome)
    template = environment(_PACKAGE).get_template("outcome.html")
    return template.render(
        title=title,
        pairs=pairs,
        exercises=summary.by_exercise(pairs),
        groups=summary.groups(pairs),
        unwritten=summary.unwritten(pairs),
        next=summary.next_text(pairs, again),
        no_points=summary.NO_POINTS,
        symbol=lambda status: SYMBOLS[summary.STATUS[status]],
        word=lambda status: summary.REPORTED[status],
        where=summary.where,
        grids=lambda trouble: filter(None, compared(trouble.expected, trouble.got)),
        style=style(_PACKAGE, "outcome.css"),
    )
