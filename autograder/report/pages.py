"""Writes the pages from auto-escaping templates, streamed to disk and moved into place in one step."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from markupsafe import Markup

from autograder.batch.change_table import summary
from autograder.batch.changes import Comparison, signed
from autograder.batch.discovery import Found
from autograder.batch.store import Record
from autograder.output.inert import inert
from autograder.report.analysis import Analysis, timing_ratio
from autograder.report.charts import charts
from autograder.results.feedback import (
    GRADER_FAILED,
    WITHOUT_MESSAGE,
    WORDS,
    account,
    count_text,
    deduction_text,
    points_text,
    reproduction,
)
from autograder.results.grids import compared, grid
from autograder.results.html import environment, source, style
from autograder.results.model import CheckResult, Counterexample, Result, State, Status, Visibility

REPORT = "report.html"
FEEDBACK = "feedback"
_PROGRAM = 10_000
_MISCONCEPTIONS = 20
_SUSPECTS = 10
_INPUTS = 8


class Pages:
    def __init__(self) -> None:
        self._environment = environment("autograder.report")
        self._environment.filters |= {
            "points": points_text,
            "with_noun": count_text,
            "program": lambda text: inert(text, _PROGRAM).strip(),
            "percent": lambda share: "–" if math.isnan(share) else f"{share:.0%}",
            "signed": signed,
            "decimal": lambda number: "–" if math.isnan(number) else f"{number:.2f}".replace("-", "−"),
            "file": lambda name: quote(f"{FEEDBACK}/{name}.html"),
        }
        self._style = style("autograder.report", "page.css")
        self._script = source("autograder.report", "table.js")
        self._copy = source("autograder.report", "copy.js")

    def report(self, analysis: Analysis, *, linked: bool) -> Iterator[bytes]:
        """The report's HTML, in pieces: a class of 10,000 makes a table of megabytes."""
        template = self._environment.get_template("report.html")
        pieces = template.generate(
            analysis=analysis,
            charts=[(chart, Markup(chart.svg)) for chart in charts(analysis)],
            misconceptions=[(each, _shown(each.example)) for each in analysis.frequent(_MISCONCEPTIONS)],
            suspects=[
                (each, [(cluster, _shown(cluster.check.counterexample)) for cluster in each.clusters])
                for each in analysis.suspects[:_SUSPECTS]
            ],
            trouble=[row for row in analysis.rows if row.note or row.state is not State.GRADED],
            linked=linked,
            timeout=Status.TIMEOUT,
            excused=Status.EXCUSED,
            timed=[each for each in analysis.exercises.values() if each.ratios],
            style=self._style,
            script=Markup(self._script),
            policy=_only(self._script),
        )
        yield from (piece.encode("utf-8", "replace") for piece in pieces)

    def feedback(self, found: Found, record: Record, result: Result) -> bytes:
        """A student's page. What only the instructor may see (log, hidden checks) is not in it."""
        shown = [
            (exercise, [_check(check) for check in exercise.checks if check.visibility is not Visibility.HIDDEN])
            for exercise in result.exercises
        ]
        text = self._environment.get_template("feedback.html").render(
            found=found,
            record=record,
            result=result,
            exercises=shown,
            graded=result.state is State.GRADED,
            account=account(result),
            failed=GRADER_FAILED,
            style=self._style,
            script=Markup(self._copy),
            policy=_only(self._copy),
        )
        return text.encode("utf-8", "replace")

    def similar(self, title: str, count: int, pairs: Sequence[object], total: int, threshold: float) -> bytes:
        """Pairs of submissions side by side. `pairs` are the most similar ones of `total`."""
        text = self._environment.get_template("similar.html").render(
            title=title,
            count=count,
            pairs=pairs,
            total=total,
            threshold=threshold,
            style=self._style,
            policy="script-src 'none'",
        )
        return text.encode("utf-8", "replace")

    def changes(self, comparison: Comparison) -> bytes:
        """Who moves between two results of a class, with the checks behind it."""
        text = self._environment.get_template("changes.html").render(
            comparison=comparison,
            summary=summary(comparison),
            moved=comparison.moved,
            checks=comparison.checks(),
            style=self._style,
            script=Markup(self._script),
            policy=_only(self._script),
        )
        return text.encode("utf-8", "replace")


def _check(check: CheckResult) -> dict[str, object]:
    explained = check.status in (Status.FAILED, Status.TIMEOUT)
    return {
        "title": check.title or check.name,
        "status": check.status.value,
        "word": WORDS[check.status],
        "points": check.points,
        "most": check.max_points,
        "message": "" if check.status is Status.ERROR else check.message,
        "default": WITHOUT_MESSAGE.get(check.status, ""),
        "hint": check.hint if explained else "",
        "deduction": deduction_text(check),
        "example": _example(check.counterexample) if check.counterexample and explained else None,
        "ratio": timing_ratio(check),
        "reproduction": reproduction(check) if explained else None,
    }


def _shown(example: Counterexample | None) -> dict[str, object] | None:
    return _example(example) if example else None


def _example(example: Counterexample) -> dict[str, object]:
    expected, got, difference = compared(example.expected, example.got)
    return {
        "call": inert(example.call, 1_000),
        "inputs": [grid(shown, shown.name or "input") for shown in example.inputs[:_INPUTS]],
        "outputs": [each for each in (expected, got, difference) if each is not None],
    }


def _only(script: str) -> str:
    """A policy that allows this script and no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"script-src 'sha256-{base64.b64encode(digest).decode()}'"
