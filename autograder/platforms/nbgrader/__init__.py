"""The door for nbgrader: its commands work on the course's tree, and grading is ours. Needs the extra `nbgrader`."""
