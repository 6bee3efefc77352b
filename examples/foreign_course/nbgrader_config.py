"""nbgrader's settings for this course. Run the nbgrader commands in this folder."""

from pathlib import Path

from autograder.platforms.nbgrader.settings import configure

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = "foreign_course"

# solutions/ → assignments/, and the hidden graders instead of nbgrader's own. What you set below this line takes precedence.
configure(c, Path(__file__).parent)
