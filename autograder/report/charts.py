"""The report's plots: Vega-Altair's charts as inline SVG, in the page's own colours, with no script.

A screen reader gets each plot's summary; the numbers behind it are in the page's tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from autograder.report.analysis import Analysis
from autograder.results.feedback import points_text

_WIDTH, _ROW, _HEIGHT = 460, 22, 190
_BINS = 20
_INK, _LINE = "var(--ink)", "var(--line)"
_MOST_NAMES = 12


@dataclass(frozen=True)
class Chart:
    """`svg` is markup that we generated; `summary` says in a sentence what the chart shows."""

    id: str
    title: str
    summary: str
    svg: str


def charts(analysis: Analysis) -> list[Chart]:
    made = [
        _distribution(analysis),
        _success(analysis),
        _discrimination(analysis),
        _misconceptions(analysis),
        _timing(analysis),
        _trouble(analysis),
        _time(analysis),
    ]
    return [chart for chart in made if chart is not None]


def _distribution(analysis: Analysis) -> Chart | None:
    points = [row.points for row in analysis.graded]
    if not points:
        return None
    mean, median = points_text(round(float(np.mean(points)), 1)), points_text(round(float(np.median(points)), 1))
    summary = (
        f"{len(points)} graded submissions; mean {mean}, median {median}, lowest {points_text(min(points))}, "
        f"highest {points_text(max(points))} of {points_text(analysis.most)} points."
    )
    svg = _histogram(points, (0.0, max(analysis.most, *points)), "points")
    return Chart("distribution", "Score distribution", summary, svg)


def _success(analysis: Analysis) -> Chart | None:
    known = [each for each in analysis.exercises.values() if not math.isnan(each.success)]
    if not known:
        return None
    hardest = min(known, key=lambda each: each.success)
    easiest = max(known, key=lambda each: each.success)
    summary = (
        f"Mean share of the points per exercise: the hardest is {hardest.name} with {hardest.success:.0%}, "
        f"the easiest {easiest.name} with {easiest.success:.0%}."
    )
    values = [{"name": each.name, "value": each.success} for each in known]
    return Chart("success", "Success per exercise", summary, _bars(values, "mean share of the points", (0, 1), ".0%"))


def _discrimination(analysis: Analysis) -> Chart | None:
    known = [each for each in analysis.exercises.values() if not math.isnan(each.discrimination)]
    if not known:
        return None
    weak = [each.name for each in known if each.discrimination < 0.2]
    summary = "Correlation between an exercise's points and those of all others. " + (
        f"Below 0.2, hardly related to the rest: {_some(weak)}." if weak else "All are 0.2 or above."
    )
    values = [{"name": each.name, "value": each.discrimination} for each in known]
    lowest = min(0.0, *(each.discrimination for each in known))
    svg = _bars(values, "correlation with the rest", (lowest, 1), ".1f")
    return Chart("discrimination", "Discrimination per exercise", summary, svg)


def _misconceptions(analysis: Analysis) -> Chart | None:
    frequent = analysis.frequent(_MOST_NAMES)
    if not frequent:
        return None
    first = frequent[0]
    summary = (
        f"{len(analysis.misconceptions)} known mistakes were recognised; the most frequent is {first.name} in "
        f"{first.exercise}, in {first.submissions} submission{'s' * (first.submissions != 1)}."
    )
    values = [{"name": f"{each.exercise}: {each.name}", "value": each.submissions} for each in frequent]
    svg = _bars(values, "submissions", (0, max(each.submissions for each in frequent)), "d")
    return Chart("misconceptions", "Most frequent misconceptions", summary, svg)


def _timing(analysis: Analysis) -> Chart | None:
    timed = [each for each in analysis.exercises.values() if each.ratios]
    if not timed:
        return None
    medians = ", ".join(f"{each.name} {float(np.median(each.ratios)):.2f}" for each in timed)
    summary = f"Time of the forward pass divided by the reference's; medians: {medians}."
    spread = [
        {"name": each.name, **dict(zip(("low", "q1", "mid", "q3", "high"), _quantiles(each.ratios), strict=True))}
        for each in timed
    ]
    base = alt.Chart(_data(spread)).encode(y=_names())
    scale = alt.Scale(type="log")
    whisker = base.mark_rule(color="var(--accent)").encode(
        x=alt.X("low:Q", title="time ÷ reference's time", scale=scale), x2="high:Q"
    )
    box = base.mark_bar(color="var(--accent)", height=12).encode(x="q1:Q", x2="q3:Q")
    tick = base.mark_tick(color=_INK, thickness=3, size=16).encode(x="mid:Q")
    chart: Any = alt.layer(whisker, box, tick).properties(width=_WIDTH, height=_ROW * len(timed))
    return Chart("timing", "Timing ratios", summary, _svg(chart))


def _trouble(analysis: Analysis) -> Chart | None:
    if not analysis.troubles:
        return None
    kinds = analysis.troubles.most_common()
    summary = "; ".join(f"{kind}: {count}" for kind, count in kinds) + "."
    values = [{"name": kind, "value": count} for kind, count in kinds]
    svg = _bars(values, "submissions", (0, kinds[0][1]), "d")
    return Chart("trouble", "Submissions in trouble", summary, svg)


def _time(analysis: Analysis) -> Chart | None:
    seconds = [row.seconds for row in analysis.rows]
    if not seconds:
        return None
    most = max(*seconds, 0.1)
    summary = (
        f"{sum(seconds):,.0f} seconds of grading in all; half of the submissions took less than "
        f"{float(np.median(seconds)):.2f} s, the longest {max(seconds):.1f} s."
    )
    return Chart("time", "Time spent grading", summary, _histogram(seconds, (0.0, most), "seconds"))


def _quantiles(values: list[float]) -> list[float]:
    return [float(value) for value in np.quantile(values, (0, 0.25, 0.5, 0.75, 1))]


def _histogram(values: list[float], extent: tuple[float, float], title: str) -> str:
    counts, edges = np.histogram(values, bins=_BINS, range=extent)
    bins = [{"from": float(edges[i]), "to": float(edges[i + 1]), "count": int(count)} for i, count in enumerate(counts)]
    chart = (
        alt.Chart(_data(bins))
        .mark_bar(color="var(--accent)")
        .encode(
            x=alt.X("from:Q", bin="binned", title=title),
            x2="to:Q",
            y=alt.Y("count:Q", title="submissions", axis=alt.Axis(tickMinStep=1, format="d")),
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )
    return _svg(chart)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _data(values: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=values)  # type: ignore[no-untyped-call]


def _names() -> alt.Y:
    return alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=300))


def _bars(values: list[dict[str, Any]], title: str, extent: tuple[float, float], form: str) -> str:
    count = min(6, int(extent[1])) if form == "d" else 6
    axis = alt.Axis(format=form, tickMinStep=1 if form == "d" else 0.1, tickCount=count)
    names = max(len(str(value["name"])) for value in values)
    base = alt.Chart(_data([value | {"end": max(value["value"], 0)} for value in values])).encode(
        x=alt.X("value:Q", title=title, axis=axis, scale=alt.Scale(domain=list(extent), nice=form == "d")),
        y=_names(),
    )
    bars = base.mark_bar(color="var(--accent)")
    text = base.mark_text(align="left", dx=4, color=_INK).encode(
        x="end:Q",  # right of 0 even if the bar goes to the left
        text=alt.Text("value:Q", format=form.replace(".1", ".2")),
    )
    return _svg((bars + text).properties(width=max(_WIDTH - 6 * names, 160), height=_ROW * len(values)), names)


def _svg(chart: Any, names: int = 0) -> str:
    """`names`: length of the longest name on the left; a browser's font may be wider than the one measured here."""
    axis = alt.AxisConfig(labelColor=_INK, titleColor=_INK, gridColor=_LINE, domainColor=_LINE, tickColor=_LINE)
    configured = chart.configure(
        background="transparent",
        font="system-ui, sans-serif",
        axis=axis,
        view=alt.ViewConfig(stroke="transparent"),
        padding={"left": 8 + names, "right": 16, "top": 8, "bottom": 8},
    )
    svg: str = vl_convert.vegalite_to_svg(configured.to_dict())
    # The figure around it says what the chart shows: to a screen reader, the single paths would only be noise.
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
