"""What is forbidden is found however it is written, and nothing else is taken for it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import einsum, nn
from torch import matmul as product
from torch.nn.functional import linear as affine

from autograder.grading import CONVOLUTION, NORMALISATION, PADDING, POOLING
from autograder.grading.operators import forbidden_use, unknown_patterns
from autograder.jobs import Job
from autograder.results.model import Result, State, Status
from autograder.sandbox.observation import Functions, Operators
from autograder.sandbox.values import Work
from autograder.submissions.reading import read_submission
from toy_course import toy_course

x = torch.rand(3, 3, dtype=torch.float64)
signal, kernel = torch.rand(2, 3, 8, dtype=torch.float64), torch.rand(4, 3, 3, dtype=torch.float64)
images = torch.rand(2, 3, 6, 6)
labels = torch.tensor([0, 2, 1])


def used(call, *patterns: str) -> str:
    """What the student is told about `call` where `patterns` are forbidden."""
    with Operators() as operators, Functions() as functions:
        call()
    return forbidden_use(patterns, Work(operators=operators.counts, functions=functions.calls))


def lstm():
    return nn.LSTM(3, 4)(x.float())


def attention():
    return nn.MultiheadAttention(4, 2)(*[torch.rand(2, 3, 4)] * 3)


class Own(nn.Linear):
    """Inherits the work of PyTorch's layer."""


class Rewritten(nn.BatchNorm1d):
    """Has only the parameters of PyTorch's layer."""

    def forward(self, values):
        return values * self.weight + self.bias


WAYS = [
    ("matmul", lambda: x @ x),
    ("matmul", lambda: x.__rmatmul__(x)),
    ("matmul", lambda: torch.matmul(x, x)),
    ("matmul", lambda: x.matmul(x)),
    ("matmul", lambda: product(x, x)),
    ("matmul", lambda: torch.Tensor.matmul(x, x)),
    ("matmul", lambda: torch.linalg.matmul(x, x)),
    ("matmul", lambda: torch.ops.aten.matmul(x, x)),
    ("torch.matmul", lambda: x @ x),
    ("Tensor.matmul", lambda: product(x, x)),
    ("torch.Tensor.matmul", lambda: x @ x),
    ("mm", lambda: x @ x),  # as dispatched
    ("aten.mm", lambda: x @ x),
    ("einsum", lambda: torch.einsum("ij,jk", x, x)),
    ("einsum", lambda: einsum("ij,jk", x, x)),
    ("torch.einsum", lambda: einsum("ij,jk", x, x)),
    ("einsum", lambda: torch.functional.einsum("ij,jk", x, x)),
    ("linear", lambda: F.linear(x, x)),
    ("linear", lambda: affine(x, x)),
    ("linear", lambda: nn.Linear(3, 3)(x.float())),
    ("linear", lambda: nn.LazyLinear(3)(x.float())),
    ("linear", lambda: nn.Sequential(nn.Flatten(), nn.Linear(3, 3))(x.float())),
    ("F.linear", lambda: nn.Linear(3, 3)(x.float())),
    ("linear", lambda: torch.ops.aten.linear(x, x)),
    ("nn.Linear", lambda: nn.Linear(3, 3)(x.float())),
    ("nn.Linear", lambda: nn.LazyLinear(3)(x.float())),
    ("nn.Linear", lambda: Own(3, 3)(x.float())),
    ("Linear", lambda: nn.Sequential(nn.Linear(3, 3))(x.float())),
    ("outer", lambda: torch.outer(x[0], x[0])),
    ("outer", lambda: x[0].outer(x[0])),
    ("outer", lambda: torch.ger(x[0], x[0])),
    ("torch.ger", lambda: x[0].outer(x[0])),
    ("kron", lambda: torch.kron(x, x)),
    ("kron", lambda: x.kron(x)),
    ("conv1d", lambda: F.conv1d(signal, kernel)),
    ("conv1d", lambda: torch.conv1d(signal, kernel)),
    ("torch.conv1d", lambda: F.conv1d(signal, kernel)),
    ("nn.functional.conv1d", lambda: nn.Conv1d(3, 4, 3)(signal.float())),
    ("nn.Conv1d", lambda: nn.Conv1d(3, 4, 3)(signal.float())),
    ("scaled_dot_product_attention", lambda: F.scaled_dot_product_attention(signal, signal, signal)),
    ("torch.nn.functional.scaled_dot_product_attention", lambda: F.scaled_dot_product_attention(x, x, x)),
    ("*attention*", attention),
    ("MultiheadAttention", attention),
    ("nn.MultiheadAttention", attention),
    ("cross_entropy", lambda: F.cross_entropy(x, labels)),
    ("cross_entropy", lambda: nn.CrossEntropyLoss()(x, labels)),
    ("torch.nn.functional.cross_entropy", lambda: nn.CrossEntropyLoss()(x, labels)),
    ("cosine_similarity", lambda: F.cosine_similarity(x, x)),
    ("cosine_similarity", lambda: torch.cosine_similarity(x, x)),
    ("cosine_similarity", lambda: nn.CosineSimilarity()(x, x)),
    ("one_hot", lambda: F.one_hot(labels)),
    ("dropout", lambda: F.dropout(x)),
    ("dropout", lambda: torch.dropout(x, 0.5, False)),
    ("dropout", lambda: nn.Dropout()(x)),
    ("dropout", lambda: nn.Dropout().eval()(x)),
    ("dropout", lambda: F.dropout(x.clone(), inplace=True)),
    ("nn.Dropout", lambda: nn.Dropout().eval()(x)),
    ("nn.Identity", lambda: nn.Identity()(x)),
    ("lstm", lstm),
    ("nn.LSTM", lstm),
    ("LSTM", lstm),
    ("exp", lambda: x.clone().exp_()),
    ("cat", lambda: torch.concat([x, x])),
    ("concat", lambda: torch.cat([x, x])),
    ("sigmoid", lambda: torch.special.expit(x)),
    ("expit", lambda: F.sigmoid(x)),
    ("special.expit", lambda: x.sigmoid()),
    ("Tensor.clamp", lambda: x.clip(0, 1)),
    ("F.softmax", lambda: torch.softmax(x, 0)),
    ("torch.softmax", lambda: nn.Softmax(0)(x)),
    ("linalg.norm", lambda: torch.linalg.norm(x)),
    ("linalg_norm", lambda: torch.linalg.norm(x)),
    ("unfold", lambda: x.unfold(0, 2, 1)),
    ("F.unfold", lambda: F.unfold(images, 2)),
    ("Tensor.T", lambda: x.T),
]
FAMILIES = [
    (POOLING, lambda: F.max_pool2d(images, 2)),
    (POOLING, lambda: torch.max_pool2d(images, 2)),
    (POOLING, lambda: nn.AdaptiveAvgPool2d(1)(images)),
    (POOLING, lambda: F.lp_pool2d(images, 2.0, 2)),
    (PADDING, lambda: F.pad(images, (1, 1))),
    (PADDING, lambda: F.pad(images, (0, 0))),
    *((PADDING, lambda mode=mode: F.pad(images, (1, 1, 1, 1), mode)) for mode in ("reflect", "replicate", "circular")),
    (PADDING, lambda: nn.ZeroPad2d(1)(images)),
    (CONVOLUTION, lambda: F.conv1d(signal, kernel)),
    (CONVOLUTION, lambda: F.conv_transpose1d(signal, kernel.transpose(0, 1))),
    (CONVOLUTION, lambda: nn.LazyConv2d(4, 3)(images)),
    (NORMALISATION, lambda: F.layer_norm(x, (3,))),
    (NORMALISATION, lambda: F.batch_norm(images, torch.zeros(3), torch.ones(3))),
    (NORMALISATION, lambda: nn.InstanceNorm2d(3)(images)),
]


@pytest.mark.parametrize(("pattern", "call"), WAYS)
def test_what_is_forbidden_is_found_however_it_is_written(pattern, call):
    assert used(call, pattern)
    assert not used(call, "no_such_function", "torch.logdet", "nn.GRU", "*fold_of*")


@pytest.mark.parametrize(("family", "call"), FAMILIES)
def test_the_families_contain_functions_and_layers(family, call):
    assert used(call, *family)
    assert not any(used(call, *other) for other in (POOLING, PADDING, CONVOLUTION, NORMALISATION) if other != family)


@pytest.mark.parametrize(
    ("pattern", "call"),
    [
        ("matmul", lambda: F.linear(x, x)),  # what an allowed function calls does not count
        ("linear", lambda: x @ x),
        ("*batch_norm*", lambda: F.layer_norm(x, (3,))),
        ("softmax", lambda: F.cross_entropy(x, labels)),
        ("pad", lambda: F.conv1d(signal, kernel, padding=1)),
        ("Tensor.unfold", lambda: F.unfold(images, 2)),  # two functions with one name
        ("F.unfold", lambda: x.unfold(0, 2, 1)),
        ("nn.BatchNorm1d", lambda: Rewritten(3)(x.float())),
        ("nn.Dropout", lambda: F.dropout(x)),
        ("nn.LSTM", lambda: nn.GRU(3, 4)(x.float())),
        ("exp_", lambda: x.exp()),
        ("linalg.*", lambda: torch.norm(x)),
        ("torch.einsum", lambda: x @ x),
        ("torch.mm", lambda: x @ x),  # a name with a dot is for what is called
        ("cross_entropy", lambda: nn.NLLLoss()(x, labels)),
    ],
)
def test_what_is_allowed_is_not_taken_for_what_is_forbidden(pattern, call):
    assert not used(call, pattern)


@pytest.mark.parametrize(
    ("pattern", "call", "told"),
    [
        ("einsum", lambda: einsum("ij,jk", x, x), "uses torch.einsum, which"),
        ("matmul", lambda: x @ x, "uses Tensor.matmul (also written @), which"),
        ("linear", lambda: affine(x, x), "uses torch.nn.functional.linear, which"),
        ("linear", lambda: Own(3, 3)(x.float()), "uses torch.nn.Linear, which calls torch.nn.functional.linear. "),
        ("nn.Linear", lambda: nn.Linear(3, 3)(x.float()), "uses torch.nn.Linear, which this"),
        ("*pool*", lambda: F.max_pool2d(images, 2), "uses torch.nn.functional.max_pool2d, which"),
        ("mm", lambda: x @ x, "uses PyTorch's operator mm, which"),
    ],
)
def test_the_student_reads_what_they_wrote(pattern, call, told):
    assert told in used(call, pattern)


def test_patterns_that_match_nothing_are_unknown():
    real = [pattern for pattern, _ in WAYS] + ["scaled_dot_product_*", "F.tanh", "Tensor.__getitem__", "nn.GRU"]
    families = [*POOLING, *PADDING, *CONVOLUTION, *NORMALISATION]
    typos = ["maxpool", "nn.LSTMS", "torch.einsumm", "numpy.*", "F.einsum", "einsum()", ""]
    assert unknown_patterns(real + families + typos) == typos


def test_names_that_no_honest_worker_reports_are_ignored():
    hostile = {"torch." + "e" * 10_000: "", **{f"torch.f{number}": "" for number in range(5_000)}, "torch.einsum": ""}
    assert forbidden_use(("e*",), Work(functions=hostile)) == ""
    assert forbidden_use(("*",), Work(operators={"x" * 10_000: 1})) == ""
    assert len(forbidden_use(("e*",), Work(functions={"torch.einsum": "y" * 10_000}))) < 200
    for strange in ("", ".", "..", "torch.", ".x", "torch._dynamo", "torch.__path__", "nn.", "____", "Tensor.__", "\0"):
        forbidden_use(("zzz",), Work(functions={strange: ""}, operators={strange: 1}))


SOLUTION = """
import torch


def scores(x):
    return (x[:, None, :] * x[None, :, :]).sum(-1)


def mixed(x):
    return x @ x.mT


class Layer(torch.nn.Module):
    def forward(self, x):
        return x + 1
"""
CHECKS = '''
import torch

from autograder.grading import exercise, forbids, points

x = torch.arange(6.0).reshape(2, 3)


@exercise("scores")
@forbids("matmul", "torch.einsum", ("F.linear", "nn.LSTM"))
@points(1)
def test_scores(same_outcome):
    """The products."""
    same_outcome(lambda m: m.scores(x))


@exercise("mixed")
@forbids("einsum")
@points(1)
def test_mixed(same_outcome):
    """The products, with matmul."""
    same_outcome(lambda m: m.mixed(x))


@exercise("Layer")
@forbids("nn.Identity")
@points(1)
def test_layer(same_outcome):
    """One more."""
    same_outcome(lambda m: m.Layer()(x))
'''
LOOP = "(x[:, None, :] * x[None, :, :]).sum(-1)"


@pytest.fixture
def grade(engine, tmp_path):
    exercises = {"scores": 1, "mixed": 1, "Layer": 1}
    course = toy_course(tmp_path / "course", exercises=exercises, solution=SOLUTION, checks=CHECKS)

    def run(source: str) -> Result:
        path = tmp_path / "demo.py"
        path.write_text(source)
        return engine.grade(Job(str(course), "demo", read_submission(path, "demo")))

    return run


def test_a_right_submission_that_uses_something_else_gets_everything(grade):
    result = grade(SOLUTION)
    assert (result.state, result.points, result.log) == (State.GRADED, 3, ())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x @ x.mT", "Tensor.matmul (also written @)"),
        ('torch.einsum("ij,kj->ik", x, x)', "torch.einsum"),
        ("torch.nn.functional.linear(x, x)", "torch.nn.functional.linear"),
    ],
)
def test_a_forbidden_function_fails_only_the_checks_that_forbid_it(grade, code, told):
    result = grade(SOLUTION.replace(LOOP, code))
    scores, *others = result.checks
    assert scores.message == f"Your code uses {told}, which this exercise asks you to write yourself."
    assert [check.status for check in others] == [Status.PASSED] * 2


def test_a_forbidden_layer_that_computes_nothing_is_found(grade):
    layer = grade(SOLUTION.replace("return x + 1", "return torch.nn.Identity().eval()(x + 1)")).checks[2]
    assert "torch.nn.Identity" in layer.message


@pytest.mark.parametrize(
    "trick",
    [
        "torch.overrides._pop_mode()",
        "torch.overrides.BaseTorchFunctionMode().__enter__()",
        "torch.set_default_device('cpu')",
        "torch.nn.Module._call_impl = torch.nn.Module.__call__ = lambda self, x: self.forward(x)",
        "torch.overrides.handle_torch_function(type('f', (), {'__hash__': None})(), (x,), x)",
        "torch.overrides._push_mode(None)",
    ],
)
def test_code_that_disturbs_the_watching_harms_only_itself(grade, trick):
    source = SOLUTION.replace("    return (x", f"    import torch.overrides\n    {trick}\n    return (x")
    result = grade(source)
    assert result.state is State.GRADED
    assert [check.status for check in result.checks[1:]] == [Status.PASSED] * 2
