"""How values and calls are shown to a student."""

import time
import types

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.grading.comparison import compare
from autograder.grading.showing import call_text, counterexample, show
from autograder.grading.wording import kind_of, short
from autograder.sandbox import shipping
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.values import (
    Member,
    MetaTensor,
    Opaque,
    QuantisedTensor,
    Raised,
    Record,
    Returned,
    SparseTensor,
)


class Half(torch.nn.Module):
    def forward(self, x):
        return x / 2


REFERENCE = types.ModuleType("reference")
exec("def pool(x, size, mode='max'):\n    return x * size", REFERENCE.__dict__)
REFERENCE.Half = lambda scale: Half()  # noqa: ARG005


def test_columns_are_aligned_and_whole_numbers_stay_whole():
    assert show(torch.tensor([[1.0, -20.5], [300.0, 4.0]])).text == "    1  -20.5\n  300      4"


def test_wrong_entries_carry_a_star():
    marks = torch.tensor([[False, True]])
    assert show(torch.tensor([[1.0, 2.0]]), "got", marks).text == "1   2*"


def test_a_large_tensor_fits_a_screen():
    lines = show(torch.zeros(5, 40, 40)).text.splitlines()
    assert len(lines) <= 32
    assert max(map(len, lines)) < 80


def test_slices_that_differ_are_shown_first():
    marks = torch.zeros(9, 1, 1, dtype=torch.bool)
    marks[7] = True
    assert show(torch.zeros(9, 1, 1), "got", marks).text.startswith("[7]")


def test_what_is_no_tensor_is_shown_in_a_line():
    assert show((1, 2)).text == "(1, 2)"
    assert show(torch.Size([1, 2])).text == "(1, 2)"
    assert "a Thing" in show(Opaque("a Thing")).text
    assert show(Raised("KeyError", ("KeyError",), "secret"), "got").text == "an exception (KeyError)"
    assert len(show("x" * 5000).text) <= 400


def test_scalars_and_empty_tensors_are_shown():
    assert show(torch.tensor(2.0)).text == "2"
    assert show(torch.zeros(0, 3)).text == "(no entries)"


def test_a_call_is_told_by_parameter_names():
    x = torch.ones(2, 2)
    example = counterexample(shipping.dumps(lambda m: m.pool(x, 3, "avg")), REFERENCE, 0, x, x + 1)
    assert example.call == "pool(x, size=3, mode='avg')"
    assert [value.name for value in example.inputs] == ["x"]
    assert example.got.text == "2*  2*\n2*  2*"


def test_a_layer_is_told_by_how_it_was_made_and_called():
    x = torch.ones(2, 2)
    example = counterexample(shipping.dumps(lambda m: m.Half(4).eval()(x)), REFERENCE, 0, x, x)
    assert example.call == "Half(4)(x)   (in evaluation mode)"


def test_the_call_is_known_even_if_the_reference_raises():
    x = torch.ones(3)
    assert (
        call_text(shipping.dumps(lambda m: m.pool(x, "a")), REFERENCE, 0)
        == "pool(x, size='a') with x of shape (3,) float32"
    )


def sent(value):
    return as_sent(Returned(value)).outcome.value


EYE = torch.eye(2)
KINDS = {
    "array": (np.array([[1.0, 2]]), "1×2 float64 NumPy array", "1  2"),
    "NumPy scalar": (np.float32(1.5), "NumPy float32", "np.float32(1.5)"),
    "dtype": (torch.float32, "dtype", "torch.float32"),
    "device": (torch.device("cpu"), "device", "device(type='cpu')"),
    "set": ({1}, "set", "{1}"),
    "empty set": (frozenset(), "frozenset", "set()"),
    "slice": (slice(1, None), "slice", "slice(1, None, None)"),
    "range": (range(3), "range", "range(0, 3, 1)"),
    "bytes": (b"ab", "bytes", "b'ab'"),
    "complex": (1 + 2j, "complex", "(1+2j)"),
    "long integer": (10**50, "int", str(10**50)),
    "meta tensor": (
        torch.empty(2, 3, device="meta"),
        "tensor of shape 2×3 (float32) on the meta device",
        "(no numbers",
    ),
    "COO": (
        EYE.to_sparse(),
        "sparse tensor of shape 2×2 (float32, COO)",
        "indices:\n  0  1\n  0  1\nvalues:\n  1  1",
    ),
    "CSR": (EYE.to_sparse_csr(), "sparse tensor of shape 2×2 (float32, CSR)", "crow_indices:\n  0  1  2\ncol_indices:"),
    "quantised": (
        torch.quantize_per_tensor(torch.ones(2), 0.5, 1, torch.quint8),
        "quantised tensor of shape (2,) (quint8)",
        "integers:\n  3  3\nscale:\n  0.5\nzero point:\n  1",
    ),
    "list of tensors": ([EYE, 1], "list", "[0]:\n  1  0\n  0  1\n[1]:\n  1"),
    "dict": ({"a": 1, (1, 2): [3]}, "", "a:\n  1\n(1, 2):\n  [3]"),
    "complex tensor": (torch.tensor([1 / 3 + 1j]), "(1,) complex64", "0.3333+1j"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_every_kind_is_shown_readably(kind):
    value, described, text = KINDS[kind]
    shown = show(sent(value), "got")
    assert shown.kind == described
    assert shown.text.startswith(text)


def test_records_and_enums_are_shown_as_they_are_written():
    point = Record("named tuple", "Point", ("x", "y"), (1, "a"))
    assert show(point).text == "Point(x=1, y='a')"
    assert show(Member("Colour", "RED")).text == "Colour.RED"
    assert show(Record("dataclass", "Batch", ("x",), (EYE,))).text == "x:\n  1  0\n  0  1"
    assert show({"layer": Opaque("a Linear")}).text == "layer:\n  a Linear, which cannot be compared"


def test_marks_are_put_on_arrays_too():
    x = np.ones((1, 2))
    example = counterexample(shipping.dumps(lambda m: m.pool(1, 2)), REFERENCE, 0, x, x + np.array([[0, 1]]))
    assert example.got.text == "1   2*"
    assert counterexample(shipping.dumps(lambda m: m.pool(1, 2)), REFERENCE, 0, x, x.astype("int8")).got.text == "1  1"


@pytest.mark.parametrize(
    "value",
    [
        torch.empty(2, 3, device="meta"),
        EYE.to_sparse(),
        EYE.to_sparse_csr(),
        torch.quantize_per_tensor(EYE, 0.5, 1, torch.quint8),
        torch.nested.nested_tensor([EYE, EYE[:1]]),
        torch.ones(1).expand(10**12),
        torch.ones(1, 1, 1).expand(10**6, 10**6, 10**6),
        EYE.to(torch.float8_e5m2),
        np.array([object()]),
        np.array(["text"]),
        10**5000,
        torch.nn.Linear(2, 2),
        [10**5000, {"a": ...}],
        "x" * 10**6,
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_argument_of_a_call_is_shown(value):
    """The reference's own values, which have not been on the wire."""
    shown = show(value, "x")
    assert len(shown.text) < 3000
    assert len(shown.kind) < 100
    assert len(short(value)) <= 200
    assert kind_of(value)


@pytest.mark.parametrize(
    "value",
    [
        [torch.ones(3)] * 18_000,
        {f"key {number}": torch.ones(20, 20) for number in range(10_000)},
        [[["x" * 10_000] * 20] * 20] * 20,
        list(range(2_000_000)),
        {"a": {"b": list(range(2_000_000))}},
        "x" * 10**8,
        b"x" * 10**8,
        set(range(10**6)),
        {number: number for number in range(10**6)},
        range(10**9),
        Record("dataclass", "Large", ("x", "y"), ([torch.ones(3)] * 18_000, torch.ones(2000, 2000))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_is_shown_is_formatted(value):
    before = time.process_time()
    shown = show(value)
    assert time.process_time() - before < 0.2  # to format it all takes seconds
    assert len(shown.text) < 10_000
    assert len(short(value)) <= 200


names = st.text(max_size=12)
shapes = st.lists(st.integers(0, 3), max_size=4).map(tuple)
tensors = st.builds(
    lambda shape, dtype: torch.ones(shape).to(dtype),
    shapes,
    st.sampled_from([torch.float32, torch.int64, torch.bool, torch.complex64, torch.bfloat16, torch.uint16]),
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | names
    | st.binary(max_size=9)
    | tensors
    | st.builds(lambda shape, name: np.ones(shape, name), shapes, st.sampled_from(["float16", "uint64", "bool"]))
    | st.builds(np.float32, st.floats(width=32))
    | st.builds(Opaque, names, names)
    | st.builds(Member, names, names)
    | st.builds(MetaTensor, shapes, st.just(torch.float32))
    | st.builds(SparseTensor, st.just("sparse_coo"), shapes, st.just(torch.int8), st.tuples(tensors, tensors))
    | st.builds(
        QuantisedTensor, names, names, shapes, tensors, st.floats() | tensors, st.integers() | tensors, st.integers()
    )
    | st.builds(range, st.integers(), st.integers())
    | st.builds(slice, st.integers(), st.none())
)
keys = st.none() | st.integers() | st.floats() | names | st.tuples(names, st.integers())
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=3)
        | st.builds(lambda one: Record("dataclass", "R", ("x",), (one,)), inner)
    ),
    max_leaves=10,
)


@settings(deadline=None, database=None, max_examples=300)
@given(values, values)
def test_whatever_can_be_decoded_can_be_compared_and_shown(expected, got):
    for one, other in ((expected, got), (expected, expected), (got, expected)):
        difference = compare(Returned(one), Returned(other))
        if difference is not None:
            assert len(difference.message) < 2000
            counterexample(shipping.dumps(lambda m: m), REFERENCE, 0, difference.expected, difference.got)
        assert len(show(one, "got").text) < 10_000
        assert len(short(one)) <= 200
        assert kind_of(one)


@pytest.mark.parametrize("value", [torch.zeros(2**33, 0), np.zeros((2**33, 0))], ids=["tensor", "array"])
def test_an_empty_value_of_a_billion_rows_is_not_listed(value) -> None:
    assert "of shape 8589934592×0 (float" in short([value])
