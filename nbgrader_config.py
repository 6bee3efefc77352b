"""nbgrader's settings for this course. Run the nbgrader commands in this folder; docs/nbgrader.md goes through them."""

from pathlib import Path

from autograder.platforms.nbgrader.settings import configure

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = "networks"

# solutions/ → assignments/, our grading in the place of nbgrader's own. What you set below this line has the last word.
configure(c, Path(__file__).parent)
