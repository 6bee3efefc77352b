"""The course on disk: its assignments, and the skeletons and notebooks that are made from its solutions."""

from autograder.course.assignment import (
    Assignment,
    Limits,
    assignment_slugs,
    did_you_mean,
    empty_result,
    load_assignment,
    load_assignments,
    read_toml,
    require_exercises,
)
from autograder.course.finding import find_course

__all__ = [
    "Assignment",
    "Limits",
    "assignment_slugs",
    "did_you_mean",
    "empty_result",
    "find_course",
    "load_assignment",
    "load_assignments",
    "read_toml",
    "require_exercises",
]
