"""`autograder new`: what it writes, and what it refuses. That all commands work on it is tested with the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.course import load_assignment
from autograder.course.skeletons import skeleton


def new(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["new", *map(str, arguments)])


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_course_begins_with_a_working_assignment(tmp_path):
    done = new("demo", "--exercise", "layer_norm", "--exercise", "attention", "--course", tmp_path)
    assert done.exit_code == 0, done.output
    assert sorted(contents(tmp_path)) == [
        ".gitignore",
        "assignments/demo/README.md",
        "assignments/demo/test_demo.py",
        "graders/demo/assignment.toml",
        "graders/demo/misconceptions.py",
        "graders/demo/test_1_layer_norm.py",
        "graders/demo/test_2_attention.py",
        "nbgrader_config.py",
        "solutions/demo/demo.py",
    ]
    assert all(name in done.output for name in contents(tmp_path))
    for step in ("release demo", "verify demo", "grade solutions/demo/demo.py", "batch FOLDER -a demo -o out", "check"):
        assert f"autograder {step}" in done.output
    assert load_assignment(tmp_path, "demo").exercises == {"layer_norm": 10, "attention": 10}
    assert skeleton((tmp_path / "solutions/demo/demo.py").read_text()).count("raise NotImplementedError()") == 2


def test_a_second_assignment_leaves_the_course_as_it_is_and_has_a_salt_of_its_own(tmp_path, monkeypatch):
    new("one", "--course", tmp_path)
    before = contents(tmp_path)
    monkeypatch.chdir(tmp_path / "solutions" / "one")  # the course is found from any folder in it
    assert new("two").exit_code == 0
    after = contents(tmp_path)
    assert before.items() <= after.items()
    assert load_assignment(tmp_path, "one").salt != load_assignment(tmp_path, "two").salt


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "graders" / "demo").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("mine\n")
    done = new("demo", "--course", tmp_path)
    assert done.exit_code == 2
    assert "exists already, and nothing is overwritten" in done.output
    assert contents(tmp_path) == {".gitignore": b"mine\n"}
    assert new("other", "--course", tmp_path).exit_code == 0
    assert contents(tmp_path)[".gitignore"] == b"mine\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["my-course"],
        ["class"],
        ["Demo"],
        ["../demo"],
        [""],
        ["torch"],
        ["statistics"],
        ["test_demo"],
        ["demo", "--exercise", "layer norm"],
        ["demo", "--exercise", "a__b"],
        ["demo", "--exercise", "lambda"],
        ["demo", "--exercise", "sum"],
        ["demo", "--exercise", "one", "--exercise", "one"],
    ],
    ids=" ".join,
)
def test_names_that_cannot_be_used_get_a_sentence(arguments, tmp_path):
    done = new(*arguments, "--course", tmp_path)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert done.output.startswith("autograder: ")
    assert done.output.endswith(".\n")
    assert not contents(tmp_path)
