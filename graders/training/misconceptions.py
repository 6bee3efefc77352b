"""Known wrong ways."""

from training import accuracy

from autograder.grading import misconception


@misconception("accuracy", hint="The result should be a share from 0 to 1. Yours is larger than 1.")
def returns_a_percentage(logits, labels):
    """100 times too large."""
    return 100 * accuracy(logits, labels)
