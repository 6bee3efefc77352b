"""`autograder fairness`: right answers are refused by no check, and each tolerance has room on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from autograder.course import load_assignment
from autograder.quality.fairness import OWN, Fairness, measured, others, rate
from autograder.quality.margins import Margin
from autograder.quality.rewrites import REWRITES, Rewritten
from command_line import autograder
from toy_course import check, grader, toy_course, write_files

SOLUTION = """\
import torch


def mean(x):
    return x.mean(-1)


def total(x):
    return x.sum()


def count(x):
    return x.numel()
"""
MISCONCEPTIONS = """\
import torch

from autograder.grading import misconception


@misconception("mean", hint="By what do you divide?")
def divides_by_one_less(x):
    return x.sum(-1) / (x.shape[-1] - 1)


@misconception("total", hint="Is that all?")
def a_little_more(x):
    return x.sum() * (1 + 2e-4)


@misconception("count", hint="All numbers, or rows?")
def counts_rows(x):
    return len(x)
"""
CORPUS = {
    "loops": SOLUTION.replace("x.mean(-1)", "torch.stack([row.sum() / len(row) for row in x.unbind(0)])"),
    "rough": SOLUTION.replace("x.sum()", "x.sum() * (1 + 6e-5)"),
}
NOT_SO_RIGHT = SOLUTION.replace("x.sum()", "x.sum() * (1 + 9e-3)")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course")
    toy_course(
        root,
        exercises={"mean": 2, "total": 2, "count": 1},
        solution=SOLUTION,
        misconceptions=MISCONCEPTIONS,
        checks=grader(
            check("mean", 2, "m.mean(100 + x)"),
            check("total", 2, "m.total(100 + x)"),
            check("count", 1, "m.count(x)"),
            inputs="tensors((5, 7))",
        ),
    )
    return write_files(root, {f"right/{name}.py": source for name, source in CORPUS.items()})


@pytest.mark.slow
def test_narrow_and_wide_tolerances_are_named_and_the_table_says_how_close_it_is(root: Path) -> None:
    done = autograder("fairness", "--right", "right", "--course", ".", "--table", "table.md", cwd=root, columns=200)
    assert done.returncode == 1, done.stdout + done.stderr
    problems = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert len([line for line in problems if " check " in line]) == 2
    assert "check total of total is narrow: a right answer takes 5" in done.stdout.replace("\n", " ")
    assert "check total of total is wide: misconception a_little_more exceeds its tolerance only 1." in done.stdout
    assert "2 problems; right submissions refused: 0/" in done.stdout
    lines = [line.split("|") for line in (root / "table.md").read_text().splitlines() if "demo" in line]
    rows = {cells[2].strip(" `"): cells for cells in lines}
    assert float(rows["mean"][-3]) < 0.1
    assert float(rows["mean"][-2]) > 100
    assert rows["count"][-2].strip() == "–"  # whatever is compared exactly needs no room
    assert rows["all"][-4].strip().startswith("0/")


@pytest.mark.slow
def test_a_right_submission_that_is_refused_is_named(root: Path) -> None:
    fairness = Fairness(load_assignment(root, "demo"))
    fairness.add_right("here", measured(fairness.assignment, {"else": NOT_SO_RIGHT}, OWN).right)
    [problem] = fairness.problems
    assert problem.text.startswith("check total of total refuses else (here): The value differs: it should be ")
    assert (fairness.all_refused, fairness.runs) == (1, 2 + len(REWRITES))


def test_a_folder_without_right_submissions_is_one_sentence(root: Path) -> None:
    done = autograder("fairness", "--right", "{slug}", "--course", ".", cwd=root)
    told = "autograder: There is no .py file in demo; name the folder of right submissions of demo.\n"
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewritten_network_computes_the_same_and_something_was_rewritten(name: str) -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(True),
        torch.nn.AvgPool2d(2),
        torch.nn.Flatten(),
    )
    last = torch.nn.Linear(72, 5)
    x = torch.randn(4, 3, 8, 8, requires_grad=True)

    def results() -> list[torch.Tensor]:
        net[1].reset_running_stats()
        y = last(net(x)).log_softmax(1)
        first, second = y[:, :3], torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
        loss = y.var(0).sum() + (first @ second).square().mean() / y.square().sum() + torch.bmm(x[0], x[1]).mean()
        loss = loss + y.detach().clone().add_(1.0).mul_(y.detach()).sum()
        return [loss.detach(), *torch.autograd.grad(loss, [x, last.weight, net[0].weight])]

    plain = results()
    operators = Counting()
    with operators:
        results()
    rewritten = Counting()
    with rewritten, Rewritten(name):
        got = results()
    for one, other in zip(plain, got, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert rewritten.calls != operators.calls


class Counting(torch.utils._python_dispatch.TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = f"{func} {[one.dtype for one in args if isinstance(one, torch.Tensor)]}"
        self.calls[name] = self.calls.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("refused", "runs", "text"),
    [(0, 0, "–"), (0, 300, "0/300 (< 1.0%)"), (0, 2, "0/2 (< 100.0%)"), (1, 100, "1/100 (< 4.7%)")],
)
def test_the_rate_of_false_deductions_has_its_bound(refused: int, runs: int, text: str) -> None:
    assert rate(refused, runs) == text


def test_only_what_the_processor_has_less_of_is_tried() -> None:
    names = [one.name for one in others("AVX2", ())]
    assert names == ["PyTorch's default", "oneDNN's SSE41", "two threads", "tiny numbers flushed to zero"]
    assert [one.name for one in others("NEON", (Path("/else/python"),))][2:] == ["/else/python"]


def test_a_mistake_must_be_caught_clearly_by_one_check_and_not_by_all(root: Path) -> None:
    fairness = Fairness(load_assignment(root, "demo"))
    fairness.add_mistakes({"a": {"total/one": Margin(False, 1.5), "total/two": Margin(False, 50.0)}})
    assert not fairness.problems
    fairness.add_mistakes({"b": {"total/one": Margin(False, 1.5), "total/two": Margin(True, 0.9)}})
    [problem] = fairness.problems
    assert problem.text.startswith("check one of total is wide: misconception b")
