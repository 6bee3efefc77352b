"""Writes a result as JUnit XML, which Artemis, GitLab, Jenkins and most other systems read.

An exercise is a test suite, and a check is a test case of it. JUnit knows no points: they are properties of the suite.
Those of the suites add up to the total.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from autograder.output.inert import inert, one_line
from autograder.results.feedback import WORDS, check_text, points_text
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from autograder.results.overview import NAME_LIMIT, TEXT_LIMIT, UNFINISHED, check_heading, clamp, finite, overview
from autograder.results.withheld import without_hidden

_PASSED = (Status.PASSED, Status.EXCUSED)


def encode(result: Result) -> bytes:
    """The file's content, in ASCII: everything else is a character reference."""
    result = without_hidden(result)
    root = ET.Element("testsuites", name=one_line(result.title or result.assignment, NAME_LIMIT))
    suites = [
        _suite(exercise, points, result)
        for exercise, points in zip(result.exercises, result.counted, strict=True)
        if exercise.checks
    ]
    if result.state is not State.GRADED or not suites:
        suites = [_ungraded(result)]
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    root.set("time", _seconds(result.seconds))
    root.extend(suites)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return data + b"\n"


def _suite(exercise: ExerciseResult, points: float, result: Result) -> ET.Element:
    checks = exercise.checks
    suite = ET.Element(
        "testsuite",
        name=one_line(exercise.name, NAME_LIMIT),
        tests=str(len(checks)),
        failures=str(sum(check.status not in (*_PASSED, Status.ERROR) for check in checks)),
        errors=str(sum(check.status is Status.ERROR for check in checks)),
        skipped="0",
        time=_seconds(sum(finite(check.seconds) for check in checks)),
    )
    properties = ET.SubElement(suite, "properties")
    _points(properties, "", points, exercise.max_points)
    if exercise.bonus:
        ET.SubElement(properties, "property", name="bonus", value="true")
    for check in checks:
        _points(properties, f"{one_line(check.name, NAME_LIMIT)}.", check.points, check.max_points)
    suite.extend(_case(check, result) for check in checks)
    return suite


def _points(properties: ET.Element, prefix: str, points: float, most: float) -> None:
    ET.SubElement(properties, "property", name=f"{prefix}points", value=points_text(clamp(points, most)))
    ET.SubElement(properties, "property", name=f"{prefix}max_points", value=points_text(finite(most)))


def _case(check: CheckResult, result: Result) -> ET.Element:
    """What was not reached is a failure: a skipped case costs nothing on most systems."""
    exercise, name = one_line(check.exercise, NAME_LIMIT), one_line(check.name, NAME_LIMIT)
    classname = f"{one_line(result.assignment, NAME_LIMIT)}.{exercise}"
    case = ET.Element("testcase", name=f"{exercise}.{name}", classname=classname, time=_seconds(check.seconds))
    if check.status not in _PASSED:
        kind = "error" if check.status is Status.ERROR else "failure"
        told = ET.SubElement(case, kind, message=check_heading(check), type=WORDS[check.status])
        told.text = check_text(check)
    text = f"{points_text(clamp(check.points, check.max_points))} of {points_text(finite(check.max_points))} points"
    excused = f". {inert(check.message, TEXT_LIMIT)}" if check.status is Status.EXCUSED else ""
    ET.SubElement(case, "system-out").text = text + excused
    return case


def _ungraded(result: Result) -> ET.Element:
    """One case that does not pass, so that nobody takes a result without checks for a good one."""
    ours = result.state is not State.GRADED
    counts = {"tests": "1", "failures": str(int(not ours)), "errors": str(int(ours)), "skipped": "0"}
    suite = ET.Element("testsuite", {"name": "grading", **counts, "time": _seconds(result.seconds)})
    case = ET.SubElement(suite, "testcase", name="grading", classname=one_line(result.assignment, NAME_LIMIT), time="0")
    first = UNFINISHED if result.state is State.UNFINISHED else result.notice
    message = one_line(first, NAME_LIMIT) or "not graded"
    told = ET.SubElement(case, "error" if ours else "failure", message=message, type="not graded")
    told.text = overview(result)
    return suite


def _seconds(seconds: float) -> str:
    return f"{finite(seconds):.3f}"
