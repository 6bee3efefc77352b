"""When two outcomes count as the same, and what students are told when they do not."""

import collections
import dataclasses
import enum
import math
import types

import numpy as np
import pytest
import torch

from autograder.grading.comparison import compare, raised_text, require_comparable
from autograder.grading.failures import GraderFault
from autograder.grading.tolerance import TOLERANCES, Standard, Tolerance, mismatches
from autograder.sandbox.decoding import as_sent
from autograder.sandbox.values import Frame, Opaque, Raised, Record, Returned

VALUE_ERROR = Raised("ValueError", ("ValueError", "Exception", "BaseException"), "p must be positive")


def message(expected, got, **options):
    difference = compare(Returned(expected), Returned(got), **options)
    return difference.message if difference else None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (3, 3),
        ("a", "a"),
        (None, None),
        (0.0, -0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([1, 2], (1, 2)),
        ((1, [2, None]), [1, (2, None)]),
        ({"a": 1}, {"a": 1}),
        (torch.Size([2, 3]), (2, 3)),
        (torch.tensor([0.0, math.nan, math.inf]), torch.tensor([-0.0, math.nan, math.inf])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
        (torch.tensor([True]), torch.tensor([True])),
    ],
)
def test_equal_values_are_the_same(expected, got):
    assert message(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (1, True, "a bool"),
        (2, 2.0, "a float"),
        (2.0, 2, "an int"),
        (1, Opaque("a Thing"), "a Thing, which cannot be compared"),
        (math.inf, 1e308, "inf"),
        ([1, 2], [1, 2, 3], "2 entries, but has 3"),
        ([1, 2], [1, 3], "[1]"),
        ({"a": 1}, {"b": 1}, "lacks 'a' and should not contain 'b'"),
        ({"gradient": torch.zeros(2)}, {"gradient": None}, "No gradient flows back"),
        (torch.zeros(2), [0.0, 0.0], "a list"),
        (torch.zeros(2, 3), torch.zeros(3, 2), "shape 2×3, but has shape 3×2"),
        (torch.zeros(1), torch.zeros(()), "shape (1,), but has shape ()"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), "torch.float64"),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), "1 of 2 entries differ"),
        (torch.tensor([math.inf]), torch.tensor([-math.inf]), "should be inf, but is -inf"),
        (torch.tensor([math.nan]), torch.tensor([0.0]), "should be nan, but is 0"),
        (torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0]]), "at row 1, column 0 it should be 0, but is 1"),
    ],
)
def test_a_difference_is_named(expected, got, words):
    assert words in message(expected, got)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_every_dtype_has_a_tolerance_that_its_rounding_meets(dtype):
    torch.manual_seed(0)
    exact = torch.randn(50, 50, dtype=torch.complex128 if dtype.is_complex else torch.float64)
    third = (exact * 3).to(dtype).to(exact.dtype) / 3  # in the wider dtype, since some cannot be divided
    assert not mismatches(exact.to(dtype), third.to(dtype)).any()


def test_float64_results_are_held_to_more_than_float32_precision():
    exact = torch.linspace(0.1, 1, 7, dtype=torch.float64)
    assert mismatches(exact, exact.float().double()).any()
    assert not mismatches(exact, exact * (1 + 1e-12)).any()


def test_the_tolerance_grows_with_the_largest_entry():
    expected = torch.tensor([1e4, 0.0])
    assert not mismatches(expected, torch.tensor([1e4, 0.05])).any()
    assert mismatches(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.05])).any()


def test_a_grader_may_set_its_own_tolerance():
    assert message(torch.ones(1), torch.tensor([1.3]), standard=Standard(Tolerance(0.5, 0))) is None


LENIENT = Standard(dtype=False, shape=False)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (torch.ones(2), torch.ones(2, dtype=torch.float64)),
        (torch.ones(2, dtype=torch.float64) / 3, torch.ones(2) / 3),
        (torch.ones(2, 3), torch.ones(1, 2, 1, 3)),
        (torch.tensor(1.0), torch.ones(1, 1, dtype=torch.float64)),
        (torch.ones(2, 0, 1), torch.ones(2, 0)),
        ({"gradient": torch.ones(2)}, {"gradient": torch.ones(2, 1, dtype=torch.float64)}),
        ([np.ones(2)], [np.ones((1, 2), dtype=np.float32)]),
    ],
)
def test_float32_or_float64_and_extents_of_one_need_not_count(expected, got):
    assert message(expected, got, standard=LENIENT) is None
    assert message(expected, got) is not None


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (
            torch.ones(2),
            torch.ones(2, dtype=torch.bfloat16),
            "should have dtype torch.float32, but has torch.bfloat16.",
        ),
        (torch.ones(2), torch.ones(2, dtype=torch.int64), "should have dtype torch.float32, but has torch.int64."),
        (torch.ones(2), torch.ones(3), "should have shape (2,), but has shape (3,)."),
        (torch.ones(2, 3), torch.ones(3, 2), "should have shape 2×3, but has shape 3×2."),
        (torch.ones(2), torch.ones(2, 2), "should have shape (2,), but has shape 2×2."),
        (np.ones(2), [1.0, 1.0], "should be"),
    ],
)
def test_everything_else_counts_always(expected, got, words):
    assert words in message(expected, got, standard=LENIENT)


def test_a_wrong_dtype_and_wrong_values_are_both_said():
    expected, got = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0], dtype=torch.float64)
    assert message(expected, got, standard=LENIENT) == (
        "1 of 2 entries differ (marked *): at index [1] it should be 2, but is 3. "
        "Besides, it should have dtype torch.float32, but has torch.float64."
    )
    assert message(expected, got, standard=Standard(shape=False)) == (
        "The result should have dtype torch.float32, but has torch.float64. Its values are not right either."
    )


def test_the_precision_between_two_dtypes_is_that_of_float32():
    third = torch.full((3,), 1 / 3, dtype=torch.float64)
    assert message(third, third.float(), standard=LENIENT) is None
    assert message(third, third.float() + 1e-3, standard=LENIENT) is not None
    assert message(third, third + 1e-7, standard=LENIENT) is not None  # no other dtype: float64 has its own
    assert message(third, third.float() + 0.1, standard=Standard(Tolerance(0.5, 0), dtype=False)) is None


def test_digits_are_added_until_two_numbers_look_different():
    text = message(torch.tensor([1 / 3], dtype=torch.float64), torch.tensor([1 / 3 + 1e-7], dtype=torch.float64))
    assert "should be 0.3333333, but is 0.3333334" in text


def test_the_same_kind_of_exception_is_the_same_outcome():
    subclass = Raised("pooling.MyError", ("ValueError", "Exception", "BaseException"), "no")
    assert compare(VALUE_ERROR, subclass) is None


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (Returned(1), "not allowed"),
        (
            Raised("TypeError", ("TypeError", "Exception"), "bad"),
            "This input should raise ValueError. Your code raised TypeError: bad",
        ),
        (Raised("ValueError", ("Exception", "BaseException"), "a class of that name"), "should raise ValueError"),
        (Raised("ValueError", ("ValueError", "Exception"), "  "), "no message"),
    ],
)
def test_another_kind_of_outcome_than_the_expected_exception_is_named(got, words):
    assert words in compare(VALUE_ERROR, got).message


def test_an_exception_is_told_with_the_students_own_line():
    frame = Frame("pooling.py", 12, "f", "    return x[9]")
    text = raised_text(Raised("IndexError", ("IndexError",), "index 9 is out of bounds", (frame,)))
    assert text == "Your code raised IndexError: index 9 is out of bounds\n  in pooling.py, line 12: return x[9]"


def test_a_long_message_of_an_exception_is_cut():
    assert len(raised_text(Raised("ValueError", ("ValueError",), "x" * 10_000))) < 400


def test_an_unfinished_function_is_told_kindly():
    assert raised_text(Raised("NotImplementedError", ("NotImplementedError",))) == "This is not implemented yet."


# --- every kind of value: two that are equal, one that is not ---------------------------------------------------------


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Size:
    width: object
    height: object = 1


@dataclasses.dataclass
class Other:
    width: object
    height: object = 1


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


def quantised(*codes, scale=0.5, zero_point=0):
    numbers = torch.tensor(codes, dtype=torch.float64).float() * scale
    return torch.quantize_per_tensor(numbers, scale, zero_point, torch.qint8)


def by_channel(scale):
    scales = torch.tensor([1.0, scale], dtype=torch.float64)
    return torch.quantize_per_channel(torch.zeros(2, 2), scales, torch.zeros(2, dtype=torch.long), 0, torch.qint8)


DIAGONAL, OTHER_DIAGONAL = torch.diag(torch.tensor([1.0, 0, 2, 0])), torch.diag(torch.tensor([1.0, 0, 3, 0]))
MANY = [0.5] * 20_000
KINDS = {
    "NumPy array": (np.ones(3), np.ones(3) + 1e-12, np.array([1.0, 2, 1]), "at index [1] it should be 1, but is 2."),
    "shape of an array": (np.ones((2, 3)), np.ones((2, 3)), np.ones((3, 2)), "have shape 2×3, but has shape 3×2"),
    "dtype of an array": (np.ones(2), np.ones(2), np.ones(2, "float32"), "have dtype float64, but has float32."),
    "array of uint16": (np.ones(2, "uint16"), np.ones(2, "uint16"), np.zeros(2, "uint16"), "should be 1, but is 0"),
    "array of uint64": (
        np.full(1, 2**63 + 1, "uint64"),
        np.full(1, 2**63 + 1, "uint64"),
        np.zeros(1, "uint64"),
        "be 9223372036854775809, but",
    ),
    "empty array": (np.ones((0, 2)), np.ones((0, 2)), np.ones((0, 3)), "shape 0×2, but has shape 0×3"),
    "NumPy scalar": (np.float32(1), np.float32(1.000001), np.float32(2), "it should be 1, but is 2"),
    "NumPy scalar's dtype": (np.float32(1), np.float32(1), np.float64(1), "a NumPy float32, but is a NumPy float64."),
    "NumPy scalar, not a float": (np.float64(1), np.float64(1), 1.0, "should be a NumPy float64, but is a float."),
    "float, not a NumPy scalar": (1.0, 1.0, np.float64(1), "should be a float, but is a NumPy float64."),
    "tensor, not an array": (
        torch.ones(2, 3),
        torch.ones(2, 3),
        np.ones((2, 3), "float32"),
        "be a tensor of shape 2×3 (float32), but is a NumPy array of shape 2×3 (float32).",
    ),
    "array, not a tensor": (np.ones(2), np.ones(2), torch.ones(2), "a NumPy array of shape (2,) (float64), but is a t"),
    "dtype": (torch.float32, torch.float32, torch.float64, "should be torch.float32, but is torch.float64."),
    "device": (
        torch.device("cuda:1"),
        torch.device("cuda:1"),
        torch.device("cpu"),
        "type='cuda', index=1), but is dev",
    ),
    "layout": (torch.strided, torch.strided, torch.sparse_coo, "be torch.strided, but is torch.sparse_coo."),
    "memory format": (torch.channels_last, torch.channels_last, torch.contiguous_format, "be torch.channels_last, but"),
    "NumPy dtype": (
        np.dtype("int8"),
        np.dtype("int8"),
        np.dtype("int16"),
        "np.dtype('int8'), but is np.dtype('int16')",
    ),
    "OrderedDict": (
        collections.OrderedDict(a=1, b=2),
        {"b": 2, "a": 1},
        {"a": 1, "b": 3},
        "The b should be 2, but is 3",
    ),
    "Counter": (
        collections.Counter("aab"),
        {"a": 2, "b": 1},
        collections.Counter("aabb"),
        "The b should be 1, but is 2",
    ),
    "mappingproxy": (types.MappingProxyType({1: 2}), {1: 2}, {1: 3}, "Entry 1 should be 2, but is 3."),
    "kind of a key": ({1: 2}, {1: 2}, {True: 2}, "The result lacks 1 and should not contain True."),
    "tuple as key": ({(1, 2): 3}, {(1, 2): 3}, {(1, 2.0): 3}, "lacks (1, 2) and should not contain (1, 2.0)."),
    "set": ({1, 2}, frozenset({2, 1}), {1, 3}, "The result lacks 2 and should not contain 3."),
    "set of floats": ({0.3, 1.0}, {0.1 + 0.2, 1.0}, {0.4, 1.0}, "lacks 0.3 and should not contain 0.4."),
    "set, not a list": ({1}, {1}, [1], "should be a set, but is a list."),
    "kind of an entry": ({1}, {1}, {True}, "lacks 1 and should not contain True."),
    "complex": (1 + 2j, 1 + 2j + 1e-12, 1 - 2j, "should be (1+2j), but is (1-2j)."),
    "infinite complex": (complex(math.inf, 1), complex(math.inf, 1), complex(math.inf, 2), "should be (inf+1j)"),
    "large complex": (complex(1e308, 1e308), complex(1e308, 1e308), 0j, "should be"),
    "dataclass": (Size(1, [2]), Size(1, [2]), Size(1, [3]), "The height [0] should be 2, but is 3."),
    "dataclass's name": (Size(1), Size(1), Other(1), "should be a dataclass Size, but is a dataclass Other."),
    "named tuple": (Point(1, 2), Point(1, 2), Point(1, 3), "The y should be 2, but is 3."),
    "named tuple, not a tuple": (Point(1, 2), Point(1, 2), (1, 2), "should be a named tuple Point, but is a tuple."),
    "tuple": ((1, 2), Point(1, 2), Point(1, 3), "Entry [1] should be 2, but is 3."),
    "enum": (Colour.RED, Colour.RED, Colour.GREEN, "should be Colour.RED, but is Colour.GREEN."),
    "slice": (slice(1, None), slice(1, None), slice(1, 2), "be slice(1, None, None), but is slice(1, 2, None)."),
    "range": (range(0, 3), range(3), range(4), "should be range(0, 3, 1), but is range(0, 4, 1)."),
    "bytes": (b"ab", b"ab", b"ac", "should be b'ab', but is b'ac'."),
    "bytes, not a bytearray": (b"ab", b"ab", bytearray(b"ab"), "should be a bytes, but is a bytearray."),
    "long text": (
        "x" * 9000,
        "x" * 9000,
        "x" * 8999 + "y",
        "to character 8999. Then it should go on with 'x', but goes on with 'y'.",
    ),
    "Parameter": (torch.nn.Parameter(torch.ones(2)), torch.ones(2), torch.nn.Parameter(torch.zeros(2)), "be 1, but is"),
    "meta tensor": (
        torch.empty(2, 3, device="meta"),
        torch.empty(2, 3, device="meta"),
        torch.empty(2, 4, device="meta"),
        "be a tensor of shape 2×3 (float32) on the meta device, but is a tensor of shape 2×4 (float32) on the meta de",
    ),
    "tensor, not a meta tensor": (
        torch.ones(2),
        torch.ones(2),
        torch.empty(2, device="meta"),
        "but is a tensor of shape (2,) (float32) on the me",
    ),
    "COO": (
        DIAGONAL.to_sparse(),
        DIAGONAL.to_sparse(),
        OTHER_DIAGONAL.to_sparse(),
        "The values: 1 of 2 entries differ",
    ),
    "indices": (
        DIAGONAL.to_sparse(),
        DIAGONAL.to_sparse(),
        DIAGONAL.roll(1, 0).to_sparse(),
        "The indices: 2 of 4 entries differ",
    ),
    "CSR": (DIAGONAL.to_sparse_csr(), DIAGONAL.to_sparse_csr(), OTHER_DIAGONAL.to_sparse_csr(), "The values: 1 of 2"),
    "CSC": (DIAGONAL.to_sparse_csc(), DIAGONAL.to_sparse_csc(), OTHER_DIAGONAL.to_sparse_csc(), "The values: 1 of 2"),
    "BSR": (
        DIAGONAL.to_sparse_bsr(2),
        DIAGONAL.to_sparse_bsr(2),
        OTHER_DIAGONAL.to_sparse_bsr(2),
        "The values: 1 of 8",
    ),
    "BSC": (
        DIAGONAL.to_sparse_bsc(2),
        DIAGONAL.to_sparse_bsc(2),
        OTHER_DIAGONAL.to_sparse_bsc(2),
        "The values: 1 of 8",
    ),
    "layout of a tensor": (
        DIAGONAL.to_sparse(),
        DIAGONAL.to_sparse(),
        DIAGONAL.to_sparse_csr(),
        "be a sparse tensor of shape 4×4 (float32, COO), but is a sparse tensor of shape 4×4 (float32, CSR).",
    ),
    "sparse, not dense": (
        DIAGONAL.to_sparse(),
        DIAGONAL.to_sparse(),
        DIAGONAL,
        "but is a tensor of shape 4×4 (float32)",
    ),
    "quantised": (quantised(1, 2), quantised(1, 2), quantised(1, 3), "The integers: 1 of 2 entries differ"),
    "scale": (quantised(1), quantised(1), quantised(1, scale=0.25), "The scale should be 0.5, but is 0.25."),
    "scales": (by_channel(0.5), by_channel(0.5), by_channel(0.25), "The scale: 1 of 2 entries differ"),
    "uint16": (torch.ones(1, dtype=torch.uint16), torch.ones(1, dtype=torch.uint16), torch.ones(1).short(), "int16"),
    "float8": (
        torch.ones(1).to(torch.float8_e5m2),
        torch.ones(1).to(torch.float8_e5m2),
        torch.zeros(1).to(torch.float8_e5m2),
        "should be 1, but is 0",
    ),
    "complex32": (
        torch.ones(1).to(torch.complex32),
        torch.ones(1).to(torch.complex32),
        torch.zeros(1).to(torch.complex32),
        "be (1",
    ),
    "0-d tensor": (torch.tensor(1.0), torch.tensor(1.0), torch.tensor(2.0), "it should be 1, but is 2."),
    "empty tensor": (torch.ones(0, 2), torch.ones(0, 2), torch.ones(0, 3), "shape 0×2, but has shape 0×3"),
    "long list": (MANY, tuple(MANY), [*MANY[:-1], 0.25], "Entry [19999] should be 0.5, but is 0.25."),
    "long list, within the tolerance": (MANY, [0.5 + 1e-13] * 20_000, [0.5] * 19_999, "should have 20000 entries"),
    "long list of integers": (
        list(range(99)),
        tuple(range(99)),
        [*range(98), 98.0],
        "[98] should be an int, but is a fl",
    ),
    "long list of booleans": ([True] * 99, [True] * 99, [1] * 99, "Entry [0] should be a bool, but is an int."),
    "class": ([1], [1], torch.nn.Linear(1, 1), "should be a list, but is a Linear, which cannot be compared."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_every_kind_are_compared_by_value(kind):
    expected, same, wrong, words = KINDS[kind]
    sent = [as_sent(Returned(value)).outcome for value in (expected, same, wrong)]
    assert compare(sent[0], sent[1]) is None
    assert words in compare(sent[0], sent[2]).message


@pytest.mark.parametrize("got", [Opaque("a Thing"), 1, torch.ones(2)], ids=repr)
def test_what_cannot_be_compared_equals_nothing(got):
    assert "should be a Thing, which cannot be compared, but is" in message(Opaque("a Thing"), got)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Opaque("a Thing"), "the reference returns a Thing, which cannot be compared; return its values (tensors, nu"),
        ({"output": [1, Opaque("a Thing")]}, "returns a Thing (the output [1]), which"),
        ([Opaque("a Thing")], "returns a Thing (entry [0]), which"),
        (
            Record("dataclass", "Size", ("width",), (Opaque("a list", "is too large to be compared"),)),
            "(the width), whi",
        ),
        (slice(Opaque("a Thing")), "returns a Thing, which"),
    ],
)
def test_a_reference_that_returns_what_cannot_be_compared_is_the_graders_fault(value, words):
    with pytest.raises(GraderFault) as caught:
        require_comparable(Returned(value))
    assert words in str(caught.value)


def test_a_message_stays_short_however_long_the_values_are():
    difference = compare(Returned({"x" * 10**6: "y" * 10**6}), Returned({"x" * 10**6: "z" * 10**6}))
    assert len(difference.message) < 1000
    assert len(message({"x" * 10**6: 1}, {"y" * 10**6: 1})) < 1000
    assert len(message(set(range(9000)), set(range(9000, 19_000)))) < 1000
