"""What slow styles say about the limits, and that those by which the limits were set are right."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from autograder.commands import timing
from autograder.course import load_assignment
from autograder.engine.client import Engine
from autograder.errors import UsageError
from autograder.jobs import Job
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status, Timing
from autograder.timing.styles import StyleDecisions, add, read_styles, slowest
from command_line import ROOT, autograder
from toy_course import write_files

STYLES = ROOT / "benchmarks/styles"


def check(ratio: float | None = 1.0, status: Status = Status.PASSED, exercise: str = "smooth") -> CheckResult:
    timed = None if ratio is None else Timing(ratio, ratio * 0.9, 6, 24, "CPU", 9, 0.01, 0.01)
    points = 0.5 if status is Status.FAILED else 1
    return CheckResult(exercise, "speed", "Fast.", status, 1, points, "That is too slow.", timing=timed, seconds=2)


def found(*checks: CheckResult, style: str = "unfold") -> list[StyleDecisions]:
    styles: dict[tuple[str, str], StyleDecisions] = {}
    for one in checks:
        add(styles, style, (one,))
    return list(styles.values())


@pytest.mark.parametrize(("ratio", "needed"), [(1.0, 2), (4.0, 6), (4.01, 7), (10.0, 15)])
def test_the_limit_is_the_smallest_whole_one_that_leaves_the_margin(ratio: float, needed: int) -> None:
    [style] = found(check(ratio), check(ratio / 2), check(ratio * 2))
    assert (style.ratio, style.needed, style.limit) == (ratio, needed, 6)


@pytest.mark.parametrize(
    ("checks", "problem"),
    [
        ([check(5.0)], ""),
        ([check(7.0)], "smooth in the style unfold takes 7.0 times as long as the solution, and the limit is 6"),
        (
            [check(5.0), check(9.0, Status.FAILED)],
            "smooth in the style unfold loses points (1 of 2 times): That is too slow.",
        ),
        ([check(None, Status.EXCUSED)], "smooth in the style unfold could not be measured because of noise; try again"),
    ],
)
def test_what_does_not_suit_a_style_is_said(checks: list[CheckResult], problem: str) -> None:
    [style] = found(*checks)
    assert style.problem == problem


def test_the_slowest_style_of_each_exercise_counts() -> None:
    unmeasured = check(None, Status.EXCUSED)
    styles = found(check(3.0), check(1.0, exercise="sharp"), check(None, Status.EXCUSED, exercise="blurred"))
    styles += found(check(2.0), check(4.0, exercise="sharp"), unmeasured, style="einsum")
    assert {one.exercise: one.style for one in slowest(styles)} == {"smooth": "unfold", "sharp": "einsum"}


class FakeEngine:
    """Takes the ratio from the last line of a style."""

    def __init__(self, *_: object) -> None: ...
    def __enter__(self) -> FakeEngine:
        return self

    def __exit__(self, *_: object) -> None: ...

    def grade(self, job: Job) -> Result:
        assert job.only_timed
        assert job.device == "cpu"
        ratio = float(re.findall(r"# ([\d.]+)", job.submission.cells[-1].source)[-1])
        one = check(ratio, Status.FAILED if ratio > 6 else Status.PASSED)
        return Result("timed", "Timed", "", State.GRADED, (ExerciseResult("smooth", 1, (one,)),))


@pytest.mark.parametrize(("ratio", "code", "due"), [(3.9, 0, 6), (5.0, 0, 8), (10.0, 1, 15)])
def test_the_command_says_how_large_the_limit_must_be(
    ratio: float,
    code: int,
    due: int,
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(tmp_path, {"timed/float64.py": f"# {ratio}", "timed/views.py": "# 1.5", "other/loops.py": "# 99"})
    monkeypatch.setattr(timing, "Engine", FakeEngine)
    monkeypatch.setenv("COLUMNS", "200")
    assert timing.run(("timed",), styles=tmp_path, decisions=2, device="cpu", course=course) == code
    shown = capsys.readouterr().out
    said = f"smooth: float64 takes {ratio:.1f} times as long as the solution, so full points are due up to {due} times"
    assert f"{said}; the limit is 6" in shown
    assert re.search(r"smooth +views +1\.50 \(1\.50–1\.50\) +0/2 +0/2", shown)
    assert ("smooth in the style float64 loses points (2 of 2 times): That is too slow." in shown) == bool(code)


def test_styles_that_are_wrong_or_do_not_load_are_not_timed_and_fail(course: Path, tmp_path: Path) -> None:
    zeros = "def smooth(x):\n    return torch.zeros_like(x)  # torch is the solution's\n"
    write_files(tmp_path, {"timed/zeros.py": zeros, "timed/broken.py": "def smooth(x)\n"})
    command = ["timing", "timed", "--styles", tmp_path, "--course", course, "--device", "cpu", "--decisions", 1]
    done = autograder(*command, columns=200)
    assert done.returncode == 1, done.stderr
    for style, why in (
        ("zeros", "Not timed: the result is wrong."),
        ("broken", "broken.py could not be read as Python"),
    ):
        assert f"smooth in the style {style} loses points (1 of 1 times): {why}" in done.stdout


def test_a_style_may_belong_to_several_assignments(course: Path, tmp_path: Path) -> None:
    assignment = load_assignment(course, "timed")
    for folder in ("timed", "other+timed", "other", "timed2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"in_{folder}.py").write_text("x = 1\n")
    assert [style.name for style in read_styles(tmp_path, assignment)] == ["in_other+timed", "in_timed"]


def test_a_folder_without_styles_is_refused(course: Path, tmp_path: Path) -> None:
    for named in ((), ("timed",)):
        with pytest.raises(UsageError, match=r"No styles of timed in .*; write .*timed/<style>\.py\."):
            timing.run(named, styles=tmp_path, device="cpu", course=course)


def test_styles_are_not_slowed_down(course: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Leave out --slowed or --styles"):
        timing.run((), styles=tmp_path, slow=3, device="cpu", course=course)


def test_a_style_that_cannot_be_read_is_named(course: Path, tmp_path: Path) -> None:
    (tmp_path / "timed").mkdir()
    (tmp_path / "timed/latin.py").write_bytes(b"# \xff\n")
    with pytest.raises(UsageError, match=r"latin\.py"):
        timing.run(("timed",), styles=tmp_path, device="cpu", course=course)


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted({slug for path in STYLES.iterdir() for slug in path.name.split("+")}))
def test_the_styles_that_limits_were_set_by_are_right(slug: str, engine: Engine) -> None:
    styles = read_styles(STYLES, load_assignment(ROOT, slug))
    assert styles
    job = Job(str(ROOT), slug, styles[0].submission, explain=False)
    timed = tuple({check.exercise for check in engine.grade(msgspec.structs.replace(job, only_timed=True)).checks})
    assert timed
    for style in styles:
        result = engine.grade(msgspec.structs.replace(job, submission=style.submission, exercises=timed))
        assert result.state is State.GRADED, result.log
        lost = [
            (check.exercise, check.name, check.message) for check in result.checks if check.points < check.max_points
        ]
        assert not lost, style.name
