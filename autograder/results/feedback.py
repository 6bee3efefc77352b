"""The text a student reads about one check: what was asked, what was seen, where to look next."""

from __future__ import annotations

import textwrap
from collections.abc import Container

from autograder.output.inert import inert, one_line
from autograder.results.model import (
    CheckResult,
    Counterexample,
    ExerciseResult,
    Reproduction,
    Result,
    Shown,
    Status,
    Visibility,
)

FEEDBACK_LIMIT = 10_000  # characters of one text
_PROSE_LIMIT = 2_500  # of a message or hint
_CALL_LIMIT = 1_000
_VALUE_LIMIT = 2_000  # of one shown value
_INPUTS = 8  # inputs beyond these are counted, not shown
_PLAIN_KINDS = {"int", "float", "bool", "str", "tuple", "list", "NoneType"}  # the value itself says so

_INDENT = "    "
_GAP = "     "  # between two values side by side

NOT_YOUR_FAULT = "This is not your fault and you do not need to change anything: your instructor has been told."
NOT_GRADED = "Grading failed. It is not your fault; your instructor has been told."
GRADER_FAILED = f"The grader itself failed, so this could not be graded. {NOT_YOUR_FAULT}"
# One vocabulary of statuses for terminal, pages and notebooks.
WORDS = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "could not be graded",
    Status.TIMEOUT: "timed out",
    Status.SKIPPED: "not run",
    Status.EXCUSED: "not measured",
}
SYMBOLS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.ERROR: "!",
    Status.TIMEOUT: "⏱",
    Status.SKIPPED: "–",
    Status.EXCUSED: "~",
}
WITHOUT_MESSAGE = {
    Status.FAILED: "Your code does not do this yet.",
    Status.TIMEOUT: "Your code was still running when the time for this check was up, so it was stopped.",
    Status.SKIPPED: "This check was not run: the time for the whole submission was already used up.",
    Status.ERROR: GRADER_FAILED,
}


def check_text(check: CheckResult, width: int = 100) -> str:
    """What the student reads about `check`; values are side by side if they fit into `width` columns. If that cannot be
    made, the title and the message are left: a text is never worth a grade."""
    try:
        return explained_text(check, width)
    except Exception:
        message = WITHOUT_MESSAGE.get(check.status, "") if check.status is Status.ERROR else check.message
        return "\n\n".join(one_line(text, 400) for text in (check.title or check.name, message) if text)


def explained_text(check: CheckResult, width: int = 100) -> str:
    """As `check_text`, but raises whatever goes wrong."""
    parts = [one_line(check.title or check.name, 400)]
    if check.status is Status.ERROR:
        # The message of an error is about the grader's internals: it belongs in the instructor's log.
        parts.append(WITHOUT_MESSAGE[check.status])
    else:
        parts.append(_prose(check.message) or WITHOUT_MESSAGE.get(check.status, ""))
        if check.status not in (Status.PASSED, Status.EXCUSED):
            if check.counterexample is not None:
                parts.append(_counterexample(check.counterexample, width))
            if check.hint.strip():
                parts.append(f"Hint: {_prose(check.hint)}")
        parts.append(deduction_text(check))
    return inert("\n\n".join(part for part in parts if part), FEEDBACK_LIMIT)


def deduction_text(check: CheckResult) -> str:
    """What a failure takes off the total, in a sentence; empty if that is nothing."""
    return f"This takes {count_text(check.deduction)} off the total." if check.deduction else ""


def exercise_name(exercise: ExerciseResult) -> str:
    return one_line(exercise.name, 60) + " (bonus)" * exercise.bonus


def account(result: Result) -> list[str]:
    """How the total comes about, where it is not just the sum of the exercises' points; each in a sentence."""
    lines = []
    if result.max_bonus:
        bonus = f"{points_text(result.bonus)} of {count_text(result.max_bonus)}"
        lines.append(f"Bonus: {bonus}, on top of the {points_text(result.max_points)}.")
    if result.deduction:
        behind = [check for check in result.checks if check.deduction]
        shown = [check for check in behind if check.visibility is not Visibility.HIDDEN]
        names = [f"{one_line(check.exercise, 60)}/{one_line(check.name, 60)}" for check in shown]
        names += ["checks that are not shown"] * (len(shown) < len(behind))
        lines.append(f"Taken off: {count_text(result.deduction)}, for {', '.join(names)}.")
    if result.earned - result.deduction > result.limit:
        lines.append(f"The total is at most {count_text(result.limit)}.")
    if result.manual:
        how = "point is given by hand; it is" if result.manual == 1 else "points are given by hand; they are"
        lines.append(f"{points_text(result.manual)} more {how} not in this total.")
    return lines


def margin_text(check: CheckResult) -> str:
    """For the instructor: why a check ended as it did. What was asked, the tolerance, how close the answers were."""
    name, margin = f"{one_line(check.exercise, 60)}/{one_line(check.name, 60)}", check.margin
    parts = [f"{name} {WORDS[check.status]}: it asked {check.examples} question{'s' * (check.examples != 1)}."]
    if margin is None or not margin.compared:
        parts.append("It does not compare answers with the solution's, so there is no tolerance.")
        return " ".join(parts)
    parts.append(
        f"Of {margin.compared} answers that were compared with the solution's, {margin.wrong or 'none'} differed."
    )
    if margin.exceptions:
        parts.append(f"{margin.exceptions} had to be exceptions.")
    if margin.largest is None:
        parts.append("No numbers in them have a tolerance: they had to be exactly the same.")
    else:
        parts.append(
            f"The largest error is {margin.largest:.3g} times what is allowed, which is {margin.relative:g} of the "
            f"right number plus {margin.absolute:g} (of the largest right number, if that is above 1)."
        )
    return " ".join(parts)


def reproduction(check: CheckResult) -> Reproduction | None:
    """How a student can see a failure outside of grading; None if nothing failed, or if there is no program for code
    that never answered: then its message has said why."""
    made = check.reproduction
    if check.status not in (Status.FAILED, Status.TIMEOUT) or (made and not made.program and not check.answered):
        return None
    return made


def reproduction_text(check: CheckResult) -> str:
    """The same as text that can be copied whole; empty if there is nothing to say."""
    made = reproduction(check)
    if made is None:
        return ""
    if not made.program:
        return one_line(made.why_not, 400)
    return f"To see it yourself, run these lines:\n\n{inert(made.program, FEEDBACK_LIMIT).strip()}"


def points_text(points: float) -> str:
    """8, 7.5 or 3.33: at most two decimals and no trailing zeros."""
    text = f"{points:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def count_text(points: float) -> str:
    """With the noun: 1 point, 2.5 points."""
    return f"{points_text(points)} point{'s' * (points != 1)}"


def _prose(text: str) -> str:
    lines = (line.rstrip() for line in inert(text, _PROSE_LIMIT).strip().split("\n"))
    return "\n".join(lines)


def _counterexample(example: Counterexample, width: int) -> str:
    parts = []
    call = textwrap.dedent(_block(example.call, _CALL_LIMIT))
    if call or example.inputs:
        parts.append("The smallest example found:")
    if call:
        parts.append(textwrap.indent(call, _INDENT))
    if example.inputs:
        parts.append(_inputs(example.inputs, width))
    parts.append(comparison(example.expected, example.got, width))
    return "\n\n".join(parts)


def _inputs(inputs: tuple[Shown, ...], width: int) -> str:
    """One-line inputs share one block; each of the others has a block of its own."""
    values = [(one_line(shown.name, 60) or "input", shown) for shown in inputs[:_INPUTS]]
    blocks: list[str] = []
    pad = max((len(name) for name, shown in values if _is_short(shown, width)), default=0)
    short = [f"{name:<{pad}} = {_inline(shown, _PLAIN_KINDS)}" for name, shown in values if _is_short(shown, width)]
    if short:
        blocks.append("\n".join(short))
    blocks += [_tall(name, shown) for name, shown in values if not _is_short(shown, width)]
    if len(inputs) > _INPUTS:
        blocks.append(f"… and {len(inputs) - _INPUTS} more")
    return textwrap.indent("\n\n".join(blocks), _INDENT)


def comparison(expected: Shown, got: Shown, width: int) -> str:
    """Both values, side by side if they fit into `width` columns."""
    heads = _label("Expected", expected), _label("Got", got)
    if _is_short(expected, width) and _is_short(got, width):
        pad = max(map(len, heads))
        lines = [
            f"{head + ':':<{pad + 1}} {_inline(shown)}" for head, shown in zip(heads, (expected, got), strict=True)
        ]
        return textwrap.indent("\n".join(lines), _INDENT)
    if expected.kind == got.kind and expected.text and got.text:
        got = Shown(got.name, "", got.text)  # there is no need to say it twice
    left, right = (_tall(head, shown) for head, shown in zip(heads, (expected, got), strict=True))
    return textwrap.indent(_side_by_side(left, right, width - len(_INDENT)) or f"{left}\n\n{right}", _INDENT)


def _side_by_side(left: str, right: str, width: int) -> str:
    """Both blocks next to each other, or nothing if they are too wide for that."""
    lefts, rights = left.split("\n"), right.split("\n")
    column = max(map(len, lefts))
    if column + len(_GAP) + max(map(len, rights)) > width:
        return ""
    height = max(len(lefts), len(rights))
    lefts += [""] * (height - len(lefts))
    rights += [""] * (height - len(rights))
    return "\n".join(f"{a:<{column}}{_GAP}{b}".rstrip() for a, b in zip(lefts, rights, strict=True))


def _label(label: str, shown: Shown) -> str:
    """ "Expected", or "Expected gradient" where the value has a name of its own."""
    name = one_line(shown.name, 60)
    return label if name.lower() in ("", "expected", "got", "result") else f"{label} {name}"


def _tall(head: str, shown: Shown) -> str:
    """A value of several lines below its name and kind."""
    kind = one_line(shown.kind, 120)
    first = f"{head}: {kind}" if kind else f"{head}:"
    text = _block(shown.text, _VALUE_LIMIT)
    return f"{first}\n{textwrap.indent(text, '  ')}" if text else first


def _inline(shown: Shown, plain: Container[str] = ()) -> str:
    """A value in one line, with its kind unless that is one of the `plain` ones."""
    text, kind = _block(shown.text, _VALUE_LIMIT).strip(), one_line(shown.kind, 120)
    if not text:
        return kind or "(nothing)"
    return f"{text}   ({kind})" if kind and kind not in plain else text


def _is_short(shown: Shown, width: int) -> bool:
    text = _block(shown.text, _VALUE_LIMIT)
    return "\n" not in text and len(text) + len(shown.kind) <= width // 2


def _block(text: str, limit: int) -> str:
    """Preformatted text: white space at line starts is kept, empty lines around it are not."""
    return "\n".join(line.rstrip() for line in inert(text, limit).split("\n")).strip("\n")
