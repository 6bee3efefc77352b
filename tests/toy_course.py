"""Small courses for tests: a test says what is special about its course, the rest is written here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

_GRADER = """\
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import exercise, points, time_limit
from autograder.grading.strategies import shapes, tensors

drawn_inputs = {inputs}
"""
_CHECK = '''

@exercise("{exercise}")
@points({points})
{marks}def test_{name}(same_outcome{x}):
    """{title}"""
    same_outcome(lambda m: {probe}{raises})
'''


def toy_course(
    root: Path,
    slug: str = "demo",
    *,
    exercises: Mapping[str, float],
    solution: str = "",
    checks: str = "",
    misconceptions: str = "",
    files: Mapping[str, str] | None = None,
    **settings: object,
) -> Path:
    """Adds an assignment to the course in `root`, which it returns.

    `solution`, `checks` and `misconceptions` are the texts of their files, of which there is none without a text;
    `settings` go into assignment.toml, and `files` is whatever else lies in the course.
    """
    texts = {
        f"solutions/{slug}/{slug}.py": solution,
        f"graders/{slug}/test_{slug}.py": checks,
        f"graders/{slug}/misconceptions.py": misconceptions,
    }
    toml = _toml({"title": slug.title()} | settings | {"exercises": exercises})
    written = {f"graders/{slug}/assignment.toml": toml} | {name: text for name, text in texts.items() if text}
    return write_files(root, written | dict(files or {}))


def grader(*checks: str, inputs: str = "tensors(shapes((1, 3), (1, 3)))") -> str:
    """A file of checks; `inputs` is the strategy that draws their `x`."""
    return _GRADER.format(inputs=inputs) + "".join(checks)


def check(
    exercise: str,
    points: float,
    probe: str,
    title: str = "",
    *,
    name: str = "",
    seconds: float = 0,
    raises: str = "",
) -> str:
    """The check that `probe`, an expression of the module `m` and perhaps a drawn `x`, has the reference's outcome:
    the exception `raises` (an expression, too), if it is given."""
    draws = re.search(r"\bx\b", probe)
    marks = f"@time_limit({seconds})\n" * bool(seconds) + "@given(x=drawn_inputs)\n" * bool(draws)
    return _CHECK.format(
        exercise=exercise,
        points=points,
        marks=marks,
        name=name or exercise,
        x=", x" * bool(draws),
        title=title or f"As the reference's {exercise}.",
        probe=probe,
        raises=f", raises={raises}" * bool(raises),
    )


def marked(solution: str) -> str:
    """The solution with a cell for each exercise."""
    parts = re.split(r"\n\n\n(?=def|class)", solution.strip())
    cells = [f"# %%\n### BEGIN SOLUTION\n{part}\n### END SOLUTION" for part in parts[1:]]
    return "\n\n\n".join([f"# %%\n{parts[0]}", *cells]) + "\n"


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Writes texts to their places below `root`, which it returns."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _key(name: str) -> str:
    """Between quotation marks if it has to be, and is not yet."""
    return json.dumps(name) if "/" in name and not name.startswith('"') else name


def _toml(settings: Mapping[str, object]) -> str:
    """A document whose tables hold plain values only."""
    tables = {name: value for name, value in settings.items() if isinstance(value, Mapping)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if name not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{_key(key)} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"
