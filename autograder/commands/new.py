"""`autograder new`: begins an assignment, in an empty folder or in a course."""

from __future__ import annotations

from pathlib import Path

from autograder.authoring import scaffold
from autograder.course import assignment_slugs

EXAMPLE = "centred"


def run(slug: str, exercises: tuple[str, ...], *, course: Path | None = None) -> int:
    """Writes the assignment's three folders with a working example, and in a new course its settings; prints what comes
    next. Returns the exit code.

    Raises:
        UsageError: a name cannot be used, or there is such an assignment already; nothing was written.
    """
    exercises = exercises or (EXAMPLE,)
    scaffold.require_slug(slug)
    scaffold.require_exercise_names(exercises)
    root = _root(course)
    files = scaffold.assignment_files(slug, exercises)
    files |= {name: text for name, text in scaffold.course_files(root).items() if not (root / name).exists()}
    scaffold.write(root, files)
    print(f"New in {root}:")
    for name in files:
        print(f"  {name}")
    print("\nIt works as it is. Next, in that folder:")
    for command, does in _NEXT:
        print(f"  {command.format(slug=slug):<{len(slug) + 48}}{does}")
    print(_THEN.format(slug=slug))
    return 0


_NEXT = (
    ("autograder release {slug}", "make the students' skeleton and notebook"),
    ("autograder verify {slug}", "are the graders right?"),
    ("autograder grade solutions/{slug}/{slug}.py", "grade a submission"),
    ("autograder batch FOLDER -a {slug} -o out", "grade a folder of submissions"),
    ("cd assignments/{slug} && autograder check", "the public tests, as students run them"),
)
_THEN = """
Then replace the example in solutions/{slug}/, graders/{slug}/ and assignments/{slug}/ with your own, and run release
and verify again. Hand out the folder assignments/{slug}/ and nothing else."""


def _root(course: Path | None) -> Path:
    """The folder that is named, else the nearest course, else this folder."""
    start = (course or Path.cwd()).resolve()
    above = () if course else start.parents
    return next((folder for folder in (start, *above) if assignment_slugs(folder)), start)
