"""A course of another subject, begun with `autograder new`: its graders are right, and as short as the pages say."""

from __future__ import annotations

import shutil
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from autograder.authoring.scaffold import assignment_files
from autograder.course import load_assignment
from autograder.results import classroom50, github, prairielearn
from command_line import ROOT, autograder
from results import test_formats as formats
from results.platform_class import HOSTILE, graded_each
from results.test_gradescope import valid
from toy_course import write_files

COURSE = ROOT / "examples" / "foreign_course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy: the original lies inside another course."""
    return Path(shutil.copytree(COURSE, tmp_path / "course"))


@pytest.mark.slow
def test_its_graders_are_right_and_its_files_up_to_date(course):
    done = autograder("verify", cwd=course)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        done.stdout.count("No problems, 2 warnings; 8 of 8 misconceptions caught") == 2
    )  # 4 each, where 5 are advised
    done = autograder("release", "--check", cwd=course)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_class_of_it_in_every_platforms_form(course):
    right = (course / "solutions/attention/attention.py").read_text(encoding="utf-8")
    scaling, masking = " / math.sqrt(q.shape[-1])", "    if mask is not None:"
    sources = {
        "perfect": right,
        "half": right.replace(scaling, "").replace("    centred = x - x.mean(-1, keepdim=True)", "    return x"),
        "hanging": right.replace(masking, "    while True:\n        pass\n" + masking),
        "hostile": f"TEXT = {HOSTILE!r}\nprint(TEXT, flush=True)\n"
        + right.replace(masking, "    print(TEXT, flush=True)\n    raise RuntimeError(TEXT)\n" + masking),
    }
    write_files(course / "handed_in", {f"{name}/attention.py": text for name, text in sources.items()})
    write_files(course / "handed_in", {"ungradable/notes.txt": "I was ill."})
    toml = course / "graders/attention/assignment.toml"
    toml.write_text(f"examples = 3\n{toml.read_text()}\n[limits]\ncheck_seconds = 0.5\n")
    (course / "graders/attention/misconceptions.py").unlink()  # finding hints takes seconds, and verify does it
    assignment = load_assignment(course, "attention")
    results = graded_each(assignment, {name: course / "handed_in" / name for name in (*sources, "ungradable")})
    points = {name: result.points for name, result in results.items()}
    assert points.pop("perfect") == 20
    assert 0 < points.pop("half") < 10
    assert points == {"hanging": 10, "hostile": 10, "ungradable": 0}
    for name, result in results.items():
        valid(result)
        formats.read_junit(result)
        document = formats.read_json("prairielearn", prairielearn.encode(result))
        assert document["gradable"] == (name != "ungradable")
        assert formats.last_line(result)["scoreboard"][-1] == result.points
        classroom = formats.read_json("classroom50", classroom50.encode(result, formats.IDENTITY, formats.NOW))
        assert classroom["max-score"] == 20
    formats.test_autolabs_last_line_is_ours_and_no_other_line_is_json(results)
    formats.test_markdown_has_what_students_wrote_in_code_only(results)
    for line in github.workflow_commands(results["hostile"]):
        assert line.startswith("::error file=attention.py,line=")
        assert "\n" not in line


def test_two_exercises_take_as_many_lines_as_the_page_says():
    exercises = ["layer_norm", "attention"]
    lines = written = 0
    for name, template in assignment_files("attention", exercises).items():
        if not name.endswith(".md"):
            before, after = (
                [line for line in text.splitlines() if line.strip()]
                for text in (template, (COURSE / name).read_text(encoding="utf-8"))
            )
            changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            lines += len(after)
            written += sum(end - start for kind, _, _, start, end in changes if kind in ("insert", "replace"))
    assert written <= 120
    page = " ".join((ROOT / "docs" / "authoring.md").read_text(encoding="utf-8").split())
    assert f"{lines} lines that are not empty, of which the author wrote {written}" in page
    for exercise in exercises:
        grader = next((COURSE / "graders" / "attention").glob(f"test_*_{exercise}.py")).read_text(encoding="utf-8")
        known = (COURSE / "graders" / "attention" / "misconceptions.py").read_text(encoding="utf-8")
        assert grader.count("def test_") == 6
        assert known.count(f'@misconception("{exercise}"') == 4
