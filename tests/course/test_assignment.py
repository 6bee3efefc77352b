"""How assignments are found and what is said when they cannot be read."""

import pytest

from autograder.course import assignment_slugs, find_course, load_assignment
from autograder.errors import UsageError
from toy_course import toy_course


@pytest.fixture
def course(tmp_path):
    return toy_course(tmp_path, exercises={"f": 2, "g": 1.5})


def test_the_course_is_found_from_any_folder_inside_it(course):
    inside = course / "assignments" / "demo"
    inside.mkdir(parents=True)
    assert find_course(inside) == course.resolve()


def test_without_a_course_it_is_said_what_was_looked_for(tmp_path):
    with pytest.raises(UsageError, match=r"graders/<assignment>/assignment\.toml"):
        find_course(tmp_path)


def test_an_assignment_is_read_in_order_with_its_defaults(course):
    assignment = load_assignment(course, "demo")
    assert list(assignment.exercises.items()) == [("f", 2), ("g", 1.5)]
    assert assignment.limits.check_seconds == 5
    assert assignment.file_names == ("demo.py", "demo.ipynb")
    assert assignment_slugs(course) == ["demo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "assignment.toml"),
        ('title = "Demo"\n', "exercises"),
        ('title = "Demo"\n[exercises]\n', "positive number"),
        ('title = "Demo"\n[exercises]\nf = -1\n', "positive number"),
        ('title = "Demo"\n[exercises]\nf = nan\n', "positive number"),
        ('title = "Demo"\nexamplse = 3\n[exercises]\nf = 1\n', "examplse"),
        ('title = "Demo"\n[exercises]\nf = 1\n[limits]\nmemory = 3\n', "memory"),
        ('title = "Demo"\n[exercises]\nf = "much"\n', "exercises"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(course, text, words):
    (course / "graders/demo/assignment.toml").write_text(text)
    with pytest.raises(UsageError, match=r"Correct .*assignment\.toml") as error:
        load_assignment(course, "demo")
    assert words in str(error.value)


def test_an_unknown_assignment_names_the_known_ones(course):
    with pytest.raises(UsageError, match="choose one of: demo"):
        load_assignment(course, "nope")
