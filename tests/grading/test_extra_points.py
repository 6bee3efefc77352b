"""Bonus points, penalties and points given by hand, on the way from assignment.toml to the total."""

from __future__ import annotations

import pytest

from autograder.course import load_assignment
from autograder.engine.client import Engine
from autograder.errors import UsageError
from autograder.jobs import Job
from autograder.results.model import Result, Status
from autograder.submissions.reading import read_submission
from toy_course import check, grader, toy_course, write_files

RIGHT = "def double(x):\n    return 2 * x\n\n\ndef power(x):\n    return x * x\n"
LOOP = "return torch.stack([2 * number for number in x])"
SUBMISSIONS = {
    "perfect": RIGHT,
    "loops": "import torch\n" + RIGHT.replace("return 2 * x", LOOP),
    "in place": RIGHT.replace("return 2 * x", "return x.mul_(2)"),
    "no bonus": RIGHT.replace("return x * x", "raise NotImplementedError()"),
    "wrong bonus": RIGHT.replace("x * x", "x"),
    "unwritten": RIGHT.replace("return 2 * x", "raise NotImplementedError()"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Result]:
    checks = grader(
        check("double", 4, "m.double(torch.tensor([1.0, 2.0]))"),
        check("double", 0, '[x := torch.ones(3), m.double(x)] and {"x": x}', name="argument"),
        '\n\n@exercise("double")\n@points(0)\ndef test_loop(vectorised):\n'
        "    vectorised(lambda m, x: m.double(x), torch.ones(2), torch.ones(40))\n",
        check("power", 2, "m.power(torch.tensor([1.0, 3.0]))"),
        check("power", 1, "m.power(torch.tensor([1.0]))", name="one"),
    )
    root = toy_course(
        tmp_path_factory.mktemp("course"),
        exercises={"double": 4},
        bonus={"power": 3},
        penalties={"double/argument": 1, "double/loop": 2.5, "power/power": 10},
        cap=6,
        manual={"why": 1, "how": 1.5},
        checks=checks,
        solution=RIGHT,
    )
    write_files(root / "handed_in", {f"{name}/demo.py": text for name, text in SUBMISSIONS.items()})
    with Engine(load_assignment(root, "demo")) as engine:
        return {
            name: engine.grade(Job(str(root), "demo", read_submission(root / "handed_in" / name, "demo")))
            for name in SUBMISSIONS
        }


@pytest.mark.slow
def test_a_bonus_is_on_top_and_what_fails_by_its_answers_takes_points_off(results):
    assert {name: (result.points, result.deduction) for name, result in results.items()} == {
        "perfect": (6, 0),  # 7 with the cap
        "loops": (4.5, 2.5),
        "in place": (6, 1),
        "no bonus": (4, 0),
        "wrong bonus": (0, 10),
        "unwritten": (3, 0),  # what is not there has done nothing wrong
    }
    for result in results.values():
        assert (result.max_points, result.max_bonus, result.limit, result.manual) == (4, 3, 6, 2.5)
        assert all(0 <= check.points <= check.max_points for check in result.checks)
        assert round(sum(result.counted), 6) == result.points
        assert all(0 <= own <= each.max_points for own, each in zip(result.counted, result.exercises, strict=True))
    loop = next(check for check in results["loops"].checks if check.name == "loop")
    assert (loop.status, loop.points, loop.max_points, loop.deduction) == (Status.FAILED, 0, 0, 2.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bonus": {"double": 3}}, "double is both in [exercises] and in [bonus]"),
        ({"bonus": {"power": -1}}, "[bonus] must give power a positive number"),
        ({"penalties": {"double": 1}}, "[penalties] names 'double'; write a check"),
        ({"penalties": {"triple/loop": 1}}, "[penalties] names 'triple/loop'"),
        ({"penalties": {"double/loop": 0}}, "[penalties] must give double/loop a positive number"),
        ({"manual": {"double": 3}}, "[manual] names double, which is an exercise"),
        ({"manual": {"why": 0}}, "[manual] must give why a positive number"),
        ({"cap": 3}, "cap must be at least the 4 points of [exercises]"),
    ],
)
def test_mistakes_in_assignment_toml_are_named(tmp_path, settings, message):
    root = toy_course(tmp_path, exercises={"double": 4}, **settings)
    with pytest.raises(UsageError) as failure:
        load_assignment(root, "demo")
    assert message in str(failure.value)
