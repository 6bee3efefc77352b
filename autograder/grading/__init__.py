"""What the author of a grader imports. See docs/authoring.md."""

from autograder.grading.marks import exercise, forbids, misconception, points, time_limit, unproven, visibility
from autograder.grading.operators import CONVOLUTION, NORMALISATION, PADDING, POOLING
from autograder.grading.questions import expect, expect_tensor
from autograder.grading.tolerance import Tolerance

__all__ = [
    "CONVOLUTION",
    "NORMALISATION",
    "PADDING",
    "POOLING",
    "Tolerance",
    "exercise",
    "expect",
    "expect_tensor",
    "forbids",
    "misconception",
    "points",
    "time_limit",
    "unproven",
    "visibility",
]
