"""Whatever kind of value a solution returns: a right submission passes and a wrong one fails, or the kind is named."""

# ruff: noqa: E501 (lines of the table are data)

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.jobs import Job
from autograder.results.model import CheckResult, Result, State, Status
from autograder.submissions.reading import read_submission
from command_line import autograder
from toy_course import check, grader, toy_course

PREAMBLE = """\
import collections
import dataclasses
import enum
import types

import numpy as np
import torch
from torch import nn

Point = collections.namedtuple("Point", "x y")
Colour = enum.Enum("Colour", "RED GREEN")


@dataclasses.dataclass
class Size:
    width: int
    height: int = 1


class Foo:
    pass


def network(bias):
    layer = nn.Linear(2, 1)
    nn.init.ones_(layer.weight)
    nn.init.constant_(layer.bias, bias)
    return layer


"""
DIAGONAL = "torch.diag(torch.tensor([1.0, 0, 2, 0]))"
OTHER = "torch.diag(torch.tensor([1.0, 0, 3, 0]))"
QUANTISED = "torch.quantize_per_tensor(torch.tensor([1.0, {}]), 0.5, 0, torch.qint8)"
BY_CHANNEL = "torch.quantize_per_channel(torch.ones(2, 2), torch.tensor([0.5, {}]), torch.zeros(2), 0, torch.qint8)"
# What the solution returns, something else of the same type, and what the message then says.
KINDS = {
    "NumPy array": ("np.ones((2, 3))", "np.full((2, 3), 123.0)", "6 of 6 entries differ (marked *): at row 0, column 0"),
    "NumPy array of integers": ("np.arange(3)", "np.arange(3)[::-1]", "2 of 3 entries differ"),
    "NumPy array of booleans": ("np.ones(2, bool)", "np.zeros(2, bool)", "it should be True, but is False."),
    "NumPy array of uint16": ("np.arange(2, dtype='uint16')", "np.ones(2, 'uint16')", "it should be 0, but is 1."),
    "NumPy array of uint64": ("np.full(1, 2**63, 'uint64')", "np.ones(1, 'uint64')", "be 9223372036854775808, but is 1"),
    "NumPy scalar": ("np.float32(1)", "np.float32(2)", "it should be 1, but is 2."),
    "NumPy integer": ("np.int64(1)", "np.int64(2)", "it should be 1, but is 2."),
    "dtype": ("torch.float32", "torch.float64", "should be torch.float32, but is torch.float64."),
    "NumPy dtype": ("np.dtype('int8')", "np.dtype('int16')", "should be np.dtype('int8'), but is np.dtype('int16')."),
    "device": ("torch.device('cpu')", "torch.device('cuda')", "should be device(type='cpu'), but is device(type='cuda')."),
    "Size": ("torch.Size([2, 3])", "torch.Size([3, 2])", "Entry [0] should be 2, but is 3."),
    "layout": ("torch.strided", "torch.sparse_coo", "should be torch.strided, but is torch.sparse_coo."),
    "memory format": ("torch.channels_last", "torch.contiguous_format", "should be torch.channels_last, but is"),
    "dict": ("{'a': 1}", "{'a': 2}", "The a should be 1, but is 2."),
    "OrderedDict": ("collections.OrderedDict(a=1)", "collections.OrderedDict(a=2)", "The a should be 1, but is 2."),
    "defaultdict": ("collections.defaultdict(int, a=1)", "collections.defaultdict(int, a=2)", "The a should be 1, but is"),
    "Counter": ("collections.Counter('aab')", "collections.Counter('abb')", "The a should be 2, but is 1."),
    "mappingproxy": ("types.MappingProxyType({'a': 1})", "types.MappingProxyType({'a': 2})", "The a should be 1, but is"),
    "state_dict": ("network(1).state_dict()", "network(2).state_dict()", "The bias: the value differs: at index [0] it sh"),
    "dict with integers as keys": ("{1: 'a', 2: 'b'}", "{1: 'a', 3: 'b'}", "The result lacks 2 and should not contain 3."),
    "dict with floats as keys": ("{0.5: 1}", "{0.25: 1}", "The result lacks 0.5 and should not contain 0.25."),
    "dict with tuples as keys": ("{(1, 2): 3}", "{(1, 2): 4}", "Entry (1, 2) should be 3, but is 4."),
    "dict with dtypes as keys": ("{torch.int8: 1}", "{torch.int16: 1}", "lacks torch.int8 and should not contain torch.i"),
    "dict with an enum as keys": ("{Colour.RED: 1}", "{Colour.GREEN: 1}", "lacks Colour.RED and should not contain Colour"),
    "set": ("{1, 2}", "{1, 3}", "The result lacks 2 and should not contain 3."),
    "frozenset": ("frozenset('ab')", "frozenset('ac')", "The result lacks 'b' and should not contain 'c'."),
    "complex": ("1 + 2j", "1 - 2j", "should be (1+2j), but is (1-2j)."),
    "dataclass": ("Size(2, 3)", "Size(2, 4)", "The height should be 3, but is 4."),
    "named tuple": ("Point(1, 2)", "Point(1, 3)", "The y should be 2, but is 3."),
    "enum": ("Colour.RED", "Colour.GREEN", "The result should be Colour.RED, but is Colour.GREEN."),
    "slice": ("slice(1, 3)", "slice(1, 4)", "should be slice(1, 3, None), but is slice(1, 4, None)."),
    "range": ("range(3)", "range(4)", "should be range(0, 3, 1), but is range(0, 4, 1)."),
    "bytes": ("b'ab'", "b'ac'", "should be b'ab', but is b'ac'."),
    "bytearray": ("bytearray(b'ab')", "bytearray(b'ac')", "should be bytearray(b'ab'), but is bytearray(b'ac')."),
    "long text": ("'x' * 9_000", "'x' * 8_999 + 'y'", "The result is right up to character 8999. Then it should go on with 'x', but"),
    "Parameter": ("nn.Parameter(torch.ones(2))", "nn.Parameter(torch.zeros(2))", "it should be 1, but is 0."),
    "list of parameters": ("list(network(1).parameters())", "list(network(2).parameters())", "Entry [1]: the value differ"),
    "named results": ("torch.ones(1, 1).max(1)", "torch.zeros(1, 1).max(1)", "Entry [0]: the value differs"),
    "COO tensor": (f"{DIAGONAL}.to_sparse()", f"{OTHER}.to_sparse()", "The values: 1 of 2 entries differ"),
    "CSR tensor": (f"{DIAGONAL}.to_sparse_csr()", f"{OTHER}.to_sparse_csr()", "The values: 1 of 2 entries differ"),
    "CSC tensor": (f"{DIAGONAL}.to_sparse_csc()", f"{OTHER}.to_sparse_csc()", "The values: 1 of 2 entries differ"),
    "BSR tensor": (f"{DIAGONAL}.to_sparse_bsr(2)", f"{OTHER}.to_sparse_bsr(2)", "The values: 1 of 8 entries differ"),
    "BSC tensor": (f"{DIAGONAL}.to_sparse_bsc(2)", f"{OTHER}.to_sparse_bsc(2)", "The values: 1 of 8 entries differ"),
    "sparse tensor's size": ("torch.zeros(3, 3).to_sparse()", "torch.zeros(3, 4).to_sparse()", "but is a sparse tensor of"),
    "quantised tensor": (QUANTISED.format(2.0), QUANTISED.format(3.0), "The integers: 1 of 2 entries differ"),
    "quantised by channel": (BY_CHANNEL.format(1), BY_CHANNEL.format(0.25), "The scale: 1 of 2 entries differ"),
    "meta tensor": ("torch.ones(2, device='meta')", "torch.ones(3, device='meta')", "but is a tensor of shape (3,) (float"),
    "0-d tensor": ("torch.tensor(1.0)", "torch.tensor(2.0)", "it should be 1, but is 2."),
    "empty tensor": ("torch.ones(0, 2)", "torch.ones(0, 3)", "should have shape 0×2, but has shape 0×3."),
    "tensor of uint32": ("torch.ones(1).to(torch.uint32)", "torch.zeros(1).to(torch.uint32)", "should be 1, but is 0."),
    "tensor of float8": ("torch.ones(1).to(torch.float8_e5m2)", "torch.zeros(1).to(torch.float8_e5m2)", "be 1, but is 0."),
    "long list of floats": ("[0.5] * 20_000", "[0.5] * 19_999 + [0.25]", "Entry [19999] should be 0.5, but is 0.25."),
    "long tuple of integers": ("tuple(range(99_999))", "(0,) * 99_999", "Entry [1] should be 1, but is 0."),
    "nested lists": ("[[0.5] * 200] * 200", "[[0.5] * 200] * 199 + [[0.25] * 200]", "Entry [199] [0] should be 0.5, but is"),
    "NumPy scalars in a dict": ("{'loss': np.float64(1)}", "{'loss': np.float64(2)}", "The loss: the value differs: it should be 1, but is 2."),
}  # fmt: skip
NAMED = {
    "object": ("Foo()", "a Foo"),
    "network": ("network(1)", "a Linear"),
    "module": ("np", "a module"),
    "function": ("network", "a function"),
    "generator": ("(n for n in ())", "a generator"),
    "class": ("Foo", "a class"),
    "nested tensor": ("torch.nested.nested_tensor([torch.ones(1)])", "a nested tensor"),
    "array of objects": ("np.array([Foo()])", "a NumPy array of shape (1,) (object)"),
    "object in a list": ("[1, Foo()]", "a Foo (entry [1])"),
    "long list of objects": ("[None] * 30_000", "a list of 30000 entries"),
}
ADVICE = "return its values (tensors, numbers, strings, lists, dicts) instead"


def source(*expressions: str) -> str:
    """A module whose functions `value_0`, `value_1`, … return these."""
    return PREAMBLE + "\n\n".join(
        f"def value_{number}():\n    ### BEGIN SOLUTION\n    return {expression}\n    ### END SOLUTION\n"
        for number, expression in enumerate(expressions)
    )


def course(root: Path, *expressions: str) -> Path:
    names = [f"value_{number}" for number in range(len(expressions))]
    checks = grader(*(check(name, 1, f"m.{name}()", name=name) for name in names))
    return toy_course(root, exercises=dict.fromkeys(names, 1), solution=source(*expressions), checks=checks)


@pytest.fixture
def grade(engine, tmp_path):
    def run(solution: list[str], submission: list[str]) -> Result:
        path = tmp_path / "demo.py"
        path.write_text(source(*submission))
        root = course(tmp_path / "course", *solution)
        return engine.grade(Job(str(root), "demo", read_submission(path, "demo")))

    return run


def graded_all(engine, folder: Path, column: int) -> dict[str, CheckResult]:
    """The results of all kinds, graded as one submission that returns this column of the table."""
    (folder / "demo.py").write_text(source(*(kind[column] for kind in KINDS.values())))
    root = course(folder / "course", *(kind[0] for kind in KINDS.values()))
    result = engine.grade(Job(str(root), "demo", read_submission(folder / "demo.py", "demo")))
    assert result.state is State.GRADED, result.log
    return dict(zip(KINDS, result.checks, strict=True))


@pytest.fixture(scope="module")
def right(engine, tmp_path_factory) -> dict[str, CheckResult]:
    return graded_all(engine, tmp_path_factory.mktemp("right"), 0)


@pytest.fixture(scope="module")
def wrong(engine, tmp_path_factory) -> dict[str, CheckResult]:
    return graded_all(engine, tmp_path_factory.mktemp("wrong"), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_value_passes_and_another_of_its_type_fails_with_a_message(right, wrong, kind):
    assert right[kind].status is Status.PASSED
    assert wrong[kind].status is Status.FAILED
    assert KINDS[kind][2] in wrong[kind].message
    assert len(wrong[kind].message) < 600
    assert "object at 0x" not in wrong[kind].message
    example = wrong[kind].counterexample
    if kind != "long text":
        assert (example.expected.kind, example.expected.text) != (example.got.kind, example.got.text)


def test_a_submission_that_returns_what_cannot_be_compared_is_told_what_it_is(grade):
    expected = ["torch.ones(2, 3)"] * 3
    result = grade(expected, ["Foo()", "torch.ones(2, 3).numpy()", "[torch.ones(2, 3), network(1)]"])
    assert [check.status for check in result.checks] == [Status.FAILED] * 3
    what, array, sequence = (check.message for check in result.checks)
    tensor = "The result should be a tensor of shape 2×3 (float32), but is"
    assert what == f"{tensor} a Foo, which cannot be compared."
    assert array == f"{tensor} a NumPy array of shape 2×3 (float32)."
    assert sequence == f"{tensor} a list."


@pytest.mark.parametrize("kind", NAMED)
def test_a_reference_that_returns_what_cannot_be_compared_is_the_graders_error(grade, kind):
    """Whatever the submission returns: the very same, or something else of the same type."""
    expression, what = NAMED[kind]
    result = grade([expression, "1"], [expression, "1"])
    assert result.state is State.ERROR
    assert [check.status for check in result.checks] == [Status.ERROR, Status.PASSED]
    (line,) = result.log
    assert f"test_value_0: the reference returns {what}, which " in line
    assert ADVICE in line


def test_verify_names_the_check_whose_reference_cannot_be_compared(tmp_path):
    run = autograder("verify", "demo", "--course", course(tmp_path, "Foo()"), columns=400)
    assert run.returncode == 1
    assert f"the reference returns a Foo, which cannot be compared; {ADVICE}" in run.stdout + run.stderr


LARGE = "torch.ones(60 * 2**20)"  # 240 MB


def test_a_large_result_is_compared_by_value(grade):
    assert grade([LARGE], [LARGE]).points == 1
    (check,) = grade([LARGE], [f"{LARGE}.index_fill_(0, torch.tensor([7]), 2)"]).checks
    assert check.status is Status.FAILED
    assert check.message.startswith("1 of 62914560 entries differ (marked *): at index [7] it should be 1, but is 2.")


def test_a_result_that_is_too_large_for_any_answer_is_the_graders_error(grade):
    result = grade(["torch.ones(70 * 2**20)"], ["torch.ones(70 * 2**20)"])
    assert result.state is State.ERROR
    assert "returns a tensor of shape (73400320,) (float32), which is too large to be compared; " in result.log[0]


def test_an_answer_far_larger_than_the_right_one_is_not_sent(grade):
    result = grade(["torch.ones(3)"] * 2, ["torch.ones(2**21)", "torch.ones(3)"])
    assert [check.status for check in result.checks] == [Status.FAILED, Status.PASSED]
    assert result.checks[0].message == (
        "The result should be a tensor of shape (3,) (float32), but is a tensor of shape (2097152,) (float32), which is "
        "too large to be compared."
    )
