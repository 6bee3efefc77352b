"""The course on disk: its assignments, and the skeletons and notebooks that are made from its solutions."""

from autograder.course.assignment import (
    Assignment,
    Limits,
    assignment_slugs,
    find_course,
    load_assignment,
    require_exercises,
)

__all__ = ["Assignment", "Limits", "assignment_slugs", "find_course", "load_assignment", "require_exercises"]
