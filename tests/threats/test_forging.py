"""Threat 10: forged answers. The attack knows the wire format and finds the channel."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack

WIRE = """
import struct
import msgspec
from autograder.sandbox import encoding, framing
from autograder.sandbox.values import Answer, Raised, Returned


def ticket():
    frame = sys._getframe()
    while "request" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["request"].ticket


def send(header, body=b"", lengths=None):
    os.write(3, struct.pack("!II", *(lengths or (len(header), len(body)))) + header + body)


def answer(value, number=None):
    header, chunks = encoding.encode(ticket() if number is None else number, Answer(Returned(value)))
    send(header, b"".join(chunks))


def raw(value, body=b""):
    # as msgpack and not by the encoder that knows what is allowed
    outcome({"is": "returned", "value": value}, body)


def outcome(value, body=b""):
    one = [msgspec.msgpack.encode(value), len(body), [{}, 0, [], 0, 1, True]]
    send(msgspec.msgpack.encode([ticket(), [one]]), body)


BYTES = struct.pack("<3f", 3.0, 6.0, 12.0)


"""


@attack("""
def attacked(x):
    for fd in range(256):
        try:
            os.write(fd, b"\\xff" * 64)
        except OSError:
            pass
    return 3 * x
""")
def test_garbage_on_every_descriptor(result):
    result.failed_alone("answer that is not valid")


@attack(
    WIRE
    + """
def attacked(x):
    answer(3 * x, number=ticket() + 1)
    return 3 * x
"""
)
def test_an_answer_to_a_question_that_was_not_asked(result):
    result.failed_alone("not valid")


@attack(
    WIRE
    + """
def attacked(x):
    answer(3 * x)
    return 3 * x
"""
)
def test_two_answers_to_one_question(result):
    result.failed_alone("not valid")


@attack(
    WIRE
    + """
for number in range(3):
    answer({"names": ["attacked", "refusing", "honest"], "problems": []}, number=0)


def attacked(x):
    return 3 * x
"""
)
def test_answers_at_import(result):
    """Taken as the answer to the import, or refused; either way, every question finds rubbish before its answer."""
    assert result.data["score"] == 0
    assert "not valid" in result.text


@attack(
    WIRE
    + """
import threading


def flood(value):
    while True:
        answer(value, number=0)


def attacked(x):
    threading.Thread(target=flood, args=(3 * x,), daemon=True).start()
    return x
"""
)
def test_a_thread_that_keeps_answering(result):
    assert result.points["attacked"] == 0
    assert result.honest_points == {"refusing": 2, "honest": 4}


@attack(
    WIRE
    + """
def attacked(x):
    header, chunks = encoding.encode(ticket(), Answer(Returned(3 * x)))
    os.write(3, struct.pack("!II", len(header), 12) + header[:-3])
    time.sleep(600)
"""
)
def test_half_an_answer_and_then_nothing(result):
    result.failed_alone("did not return within the time")


@attack(
    WIRE
    + """
def attacked(x):
    header, chunks = encoding.encode(ticket(), Answer(Returned(3 * x)))
    data = struct.pack("!II", len(header), 12) + header + b"".join(chunks)
    for number in range(len(data)):
        os.write(3, data[number:number + 1])
        time.sleep(0.05)
    os._exit(0)
"""
)
def test_an_answer_in_drops_does_not_stretch_the_time(result):
    result.failed_alone("did not return within the time")


@attack(
    WIRE
    + """
def attacked(x):
    os.write(3, b"\\0\\0")
    os._exit(0)
"""
)
def test_half_a_length_and_then_the_end(result):
    result.failed_alone("exit code 0")


# More of these, without the command around them, are in tests/sandbox/test_values.py.
MALFORMED = {
    "4_gb_header": 'send(b"", lengths=(2**32 - 1, 0))',
    "pickle": "import pickle; send(pickle.dumps(3 * x))",
    "wrong_dtype_for_its_bytes": 'raw(["t", "float64", [3], "cpu", False], BYTES)',
    "negative_extent": 'raw(["t", "float32", [-3], "cpu", False], BYTES)',
    "huge_extent": 'raw(["t", "float32", [2**62, 2**62], "cpu", False], BYTES)',
    "bool_of_other_bytes": 'raw(["t", "bool", [3], "cpu", False], b"\\2\\3\\4")',
    "array_of_objects": 'raw(["a", "object", [1], False], bytes(8))',
    "more_numbers_than_bytes": 'raw(["n", False, "d", 2**40], BYTES)',
    "more_text_than_bytes": 'raw(["x", 2**40], BYTES)',
    "less_than_no_text": 'raw(["x", -12], BYTES)',
    "endless_range": 'raw(["r", 0, 2**63, 0])',
    "colliding_keys": 'raw(["u", False, ["s", False, [["i", str((2**61 - 1) * k)] for k in range(8, 10_000)]]])',
    "a_list_as_key": 'raw(["m", [["s", False, [1]]], [1]])',
    "the_same_key_twice": 'raw(["m", [1, True], [1, 2]])',
    "an_attribute_as_dtype": 'raw(["k", "dtype", "__class__"])',
    "sparse_and_dense": 'raw(["p", "strided", "float32", [3], [["t", "float32", [3], "cpu", False]]], BYTES)',
    "too_large": "answer(torch.ones(9 * 2**20))",
    "deep_nesting": 'send(b"\\x91" * 10**6)',
    "array_bomb": 'send(b"\\x92\\x01\\xdd\\xff\\xff\\xff\\xff")',
    "very_many_values": 'raw(["s", False, [None] * 10**6])',
    "no_number": 'raw(float("nan"))',
    "exception_of_the_wire": 'outcome({"is": "raised", "type": "x" * 10**6, "builtins": ["ValueError"] * 10**5})',
    "very_many_answers": "send(msgspec.msgpack.encode([ticket(), [[msgspec.msgpack.encode(None), 0, [{}, 0, [], 0, 1, True]]] * 10**5]))",
    "bytes_of_somebody_else": 'send(msgspec.msgpack.encode([ticket(), [[msgspec.msgpack.encode({"is": "returned", "value": None}), -12, [{}, 0, [], 0, 1, True]]]]), BYTES)',
}


@pytest.mark.parametrize(
    (),
    [
        pytest.param(id=name, marks=attack(f"{WIRE}def attacked(x):\n    {code}\n    os._exit(0)\n"))
        for name, code in MALFORMED.items()
    ],
)
def test_a_malformed_or_wrong_answer_fails_its_check_alone(result):
    result.failed_alone()
    assert len(result.text) < 30_000


@attack("""
def attacked(x):
    value = [x]
    value.append(value)
    mapping = {}
    mapping["self"] = mapping
    return value if x.shape == (3,) else mapping
""")
def test_a_value_that_holds_itself(result):
    result.failed_alone("should be a tensor")


@attack(
    WIRE
    + """
def attacked(x):
    import autograder.sandbox.worker as worker

    def reply(request, *others):
        return Answer(Raised("ValueError", ("ValueError", "Exception"), "anything"))

    worker._answer = reply
    return 3 * x + 1
"""
)
def test_a_rewritten_worker_earns_nothing_for_the_others_work(result):
    """It answers everything with one exception, which is right for only one exercise, so it loses the others."""
    assert result.points["attacked"] == 0
    assert result.points["honest"] == 0
