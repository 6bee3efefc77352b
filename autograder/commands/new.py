"""`autograder new`: begins an assignment, in an empty folder or in a course."""

from __future__ import annotations

import re
from pathlib import Path

from autograder.authoring import conversion, scaffold
from autograder.course import assignment_slugs
from autograder.errors import UsageError
from autograder.output.inert import one_line

EXAMPLE = "centred"


def run(
    slug: str | None, exercises: tuple[str, ...], *, notebook: Path | None = None, course: Path | None = None
) -> int:
    """Writes the assignment's three folders, with a working example or with what is in the source `notebook`, and in a
    new course its settings; prints what comes next. Returns the exit code.

    Raises:
        UsageError: a name cannot be used, there is such an assignment already, or the notebook cannot be converted;
            nothing was written.
    """
    if notebook and exercises:
        raise UsageError("The exercises of a notebook are those it has; leave out --exercise, or --from.")
    if slug is None:
        if notebook is None:
            raise UsageError("Name the assignment, such as `autograder new attention`.")
        slug = re.sub(r"[^a-z0-9]+", "_", notebook.stem.lower()).strip("_")
    scaffold.require_slug(slug)
    root = _root(course)
    refused: list[str] = []
    if notebook:
        converted = conversion.convert(notebook, slug)
        files, refused = converted.files, converted.refused
    else:
        exercises = exercises or (EXAMPLE,)
        scaffold.require_exercise_names(exercises)
        files = scaffold.assignment_files(slug, exercises)
    files |= {name: text for name, text in scaffold.course_files(root).items() if not (root / name).exists()}
    scaffold.write(root, files)
    print(f"New in {root}:")
    for name in files:
        print(f"  {name}")
    if refused:
        print(f"\nNot converted from {notebook}; write by hand what you need of it:")
        for line in refused:
            print(f"  {one_line(line, 200)}")
    if notebook:
        print(_CONVERTED.format(slug=slug))
    print(f"\n{'' if notebook else 'It works as it is. '}Next, in that folder:")
    for command, does in _NEXT:
        print(f"  {command.format(slug=slug):<{len(slug) + 48}}{does}")
    if not notebook:
        print(_THEN.format(slug=slug))
    return 0


_NEXT = (
    ("autograder release {slug}", "make the students' skeleton and notebook"),
    ("autograder verify {slug}", "are the graders right?"),
    ("autograder grade solutions/{slug}/{slug}.py", "grade a submission"),
    ("autograder batch FOLDER -a {slug} -o out", "grade a folder of submissions"),
    ("cd assignments/{slug} && autograder check", "the public tests, as students run them"),
)
_CONVERTED = """
Every assertion is now a check: what students compute is asked of the solution as well, and the two are compared. verify
will ask for known mistakes: write them in graders/{slug}/misconceptions.py."""
_THEN = """
Then replace the example in solutions/{slug}/, graders/{slug}/ and assignments/{slug}/ with your own, and run release
and verify again. Hand out the folder assignments/{slug}/ and nothing else."""


def _root(course: Path | None) -> Path:
    """The folder that is named, else the nearest course, else this folder."""
    start = (course or Path.cwd()).resolve()
    above = () if course else start.parents
    return next((folder for folder in (start, *above) if assignment_slugs(folder)), start)
