"""Frames at random, as a worker that was taken over could send them: the judge reads each one or refuses it, and
whatever it read can be compared, kept, shown and written. (Threats 10, 11, 15 and 19.)"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from autograder.grading.comparison import compare, raised_text, require_comparable
from autograder.grading.failures import GraderFault
from autograder.grading.hearing import Heard, digest
from autograder.grading.recording import RecordedQuestion
from autograder.grading.showing import show
from autograder.results.feedback import explained_text
from autograder.results.model import CheckResult, Counterexample, Status
from autograder.sandbox import wire
from autograder.sandbox.client import Question
from autograder.sandbox.decoding import as_sent, decode
from autograder.sandbox.encoding import known
from autograder.sandbox.framing import FrameError
from autograder.sandbox.values import DTYPES, PARTS, Answer, Frame, LineCount, Raised, Returned, Work

RIGHT = {
    "a tensor": torch.arange(6.0).reshape(2, 3),
    "whole numbers": torch.arange(4),
    "a dict": {"a": torch.ones(2), 3: [1.5, None, "text"], (1, 2): b"bytes"},
    "numbers": [float(number) for number in range(40)],
    "an array": np.arange(5, dtype=np.int16),
    "a sparse tensor": torch.eye(3).to_sparse(),
    "nothing": None,
}
LIKELY = {name: as_sent(Returned(value)) for name, value in RIGHT.items()}

short_texts = st.text(max_size=5)
names = st.one_of(
    st.sampled_from([*DTYPES, *PARTS, "cpu", "cuda", "strided", "torch.float32", "d", "q", "?"]), short_texts
)
sizes = st.one_of(st.integers(-2, 8), st.sampled_from([2**31, 2**40, 2**62, -(2**63)]))
shapes = st.lists(sizes, max_size=4).map(tuple) | st.just((0,) * 40)
tensors = st.builds(wire.Tensor, names, shapes, names, st.booleans())
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    short_texts,
    tensors,
    st.builds(wire.Opaque, short_texts, short_texts),
    st.builds(wire.Meta, names, shapes),
    st.builds(wire.Sparse, names, names, shapes, st.lists(tensors, max_size=3)),
    st.builds(
        wire.Quantised, names, names, shapes, tensors, st.floats() | tensors, st.integers(-9, 9) | tensors, sizes
    ),
    st.builds(wire.Array, names, shapes, st.booleans()),
    st.builds(wire.Numbers, st.booleans(), names, sizes),
    st.builds(wire.Integer, st.text("0123456789-_ ", max_size=30)),
    st.builds(wire.Complex, st.floats(), st.floats()),
    st.builds(wire.Text, sizes),
    st.builds(wire.Bytes, sizes, st.booleans()),
    st.builds(wire.Constant, st.sampled_from(["device", "NumPy dtype", *wire.CONSTANTS]) | short_texts, names),
    st.builds(wire.Member, short_texts, short_texts),
)


def _inside(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(nodes, max_size=4)
    sequences = st.builds(wire.Sequence, st.booleans(), several)
    return st.one_of(
        sequences,
        st.builds(wire.Set, st.booleans(), sequences),
        st.builds(wire.Mapping, several, several),
        st.builds(wire.Slice, nodes, nodes, nodes),
        st.builds(wire.Range, st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9)),
        st.builds(wire.Record, st.booleans(), short_texts, st.lists(short_texts, max_size=3), several),
    )


values = st.recursive(leaves, _inside, max_leaves=8).map(wire.Returned)
frames_passed = st.builds(Frame, short_texts, sizes, short_texts, short_texts)
exceptions = st.builds(
    Raised, short_texts, st.lists(short_texts, max_size=3).map(tuple), st.text(), st.lists(frames_passed).map(tuple)
)
counts = st.dictionaries(short_texts, st.integers(-9, 2**62), max_size=3)
work = st.builds(
    Work,
    operators=counts,
    lines=st.lists(st.builds(LineCount, short_texts, sizes, sizes), max_size=3).map(tuple),
    functions=st.dictionaries(short_texts, short_texts, max_size=3),
    running=sizes,
)
SOME, MANY = 500, 20_000
MEMORY = 2 * 2**30  # for many examples, on top of what is loaded


def read(header: bytes, body: bytes, right: str) -> list[Answer] | None:
    """The answers in a frame, after all that the judge does with one; None if it is refused."""
    likely = LIKELY[right]
    try:
        _, answers = decode(header, bytearray(body), (likely,))
    except FrameError:
        return None
    for answer in answers:
        assert answer.surplus >= 0
        judged(likely.outcome, answer.outcome)
    return answers


def judged(expected: Any, got: Any) -> None:
    difference = compare(expected, got)
    heard = Heard(replaying=True)
    heard.add(RecordedQuestion(Question(b""), expected), got, right=difference is None)
    digest(got)
    if isinstance(got, Raised):
        assert len(raised_text(got)) < 10_000
    else:
        with contextlib.suppress(GraderFault):
            require_comparable(got)
    if difference is not None:
        shown = Counterexample("f(x)", (), show(difference.expected, "expected"), show(difference.got, "got"))
        check = CheckResult("f", "values", "Title.", Status.FAILED, 1, 0, difference.message, counterexample=shown)
        assert len(explained_text(check)) < 50_000
        assert len(msgspec.json.encode(check)) < 100_000


def fuzz(examples: int, *strategies: Any) -> Any:
    def run(work: Any) -> None:
        settled = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        seed(0)(settled(given(*strategies)(work)))()

    return run


def values_of_every_kind_with_anything_in_them(examples: int) -> None:
    seen = {"read": 0}

    @fuzz(examples, st.one_of(values, values, exceptions), work, st.binary(max_size=64), st.sampled_from(list(RIGHT)))
    def check(outcome: Any, done: Work, body: bytes, right: str) -> None:
        answer = wire.Answer(wire.encoder.encode(outcome), len(body), done)
        seen["read"] += read(wire.encoder.encode(wire.Answers(7, [answer])), body, right) is not None

    assert seen["read"] > examples / 10  # most bytes do not fit what is announced


def right_frames_with_bytes_changed(examples: int) -> None:
    changes = st.lists(st.tuples(st.integers(0, 2**16), st.binary(max_size=3), st.integers(0, 3)), max_size=4)

    @fuzz(examples, st.sampled_from(list(RIGHT)), st.sampled_from(list(RIGHT)), changes, changes)
    def check(sent: str, right: str, in_header: Any, in_body: Any) -> None:
        one = LIKELY[sent]
        header = wire.encoder.encode(wire.Answers(7, [wire.Answer(one.header, len(one.body), Work())]))
        answers = read(changed(header, in_header), changed(bytes(one.body), in_body), right)
        if answers and sent != right:  # nothing that was not right becomes so
            exact = [
                known(answer.outcome) for answer in answers if compare(LIKELY[right].outcome, answer.outcome) is None
            ]
            assert all(it.header == LIKELY[right].header for it in exact)


def changed(data: bytes, changes: list[tuple[int, bytes, int]]) -> bytes:
    """The bytes, in some places of which others stand instead of a few."""
    for place, new, gone in changes:
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + gone :]
    return data


FUZZED = {one.__name__: one for one in (values_of_every_kind_with_anything_in_them, right_frames_with_bytes_changed)}


@pytest.mark.parametrize("name", FUZZED)
def test_some_frames(name: str) -> None:
    FUZZED[name](SOME)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED)
def test_many_frames_with_little_memory(name: str) -> None:
    done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]


def test_what_is_announced_takes_no_memory() -> None:
    huge = [
        wire.Tensor("float64", (2**20, 2**10), "cpu", False),
        wire.Array("float64", (2**30,), False),
        wire.Numbers(False, "d", 2**40),
        wire.Text(2**40),
        wire.Sparse("sparse_coo", "float32", (2**39, 2**39), [wire.Tensor("int64", (2, 2**30), "cpu", False)] * 2),
    ]
    tracemalloc.start()
    try:
        for node in huge:
            answer = wire.Answer(wire.encoder.encode(wire.Returned(node)), 0, Work())
            assert read(wire.encoder.encode(wire.Answers(7, [answer])), b"", "nothing") is None
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData:")]
    limit = int(line.split()[1]) * 1024 + MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    FUZZED[sys.argv[1]](MANY)
