"""Which assignment a submission is for: one image serves them all.

The file's name decides, then the assignment's title on the platform, then what the image was built for. If the file's
name belongs to a different assignment than the title (or, without a title, the image), it is not graded: otherwise a
student could collect the points of an easier assignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Assignment
from autograder.submissions.reading import infer_slug


@dataclass(frozen=True)
class Choice:
    """`assignment` is None if nothing identifies it. If there is a `refusal` (a sentence for the student), nothing is
    graded."""

    assignment: Assignment | None
    reason: str = ""
    refusal: str = ""


def choose(
    submission: Path,
    title: str,
    default: str,
    assignments: Mapping[str, Assignment],
    titles: Mapping[str, Iterable[str]],
) -> Choice:
    """Looks at names only: the submission's contents are not read."""
    by_title = _named_by(title, assignments, titles)
    by_build = [default] if default in assignments else []
    expected = by_title or by_build
    by_file = infer_slug(submission, list(assignments), lambda slug: assignments[slug].other_files, expected)
    if by_file and expected and by_file not in expected:
        right = assignments[expected[0]]
        wanted = " or ".join(right.file_names)
        text = f"The file you handed in is for “{assignments[by_file].title}”, but this assignment is “{right.title}”: "
        return Choice(right, f"refused: a file for {by_file}", f"{text}hand in {wanted}.")
    if by_file:
        return Choice(assignments[by_file], "by the name of the file")
    if len(by_title) == 1:
        return Choice(assignments[by_title[0]], f"by the title “{title}”")
    if by_build:
        return Choice(assignments[default], "by the build argument")
    if len(assignments) == 1:
        return Choice(next(iter(assignments.values())), "it is the only one")
    return Choice(None, _help(title, default, assignments), _looked_for(assignments))


def _named_by(title: str, assignments: Mapping[str, Assignment], titles: Mapping[str, Iterable[str]]) -> list[str]:
    """The assignments that the platform's title names: by one of their titles, or by their short name as a word."""
    wanted = _plain(title)
    if not wanted:
        return []
    for fits in (
        lambda slug: wanted in {slug, _plain(assignments[slug].title), *map(_plain, titles[slug])},
        lambda slug: _plain(assignments[slug].title) in wanted,
        lambda slug: re.search(rf"(?<![^\W_]){re.escape(slug.lower())}(?![^\W_])", wanted),
    ):
        if found := [slug for slug in assignments if fits(slug)]:
            return found
    return []


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _looked_for(assignments: Mapping[str, Assignment]) -> str:
    names = ", ".join(assignment.file_names[0] for assignment in assignments.values())
    return (
        f"Cannot tell which assignment this is for: you handed in no file with one of the names {names} "
        "(or a notebook with one of those names). If you did, tell your instructor."
    )


def _help(title: str, default: str, assignments: Mapping[str, Assignment]) -> str:
    slugs = ", ".join(assignments)
    built = f"ASSIGNMENT={default!r} is not one of our assignments" if default else "the build argument is not set"
    return (
        f"No assignment fits: no file has one of the names {slugs}; the platform's title {title!r} matches none; "
        f"{built}. "
        'Name the assignment on the platform after one of them, write titles = ["…"] under [gradescope] in its '
        "assignment.toml, or build with ASSIGNMENT set."
    )
