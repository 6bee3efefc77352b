"""The wire format: plain values come back as they were, everything else as a description, hostile bytes not at all."""

from __future__ import annotations

import contextlib
import math
import struct
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox.framing import FrameError
from autograder.sandbox.values import (
    DTYPES,
    MAX_DEPTH,
    MAX_NODES,
    Answer,
    Encoding,
    Frame,
    Opaque,
    Raised,
    Returned,
    Work,
    decode,
    encode,
    known,
    type_name,
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
    assert torch.equal(back, tensor)


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


@pytest.mark.parametrize(
    "value", [(1, (2,)), torch.Size([2, 3]), 2**63, -(2**200), math.inf, {1: "a", "1": "b"}], ids=repr
)
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


@pytest.mark.parametrize(
    "value",
    [
        Liar(),
        torch.ones(2).as_subclass(Sub),
        torch.ones(2).to_sparse(),
        torch.ones(2, 2).to_sparse_csr(),
        torch.ones(2, device="meta"),
        torch.ones(1).expand(10**12),
        torch.contiguous_format,
        object,
        lambda: None,
        b"bytes",
        {1.5: 1},
        {(1,): 1},
        10**5000,
        [1] * (MAX_NODES + 1),
        [[1] * 200] * 200,
        type("F", (float,), {})(1.0),
        range(3),
        {1, 2},
        1j,
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_not_plain_comes_back_as_a_description(value: Any) -> None:
    assert isinstance(through(value), Opaque)


def test_a_value_that_holds_itself_comes_back_as_a_description() -> None:
    value: list[Any] = []
    value.append(value)
    assert through(value) == Opaque("a value nested too deeply or with too many entries")


def test_nesting_up_to_the_limit_comes_back() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert through(value) == value
    assert isinstance(through([value]), Opaque)


def test_text_is_cut_and_made_valid() -> None:
    assert through("x" * 10**6) == "x" * 4000
    assert through("\ud800") == "?"


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
    value = {"a": [torch.ones(2, 3), 2**70, None], "b": (1.5, "text"), "c": torch.tensor([True])}
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
    lambda inner: st.lists(inner, max_size=5) | st.tuples(st.sampled_from("smio"), inner, inner).map(list),
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
