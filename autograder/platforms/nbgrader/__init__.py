"""Support for nbgrader: its commands work on the course's tree, and we grade. Needs the extra `nbgrader`."""
