"""Whether the feedback of a submission is fit to be read: every text is made, and none shows what a student has no use
for or should not see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.output.inert import one_line
from autograder.results.feedback import explained_text, reproduction_text
from autograder.results.model import Result, Status

_UNFIT = {
    "a traceback": re.compile(r"Traceback \(most recent call last\)"),
    "an address in memory": re.compile(r"\bat 0x[0-9a-fA-F]+"),
    "an absolute path": re.compile(r"(?<![\w.)\]/])/(?:[A-Za-z_.][\w.+-]*/)+[\w.+-]+"),
    "code of the grader": re.compile(r"<locals>|<lambda>|\bsame_outcome\b|\bautograder[./]\w"),
}
_LEAST = 15  # characters of a line of code that says something


@dataclass(frozen=True)
class Graders:
    """What feedback must not show of an assignment's graders: the names of their files, and the `lines` and lambdas of
    their code that neither the solution nor a misconception contains. Programs must not show lines of the `solution`
    either."""

    files: frozenset[str]
    lines: frozenset[str]
    solution: frozenset[str] = frozenset()


def graders(folder: Path, solution: Path) -> Graders:
    """Reads the graders in `folder`; a file that cannot be read or parsed, which others report, adds nothing."""
    texts = {path.name: _text(path) for path in folder.glob("*.py")}
    students = "\n".join([_text(solution), texts.get("misconceptions.py", "")])
    lines = {line for name, text in texts.items() if name != "misconceptions.py" for line in _code(text)}
    own = frozenset(line for line in lines if line not in students)
    return Graders(frozenset(texts), own, frozenset(_code(_text(solution))))


def troubles(result: Result, graders: Graders) -> Iterator[str]:
    """What is wrong with the feedback, each in one clause: an explanation that failed, a check that could not go on
    with what was returned, or a text that shows a traceback, an absolute path, an address in memory, or code or the
    name of a file of the graders."""
    yield from (line for line in result.log if line.startswith(("explaining ", "judging ")))
    for check in result.checks:
        if check.status is Status.PASSED:
            continue
        which = f"the feedback of check {check.name} of {check.exercise}"
        try:
            text = explained_text(check)
        except Exception as error:
            yield f"{which} cannot be made: {one_line(f'{type(error).__name__}: {error}', 200)}"
            continue
        program = reproduction_text(check)
        for what, shown in _unfit(f"{text}\n{program}", graders):
            yield f"{which} contains {what}: {one_line(shown, 80)}"
        if line := next((line for line in sorted(graders.solution) if line in program), ""):
            yield f"{which} contains a line of the solution: {one_line(line, 80)}"


def _unfit(text: str, graders: Graders) -> Iterator[tuple[str, str]]:
    for what, pattern in _UNFIT.items():
        if found := pattern.search(text):
            yield what, found.group()
    if line := next((line for line in sorted(graders.lines) if line in text), ""):
        yield "a line of the graders", line
    if name := next((name for name in sorted(graders.files) if re.search(rf"\b{re.escape(name)}\b", text)), ""):
        yield "a file of the graders", name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""


def _code(text: str) -> Iterator[str]:
    """The lambdas of a file, and the lines of its code that contain a call; short ones say nothing."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    found: list[str] = []
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            found.append(ast.get_source_segment(text, node) or "")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if number not in prose and "(" in line and not line.startswith("#"):
            found.append(line)
    yield from (code for code in found if len(code) >= _LEAST)
