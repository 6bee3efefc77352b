"""Frames at random, as a worker that was taken over could send them: the judge reads each one or refuses it, and
whatever it read can be compared, kept, shown and written. (Threats 10, 11, 15 and 19.)"""

from __future__ import annotations

import contextlib
import random
import resource
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest
import torch

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

T = TypeVar("T")
U = TypeVar("U")
NAMES = [*DTYPES, *PARTS, "cpu", "cuda", "strided", "torch.float32", "d", "q", "?"]
CONSTANTS = ["device", "NumPy dtype", *wire.CONSTANTS]
LARGE = [2**31, 2**40, 2**62, -(2**63)]
NUMBERS = [0.0, -0.0, 1.5, 5e-324, 1e308, float("inf"), float("-inf"), float("nan")]


class Draw(random.Random):
    """Draws what a frame consists of. (Hypothesis takes five times as long for it as the judge takes to read it.)"""

    def some(self, draw: Callable[[], T], most: int) -> list[T]:
        return [draw() for _ in range(self.randint(0, most))]

    def letter(self) -> str:
        return chr(self.choice([self.randrange(128), self.randrange(0xD800), self.randrange(0xE000, 0x110000)]))

    def text(self, most: int = 5) -> str:
        return "".join(self.some(self.letter, most))

    def name(self) -> str:
        return self.choice(NAMES) if self.randrange(4) else self.text()

    def size(self) -> int:
        return self.randint(-2, 8) if self.randrange(4) else self.choice(LARGE)

    def shape(self) -> tuple[int, ...]:
        return tuple(self.some(self.size, 4)) if self.randrange(40) else (0,) * 40

    def flag(self) -> bool:
        return self.random() < 0.5

    def number(self) -> float:
        return self.choice([*NUMBERS, self.uniform(-9, 9), *struct.unpack("d", self.randbytes(8))])

    def bytes(self, most: int) -> bytes:
        return self.randbytes(self.randint(0, most)) if self.flag() else b""

    def two(self, one: Callable[[], T], other: Callable[[], U], most: int) -> tuple[list[T], list[U]]:
        """Two lists, most often of one length."""
        first = self.some(one, most)
        return first, [other() for _ in first] if self.randrange(4) else self.some(other, most)

    def tensor(self) -> wire.Tensor:
        return wire.Tensor(self.name(), self.shape(), self.name(), self.flag())

    def node(self, depth: int = 3) -> Any:
        inside = depth > 0 and self.flag()
        return self.choice(INSIDE)(self, lambda: self.node(depth - 1)) if inside else self.choice(LEAVES)(self)

    def sequence(self, node: Callable[[], Any]) -> wire.Sequence:
        return wire.Sequence(self.flag(), self.some(node, 4))

    def outcome(self) -> Any:
        return wire.Returned(self.node()) if self.randrange(3) else self.exception()

    def exception(self) -> Raised:
        frames = self.some(lambda: Frame(self.text(), self.size(), self.text(), self.text()), 4)
        return Raised(self.text(), tuple(self.some(self.text, 3)), self.text(20), tuple(frames))

    def work(self) -> Work:
        counts = dict(self.some(lambda: (self.text(), self.choice([self.randint(-9, 99), 2**62])), 3))
        lines = self.some(lambda: LineCount(self.text(), self.size(), self.size()), 3)
        functions = dict(self.some(lambda: (self.text(), self.text()), 3))
        return Work(operators=counts, lines=tuple(lines), functions=functions, running=self.size())


LEAVES: list[Callable[[Draw], Any]] = [
    lambda _: None,
    Draw.flag,
    lambda draw: draw.choice([draw.randint(-9, 9), draw.randint(-(2**63), 2**63 - 1)]),
    Draw.number,
    Draw.text,
    Draw.tensor,
    lambda draw: wire.Opaque(draw.text(), draw.text()),
    lambda draw: wire.Meta(draw.name(), draw.shape()),
    lambda draw: wire.Sparse(draw.name(), draw.name(), draw.shape(), draw.some(draw.tensor, 3)),
    lambda draw: wire.Quantised(
        draw.name(),
        draw.name(),
        draw.shape(),
        draw.tensor(),
        draw.choice([draw.number(), draw.tensor()]),
        draw.choice([draw.randint(-9, 9), draw.tensor()]),
        draw.size(),
    ),
    lambda draw: wire.Array(draw.name(), draw.shape(), draw.flag()),
    lambda draw: wire.Numbers(draw.flag(), draw.name(), draw.size()),
    lambda draw: wire.Integer("".join(draw.choices("0123456789-_ ", k=draw.randint(0, 30)))),
    lambda draw: wire.Complex(draw.number(), draw.number()),
    lambda draw: wire.Text(draw.size()),
    lambda draw: wire.Bytes(draw.size(), draw.flag()),
    lambda draw: wire.Constant(draw.choice([*CONSTANTS, draw.text()]), draw.name()),
    lambda draw: wire.Member(draw.text(), draw.text()),
]
INSIDE: list[Callable[[Draw, Callable[[], Any]], Any]] = [
    Draw.sequence,
    lambda draw, node: wire.Set(draw.flag(), draw.sequence(node)),
    lambda draw, node: wire.Mapping(*draw.two(node, node, 4)),
    lambda _, node: wire.Slice(node(), node(), node()),
    lambda draw, _: wire.Range(draw.randint(-9, 9), draw.randint(-9, 9), draw.randint(-9, 9)),
    lambda draw, node: wire.Record(draw.flag(), draw.text(), *draw.two(draw.text, node, 3)),
]
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


def values_of_every_kind_with_anything_in_them(draw: Draw) -> bool:
    body = draw.bytes(64)
    answer = wire.Answer(wire.encoder.encode(draw.outcome()), len(body), draw.work())
    return read(wire.encoder.encode(wire.Answers(7, [answer])), body, draw.choice(list(RIGHT))) is not None


def right_frames_with_bytes_changed(draw: Draw) -> bool:
    sent, right = draw.choice(list(RIGHT)), draw.choice(list(RIGHT))
    one = LIKELY[sent]
    header = wire.encoder.encode(wire.Answers(7, [wire.Answer(one.header, len(one.body), Work())]))
    answers = read(changed(header, draw), changed(bytes(one.body), draw), right)
    if answers and sent != right:  # nothing that was not right becomes so
        exact = [known(answer.outcome) for answer in answers if compare(LIKELY[right].outcome, answer.outcome) is None]
        assert all(it.header == LIKELY[right].header for it in exact)
    return answers is not None


def changed(data: bytes, draw: Draw) -> bytes:
    """The bytes, in some places of which others stand instead of a few."""
    for _ in range(draw.choice([0, 0, 1, 2, 4])):
        at = draw.randint(0, len(data))
        data = data[:at] + draw.bytes(3) + data[at + draw.randint(0, 3) :]
    return data


FUZZED = {one.__name__: one for one in (values_of_every_kind_with_anything_in_them, right_frames_with_bytes_changed)}


def fuzz(name: str, count: int) -> None:
    """Reads so many frames; most are refused, since most bytes do not fit what is announced."""
    seen = 0
    for number in range(count):
        try:
            seen += FUZZED[name](Draw(number))
        except BaseException as error:
            raise AssertionError(f"frame {number}: {error!r}") from error
    assert seen > count / 10


@pytest.mark.parametrize("name", FUZZED)
def test_some_frames(name: str) -> None:
    fuzz(name, SOME)


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
    fuzz(sys.argv[1], MANY)
