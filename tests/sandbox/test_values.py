"""The wire format: plain values come back as they were, everything else as a description, hostile bytes not at all."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import enum
import math
import struct
import types
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox.decoding import as_sent, decode
from autograder.sandbox.encoding import Encoding, encode, known, type_name
from autograder.sandbox.framing import FrameError
from autograder.sandbox.values import (
    ARRAY_DTYPES,
    DTYPES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_NUMBERS,
    SLACK_BYTES,
    TIMES,
    Answer,
    Frame,
    Member,
    MetaTensor,
    Opaque,
    QuantisedTensor,
    Raised,
    Record,
    Returned,
    SparseTensor,
    Work,
    bytes_allowed,
)

fuzzing = settings(deadline=None, database=None, max_examples=300)


def through(value: Any) -> Any:
    """The value after a journey from worker to judge."""
    header, chunks = encode(7, Answer(Returned(value)))
    ticket, [answer] = decode(header, bytearray(b"".join(chunks)))
    assert ticket == 7
    assert isinstance(answer.outcome, Returned)
    return answer.outcome.value


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4), (1,) * 8], ids=str)
def test_a_tensor_of_every_dtype_and_shape_comes_back(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.arange(math.prod(shape)) % 2).reshape(shape).to(dtype)
    back = through(tensor)
    assert type(back) is torch.Tensor
    assert back.dtype is dtype
    assert back.shape == tensor.shape
    assert back.tolist() == tensor.tolist()


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t.T,
        lambda t: t[:, ::2],
        lambda t: t[0].expand(5, 4),
        lambda t: t.flip(0),
        lambda t: (1j * t).conj(),
        lambda t: (-1j * t).conj().imag,
        lambda t: torch.nn.Parameter(t).detach(),
    ],
)
def test_views_come_back_with_the_entries_they_show(view: Any) -> None:
    tensor = view(torch.arange(12.0).reshape(3, 4))
    assert torch.equal(through(tensor), tensor.resolve_conj().resolve_neg())


def test_tensors_of_odd_sizes_side_by_side_keep_their_entries() -> None:
    value = [
        torch.ones(3, dtype=torch.uint8),
        torch.arange(3.0, dtype=torch.float64),
        torch.tensor(True),
        torch.ones(2),
    ]
    assert all(torch.equal(one, other) for one, other in zip(through(value), value, strict=True))


def test_the_gradient_flag_comes_back_and_the_graph_does_not() -> None:
    leaf = torch.ones(2, requires_grad=True)
    back = through({"leaf": leaf, "result": leaf * 2})
    assert back["leaf"].requires_grad
    assert back["result"].requires_grad
    assert back["result"].grad_fn is None


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(-99, 99), inner, max_size=4)
    ),
    max_leaves=20,
)


@fuzzing
@given(plain)
def test_plain_values_come_back_with_their_types(value: Any) -> None:
    back = through(value)
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize("value", [(1, (2,)), 2**63, -(2**200), math.inf, {1: "a", "1": "b"}], ids=repr)
def test_tuples_long_integers_and_mixed_keys_come_back(value: Any) -> None:
    assert through(value) == value


class Liar:
    __class__ = property(lambda _self: torch.Tensor)  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        raise AssertionError("nothing here pickles")

    __repr__ = __str__ = __reduce__


class Sub(torch.Tensor):
    pass


# Of integers and with its shape given, so that PyTorch does not look at the indices, which would take 8 GB.
MANY_ENTRIES = torch.sparse_coo_tensor(
    torch.zeros(1, 1, dtype=torch.int64).expand(1, 10**9), torch.ones(1).expand(10**9), (1,), check_invariants=False
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Liar(), "a Liar, which cannot be compared"),
        (torch.ones(2).as_subclass(Sub), "a Sub, which"),
        (torch.ones(1).expand(10**12), "a tensor of shape (1000000000000,) (float32), which is too large"),
        (MANY_ENTRIES, "too large"),
        (torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "a nested tensor"),
        (torch.ones((1,) * 17), "with 17 dimensions"),
        (np.broadcast_to(np.ones(1), (10**12,)), "a NumPy array of shape (1000000000000,) (float64), which is too"),
        (np.array([object()]), "(object)"),
        (np.array(["a"]), "(str"),
        (np.ones(2).view(np.matrix), "a matrix"),
        (object, "a class"),
        (lambda: None, "a function"),
        ((item for item in ()), "a generator"),
        (torch, "a module"),
        (torch.nn.Linear(2, 2), "a Linear"),
        (10**5000, "an integer of over 1000 digits"),
        ("\ud800", "not valid Unicode"),
        ([1.5, 1] * MAX_NODES, "a list of 40000 entries, which has too many"),
        ([1] * (MAX_NUMBERS + 1), "a list of 2097153 numbers, which is too large"),
        ([[1.5, 1] * 10] * 2000, "too many entries"),
        ({object()}, "a set that contains an object"),
        ({(1, object()): 1}, "a dict whose keys include an object"),
        (type("F", (float,), {})(1.0), "a F"),
        (type("D", (dict,), {})(), "a D"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_compared_is_named(value: Any, words: str) -> None:
    back = through(value)
    assert isinstance(back, Opaque)
    assert words in f"{back.what}, which {back.why}"


def test_only_what_cannot_be_compared_is_left_out() -> None:
    back = through({"layer": torch.nn.Linear(2, 2), "output": torch.ones(2)})
    assert isinstance(back["layer"], Opaque)
    assert torch.equal(back["output"], torch.ones(2))


def test_a_value_that_holds_itself_is_named() -> None:
    value: list[Any] = []
    value.append(value)
    assert "nested too deeply" in through(value).why


def test_nesting_up_to_the_limit_comes_back() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert through(value) == value
    assert isinstance(through([value]), Opaque)


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass(frozen=True)
class Size:
    width: Any
    height: Any = 1
    unit: dataclasses.InitVar[str] = ""
    kind = "not a field"


class Colour(enum.Enum):
    RED = 1


Colours = enum.Flag("Colours", "RED GREEN")

SAME = [
    1j,
    complex(math.inf, -0.5),
    b"bytes",
    bytearray(b"bytes"),
    b"x" * 10_000,
    "x" * 10_000,
    "ü" * 10_000,
    torch.float32,
    torch.uint16,
    torch.strided,
    torch.sparse_csr,
    torch.channels_last,
    torch.device("cpu"),
    torch.device("cuda:3"),
    np.dtype("float32"),
    {1, 2},
    set(range(1000)),
    frozenset({"a", (1, None)}),
    slice(1, None, 2),
    range(3, 10**30, 7),
    {1.5: 1, None: 2, (1, "a"): 3, b"key": 4, torch.float32: 5, 2: [6], frozenset({1}): 7, 10**30: 8, 2j: 9},
    [0.25] * 20_000,
    tuple(range(30_000)),
    [True, False] * 50,
    list(range(2**63 - 50, 2**63 + 50)),
    [[0.5] * 200] * 200,
]


def label(value: Any) -> str:
    """A test's name; the order of a set is not the same in every process."""
    kind = type(value).__name__
    return kind if isinstance(value, set | frozenset) else f"{kind} {str(value)[:20]}"


@pytest.mark.parametrize("value", SAME, ids=label)
def test_a_value_comes_back_with_its_type(value: Any) -> None:
    back = through(value)
    assert type(back) is type(value)
    assert back == value


ALIKE: list[tuple[Any, Any]] = [
    (torch.Size([2, 3]), (2, 3)),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(list, a=[1]), {"a": [1]}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (collections.ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (Point(1, [2]), Record("named tuple", "Point", ("x", "y"), (1, [2]))),
    (Size(3, unit="m"), Record("dataclass", "Size", ("width", "height"), (3, 1))),
    (Colour.RED, Member("Colour", "RED")),
    (Colours.RED | Colours.GREEN, Member("Colours", "RED|GREEN")),
    ({Size(1): Colour.RED}, {Record("dataclass", "Size", ("width", "height"), (1, 1)): Member("Colour", "RED")}),
    (torch.empty(2, 3, device="meta"), MetaTensor((2, 3), torch.float32)),
    (torch.empty(10**9, 10**9, dtype=torch.int8, device="meta"), MetaTensor((10**9, 10**9), torch.int8)),
]


@pytest.mark.parametrize(("value", "plain"), ALIKE, ids=lambda value: type(value).__name__)
def test_data_of_other_classes_comes_back_as_plain_data(value: Any, plain: Any) -> None:
    back = through(value)
    assert type(back) is type(plain)
    assert back == plain


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)], ids=str)
def test_an_array_of_every_dtype_and_shape_comes_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(math.prod(shape)) % 2).reshape(shape).astype(dtype)
    for value in (array, array.T, np.asfortranarray(array)):
        back = through(value)
        assert type(back) is np.ndarray
        assert back.dtype == value.dtype
        assert back.shape == value.shape
        assert np.array_equal(back, value)


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
def test_a_numpy_scalar_is_not_an_array_and_not_a_python_number(dtype: str) -> None:
    value = np.dtype(dtype).type(1)
    back = through(value)
    assert type(back) is type(value)
    assert back == value


def test_the_byte_order_of_an_array_does_not_matter() -> None:
    assert through(np.arange(3, dtype=">f4")).tolist() == [0, 1, 2]


def test_a_state_dict_comes_back_in_order() -> None:
    state = torch.nn.BatchNorm2d(2).state_dict()
    back = through(state)
    assert list(back) == list(state)
    assert all(torch.equal(back[name], state[name]) for name in state)


def test_named_results_of_torch_are_tuples() -> None:
    values, indices = through(torch.max(torch.tensor([[1.0, 3.0]]), 1))
    assert (values.tolist(), indices.tolist()) == ([3], [1])


MATRIX = torch.tensor([[0.0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 3]])
SPARSE = {
    "sparse_coo": MATRIX.to_sparse(),
    "sparse_csr": MATRIX.to_sparse_csr(),
    "sparse_csc": MATRIX.to_sparse_csc(),
    "sparse_bsr": MATRIX.to_sparse_bsr((2, 2)),
    "sparse_bsc": MATRIX.to_sparse_bsc((2, 2)),
}


@pytest.mark.parametrize("layout", SPARSE)
def test_a_sparse_tensor_comes_back_by_its_parts(layout: str) -> None:
    back = through(SPARSE[layout])
    assert isinstance(back, SparseTensor)
    assert (back.layout, back.shape, back.dtype) == (layout, (4, 4), torch.float32)
    assert torch.equal(back.parts[-1], SPARSE[layout].values())


def test_a_sparse_tensor_is_coalesced_and_never_made_dense() -> None:
    back = through(torch.sparse_coo_tensor([[5, 1, 5]], [1.0, 2.0, 3.0], (10**9,)))
    assert [part.tolist() for part in back.parts] == [[[1, 5]], [2, 4]]
    assert back.shape == (10**9,)


def test_a_quantised_tensor_comes_back_by_its_integers() -> None:
    back = through(torch.quantize_per_tensor(torch.tensor([0.0, 0.5]), 0.25, 3, torch.quint8))
    assert isinstance(back, QuantisedTensor)
    assert (back.codes.tolist(), back.scales, back.zero_points, back.dtype) == ([3, 5], 0.25, 3, "quint8")
    scales = torch.tensor([0.5, 1.0], dtype=torch.float64)
    back = through(torch.quantize_per_channel(torch.ones(2, 2), scales, torch.zeros(2), 0, torch.qint8))
    assert (back.scales.tolist(), back.axis, back.codes.tolist()) == ([0.5, 1], 0, [[2, 2], [1, 1]])


def test_a_class_that_lies_about_its_attributes_changes_only_its_own_answer() -> None:
    @dataclasses.dataclass
    class Lying:
        value: int

        def __getattribute__(self, name: str) -> Any:
            raise AssertionError("nothing here is asked")

        __eq__ = __hash__ = __repr__ = __iter__ = __getattribute__  # type: ignore[assignment]

    assert through(Lying(3)) == Record("dataclass", "Lying", ("value",), (3,))


@pytest.mark.parametrize("base", [torch.nn.Module, torch.Tensor, dict, collections.deque])
def test_a_dataclass_that_is_more_than_its_fields_is_named(base: Any) -> None:
    kind = dataclasses.make_dataclass("More", [], bases=(base,), eq=False)
    assert through(kind()) == Opaque("a More")


def test_a_class_that_cannot_be_read_is_named() -> None:
    assert through(dataclasses.make_dataclass("Bare", [("x", int)], init=False)()).what == "a Bare"


# --- how large an answer may be ---------------------------------------------------------------------------------------


def test_an_answer_may_have_a_few_times_the_bytes_of_the_likely_one_and_never_more_than_a_frame() -> None:
    large = torch.zeros(10**6)
    assert bytes_allowed(known(Returned(large))) == TIMES * 4 * 10**6 + SLACK_BYTES
    assert bytes_allowed(known(Returned(1))) == SLACK_BYTES
    assert bytes_allowed(known(Returned(torch.zeros(2 * 10**7)))) == MAX_BYTES


def test_what_is_larger_than_allowed_is_named_by_the_worker_and_refused_by_the_judge() -> None:
    likely = known(Returned(1))
    large = torch.zeros(SLACK_BYTES // 4 + 1)
    header, chunks = encode(7, Answer(Returned([large, 1])), bytes_allowed(likely))
    _, [answer] = decode(header, bytearray(b"".join(chunks)), [likely])
    assert isinstance(answer.outcome, Returned)
    assert answer.outcome.value == [Opaque("a tensor of shape (1048577,) (float32)", "is too large to be compared"), 1]
    header, chunks = encode(7, Answer(Returned(large)))
    with pytest.raises(FrameError, match="4194304 are allowed"):
        decode(header, bytearray(b"".join(chunks)), [likely])


def test_a_tensor_of_240_mb_comes_back() -> None:
    large = torch.ones(60 * 2**20)
    back = as_sent(Returned(large)).outcome
    assert isinstance(back, Returned)
    assert torch.equal(back.value, large)


def test_a_frame_is_full_before_another_answer_could_exceed_its_limits() -> None:
    encoding = Encoding(1)
    encoding.add(Answer(Returned(torch.zeros(2**18))))
    assert not encoding.is_full
    encoding.add(Answer(Returned(torch.zeros(2**20))))
    assert encoding.is_full
    encoding = Encoding(1)
    for _ in range(4):
        encoding.add(Answer(Returned(["x" * 50] * 15_000)))
    assert encoding.is_full


def test_an_exception_comes_back_with_its_frames() -> None:
    raised = Raised("ValueError", ("ValueError", "Exception"), "no", (Frame("a.py", 3, "f", "x = 1"),))
    header, chunks = encode(1, Answer(raised))
    assert decode(header, bytearray(b"".join(chunks)))[1] == [Answer(raised)]


def test_several_answers_come_in_one_frame_as_they_were_when_they_were_added() -> None:
    tensor = torch.ones(3)
    encoding = Encoding(5)
    encoding.add(Answer(Returned([tensor, "one"]), Work(running=2)))
    tensor += 1
    encoding.add(Answer(Raised("ValueError", ("ValueError",), "no")))
    encoding.add(Answer(Returned(tensor)))
    header, chunks = encoding.frame()
    _, answers = decode(header, bytearray(b"".join(chunks)), [None] * 4)
    assert len(answers) == 3
    first, second, third = (answer.outcome for answer in answers)
    assert isinstance(first, Returned)
    assert torch.equal(first.value[0], torch.ones(3))
    assert answers[0].work.running == 2
    assert second == Raised("ValueError", ("ValueError",), "no")
    assert isinstance(third, Returned)
    assert torch.equal(third.value, 2 * torch.ones(3))


def test_more_answers_than_questions_or_none_are_refused() -> None:
    encoding = Encoding(5)
    with pytest.raises(FrameError, match="0 answers"):
        decode(*map(bytearray, (encoding.frame()[0], b"")))
    for _ in range(3):
        encoding.add(Answer(Returned(None)))
    with pytest.raises(FrameError, match="3 answers to 2 questions"):
        decode(encoding.frame()[0], bytearray(), [None, None])


@pytest.mark.parametrize("value", [torch.tensor([0.5, math.nan]), [1, {"a": torch.ones(2, 2)}], (), "text"], ids=str)
def test_an_expected_answer_is_recognised_by_its_bytes_and_nothing_else_is(value: Any) -> None:
    likely, other = known(Returned(value)), known(Returned([value]))
    header, chunks = encode(1, Answer(Returned(value)))
    for expected, same in ((likely, True), (other, False), (None, False)):
        _, [answer] = decode(header, bytearray(b"".join(chunks)), [expected])
        assert (expected is not None and answer.outcome is expected.outcome) == same


def test_a_gradient_flag_keeps_answers_apart() -> None:
    likely = known(Returned(torch.ones(2)))
    header, chunks = encode(1, Answer(Returned(torch.ones(2, requires_grad=True))))
    _, [answer] = decode(header, bytearray(b"".join(chunks)), [likely])
    assert answer.outcome is not likely.outcome


def test_a_type_is_named_without_asking_it() -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> object:
            raise RuntimeError(name)

    assert "Evil" in type_name(Meta("Evil", (), {"__module__": "somewhere"}))


# --- every kind, nested -----------------------------------------------------------------------------------------------

numbers = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
constants = st.sampled_from([torch.float16, torch.strided, torch.device("cpu"), np.dtype("int8"), Colour.RED])
keys = st.recursive(
    st.none() | numbers | st.text(max_size=80) | st.binary(max_size=8) | constants,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
dtypes = st.sampled_from(sorted(ARRAY_DTYPES))
dense = st.tuples(st.lists(st.integers(0, 3), max_size=3), dtypes).map(lambda one: np.ones(one[0], one[1]))
scalars = dtypes.map(lambda name: np.dtype(name).type(1))
kinds = st.recursive(
    keys | st.builds(slice, keys, keys) | st.builds(range, st.integers(), st.integers()) | scalars | dense,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(st.floats(allow_nan=False), min_size=32, max_size=40)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=4)
        | st.builds(Point, inner, inner)
        | st.builds(Size, inner)
    ),
    max_leaves=12,
)


def described(value: Any) -> Any:
    """What `through` returns, as text, so that types, order and numbers all count."""
    if type(value) is Point:
        return described(Record("named tuple", "Point", ("x", "y"), tuple(value)))
    if type(value) is Size:
        return described(Record("dataclass", "Size", ("width", "height"), (value.width, value.height)))
    if type(value) is Record:
        return value.kind, value.name, value.fields, described(value.values)
    if type(value) is Colour:
        return described(Member("Colour", value.name))
    if type(value) is slice:
        return slice, described((value.start, value.stop, value.step))
    if type(value) in (list, tuple):
        return type(value), [described(item) for item in value]
    if type(value) is dict:
        return dict, [(described(key), described(item)) for key, item in value.items()]
    if type(value) in (set, frozenset):
        return type(value), sorted(repr(described(item)) for item in value)
    return type(value), repr(value)


@fuzzing
@given(kinds)
def test_nested_values_of_all_kinds_come_back(value: Any) -> None:
    assert described(through(value)) == described(value)


@fuzzing
@given(kinds, st.data())
def test_damaged_answers_of_all_kinds_raise_nothing_else(value: Any, data: st.DataObject) -> None:
    header, chunks = encode(1, Answer(Returned(value)))
    damaged, body = bytearray(header), b"".join(chunks)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    refused_or_decoded(bytes(damaged), body[: data.draw(st.integers(0, len(body)))])


# --- hostile bytes ----------------------------------------------------------------------------------------------------


WORK = [{}, 0, [], 0, 1, True]
NONE = msgspec.msgpack.encode({"is": "returned", "value": None})


def returned(value: Any, body: bytes = b"") -> tuple[bytes, bytearray]:
    return framed(msgspec.msgpack.encode({"is": "returned", "value": value}), body)


def framed(outcome: bytes, body: bytes) -> tuple[bytes, bytearray]:
    return msgspec.msgpack.encode([1, [[outcome, len(body), WORK]]]), bytearray(body)


def tensor(dtype: Any, shape: Any, body: bytes = bytes(12)) -> tuple[bytes, bytearray]:
    return returned(["t", dtype, shape, "cpu", False], body)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = ["s", False, [value]]
    return value


MALFORMED = {
    "nothing": (b"", bytearray()),
    "json": (b'{"ticket": 1}', bytearray()),
    "unknown_dtype": tensor("float33", [3]),
    "attribute_as_dtype": tensor("__class__", [3]),
    "wrong_dtype": tensor("float64", [3]),
    "negative": tensor("float32", [-3]),
    "two_negatives": tensor("float32", [-1, -3]),
    "huge": tensor("float32", [2**62, 2**62]),
    "huge_and_empty": tensor("float32", [0, 2**39, 2**39, 2**39], b""),
    "fraction": tensor("float32", [1.5]),
    "too_few_bytes": tensor("float32", [4]),
    "too_many_bytes": tensor("float32", [2]),
    "dimensions": tensor("float32", [1] * 17 + [3]),
    "no_shape": tensor("float32", None),
    "bool_of_other_bytes": tensor("bool", [3], b"\2\3\4"),
    "unknown_kind": returned(["z", 1]),
    "no_kind": returned([[[]]]),
    "unequal_mapping": returned(["m", ["a"], []]),
    "unhashable_key": returned(["m", [["a"]], [1]]),
    "long_integer": returned(["i", "9" * 10_000]),
    "no_integer": returned(["i", "x"]),
    "deep": returned(nested(MAX_DEPTH + 2)),
    "many": returned(["s", False, [None] * (MAX_NODES + 1)]),
    "body_without_tensor": returned(1, b"x"),
    "very_deep": (b"\x91" * 10**6, bytearray()),
    "very_deep_outcome": framed(b"\x91" * 10**6, b""),
    "array_of_objects": returned(["a", "object", [1], False], bytes(8)),
    "array_with_too_few_bytes": returned(["a", "float64", [2], False], bytes(8)),
    "array_of_other_booleans": returned(["a", "bool", [1], False], b"\2"),
    "scalar_with_a_shape": returned(["a", "int8", [1], True], b"\2"),
    "numbers_of_no_kind": returned(["n", False, "O", 1], bytes(8)),
    "numbers_without_bytes": returned(["n", False, "d", 2], bytes(8)),
    "less_than_no_numbers": returned(["n", False, "d", -1], b""),
    "very_many_numbers": returned(["n", False, "?", MAX_NUMBERS + 1], bytes(MAX_NUMBERS + 1)),
    "numbers_in_two_lists": returned(["s", True, [["n", False, "?", 2**20]] * 3], bytes(3 * 2**20)),
    "other_booleans": returned(["n", False, "?", 2], b"\1\2"),
    "text_without_bytes": returned(["x", 9], bytes(8)),
    "less_than_no_text": returned(["x", -1], b""),
    "text_that_is_not_utf8": returned(["x", 2], b"\xff\xfe"),
    "bytes_without_bytes": returned(["b", 9, False], bytes(8)),
    "sparse_without_values": returned(["p", "sparse_coo", "float32", [3], []]),
    "sparse_of_no_layout": returned(["p", "strided", "float32", [3], []]),
    "sparse_of_a_negative_size": returned(["p", "sparse_coo", "float32", [-3], []]),
    "meta_of_no_dtype": returned(["h", "float33", [3]]),
    "constant_of_no_kind": returned(["k", "module", "torch"]),
    "constant_of_no_name": returned(["k", "dtype", "torch.nn"]),
    "device_of_no_kind": returned(["k", "device", "toaster:1"]),
    "range_of_step_0": returned(["r", 0, 3, 0]),
    "range_of_floats": returned(["r", 0.5, 3, 1]),
    "the_same_key_twice": returned(["m", [1, True], [1, 2]]),
    "the_same_entry_twice": returned(["u", True, ["s", False, ["a", "a"]]]),
    "a_list_as_key": returned(["m", [["s", False, [1]]], [1]]),
    "a_list_as_entry": returned(["u", False, ["s", False, [["n", False, "?", 0]]]]),
    "colliding_entries": returned(["u", False, ["s", False, [["i", str((2**61 - 1) * k)] for k in range(8, 99)]]]),
    "record_without_fields": returned(["d", False, "R", [], [1]]),
    "array_bomb": (b"\x92\x01\xdd\xff\xff\xff\xff", bytearray()),
    "map_bomb": framed(b"\x82\xa2is\xa8returned\xa5value\xdf\xff\xff\xff\xff", b""),
    "text_bomb": framed(b"\x82\xa2is\xa8returned\xa5value\xdb\xff\xff\xff\xff", b""),
    "extension": framed(b"\x82\xa2is\xa8returned\xa5value\xc7\x04\x05abcd", b""),
    "invalid_utf8": framed(b"\x82\xa2is\xa8returned\xa5value\xa2\xff\xfe", b""),
    "nan_as_ticket": (msgspec.msgpack.encode([math.nan, [[b"", 0, WORK]]]), bytearray()),
    "no_answers": (msgspec.msgpack.encode([1]), bytearray()),
    "no_outcome": (msgspec.msgpack.encode([1, []]), bytearray()),
    "empty_outcome": framed(b"", b""),
    "unknown_outcome": framed(msgspec.msgpack.encode({"is": "passed"}), b""),
    "exception_with_a_tensor": framed(msgspec.msgpack.encode({"is": "raised", "type": "E", "builtins": []}), bytes(4)),
    "fewer_bytes_than_announced": (msgspec.msgpack.encode([1, [[NONE, 8, WORK]]]), bytearray(4)),
    "less_than_no_bytes": (msgspec.msgpack.encode([1, [[NONE, -4, WORK]]]), bytearray(4)),
    "more_bytes_than_announced": (msgspec.msgpack.encode([1, [[NONE, 0, WORK]]]), bytearray(4)),
    "two_frames": (returned(1)[0] * 2, bytearray()),
}


@pytest.mark.parametrize(("header", "body"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_bytes_are_no_answer(header: bytes, body: bytearray) -> None:
    with pytest.raises(FrameError):
        decode(header, body)


def refused_or_decoded(header: bytes, body: bytes) -> None:
    with contextlib.suppress(FrameError):
        decode(header, bytearray(body))


@fuzzing
@given(st.binary(max_size=200), st.binary(max_size=64))
def test_random_bytes_raise_nothing_else(header: bytes, body: bytes) -> None:
    refused_or_decoded(header, body)


@fuzzing
@given(st.data())
def test_damaged_answers_raise_nothing_else(data: st.DataObject) -> None:
    value = {
        "a": [torch.ones(2, 3), 2**70, None],
        "b": (1.5, "text", "long" * 50, b"bytes"),
        "c": torch.tensor([True]),
        1.5: [np.arange(3), np.float32(1), [0.5] * 40, (True,) * 40],
        None: {1, "a", (1, 2j)},
        torch.float32: [slice(1, 2), range(3), torch.device("cpu"), Point(1, 2), Colour.RED, Size(2)],
        (1, 2): [*SPARSE.values(), torch.empty(2, device="meta"), torch.nn.Linear(1, 1)],
    }
    header, chunks = encode(1, Answer(Returned(value)))
    damaged = bytearray(header)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    refused_or_decoded(bytes(damaged), b"".join(chunks))


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
extents = st.lists(st.integers(-1, 5) | st.integers(0, 2**64 - 1), max_size=4)
tensors = st.tuples(st.just("t"), st.sampled_from([*DTYPES, "x"]), extents, st.text(max_size=3), st.booleans()).map(
    list
)
anything = st.recursive(
    leaves | tensors,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(st.sampled_from("smioaenuxbkcrlhdpw"), inner, inner).map(list)
        | st.tuples(st.sampled_from("smioaenuxbkcrlhdpw"), inner, inner, inner).map(list)
    ),
    max_leaves=12,
)


@fuzzing
@given(anything, st.binary(max_size=64))
def test_well_formed_msgpack_of_the_wrong_shape_raises_nothing_else(value: Any, body: bytes) -> None:
    refused_or_decoded(*map(bytes, returned(value, body)))
    refused_or_decoded(*map(bytes, framed(msgspec.msgpack.encode(value), body)))
    refused_or_decoded(msgspec.msgpack.encode(value), body)


def test_nan_and_infinity_are_values_like_others() -> None:
    back = decode(*tensor("float32", [3], struct.pack("<3f", math.nan, math.inf, -math.inf)))[1][0].outcome
    assert isinstance(back, Returned)
    assert back.value.isnan().tolist() == [True, False, False]
