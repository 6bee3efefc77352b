"""The files of a new assignment, with a working example in each, and those of a new course."""

from __future__ import annotations

import builtins
import importlib.machinery
import keyword
import os
import re
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from autograder.errors import UsageError
from autograder.output import atomic

_TEMPLATES = Path(__file__).with_name("templates")
_EACH = "--- each exercise ---\n"  # what follows in a template is there once for each exercise
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


def require_slug(slug: str) -> None:
    """Raises UsageError unless an assignment can have this name: students import their file by it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug) or keyword.iskeyword(slug):
        raise UsageError(
            f"{slug!r} cannot be the name of an assignment, since students' files are called that; use small letters, "
            "digits and underscores, such as attention_1."
        )
    if slug in (*sys.stdlib_module_names, "misconceptions") or slug.startswith("test_") or _is_installed(slug):
        raise UsageError(f"{slug!r} is the name of another Python module; give the assignment a name of its own.")


def _is_installed(module: str) -> bool:
    packages = [path for path in sys.path if path.endswith("-packages")]
    spec = importlib.machinery.PathFinder.find_spec(module, packages)
    return spec is not None and spec.origin is not None


def require_exercise_names(names: Sequence[str]) -> None:
    """Raises UsageError unless exercises can have these names."""
    for name in names:
        if not _NAME.fullmatch(name) or keyword.iskeyword(name):
            raise UsageError(
                f"{name!r} cannot be the name of an exercise; use the name of a function or class, such as layer_norm."
            )
        if hasattr(builtins, name) or name in ("torch", "x"):
            raise UsageError(f"{name!r} means something else in Python; give the exercise a name of its own.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"The exercise {twice[0]} is named twice; name each exercise once.")


def assignment_files(slug: str, exercises: Sequence[str]) -> dict[str, str]:
    """The files of an assignment with the same working example in each exercise, by their places in the course."""
    names = {"slug": slug, "title": slug.replace("_", " ").capitalize(), "salt": secrets.token_hex(8)}
    width = len(str(len(exercises)))
    return {
        f"solutions/{slug}/{slug}.py": _filled("solution.py", names, exercises),
        f"graders/{slug}/assignment.toml": _filled("assignment.toml", names, exercises),
        **{
            f"graders/{slug}/test_{number:0{width}}_{name}.py": _filled("grader.py", names, [name])
            for number, name in enumerate(exercises, 1)
        },
        f"graders/{slug}/misconceptions.py": _filled("misconceptions.py", names, exercises),
        f"assignments/{slug}/test_{slug}.py": _filled("public_tests.py", names, exercises),
        f"assignments/{slug}/README.md": _filled("README.md", names, exercises),
    }


def course_files(root: Path) -> dict[str, str]:
    """The files that belong to the course in this folder as a whole, and to no assignment."""
    names = {"course": re.sub(r"[^\w-]", "-", root.name) or "course"}
    return {name: _filled(name.removeprefix("."), names) for name in ("nbgrader_config.py", ".gitignore")}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Writes files that do not exist yet, into folders that do not exist yet.

    Raises:
        UsageError: one of them exists, and nothing was written; or a file cannot be written.
    """
    new = [root / name if "/" not in name else (root / name).parent for name in files]
    if old := next((path for path in new if os.path.lexists(path)), None):
        raise UsageError(f"{old} exists already, and nothing is overwritten; choose another name.")
    for name, text in files.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {error.strerror}; name another place with --course.") from error
        atomic.replace(path, text.encode())


def _filled(template: str, names: Mapping[str, str], exercises: Iterable[str] = ()) -> str:
    text = (_TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")
    head, _, part = text.partition(_EACH)
    parts = [Template(part).substitute(names, exercise=name) for name in exercises]
    return Template(head).substitute(names) + "".join(parts).rstrip("\n") + "\n" * bool(exercises)
