"""Frames: what is sent arrives, and what is no frame is refused before anything is allocated."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from autograder.sandbox.deadlines import Deadline
from autograder.sandbox.framing import (
    MAX_BODY,
    MAX_HEADER,
    Closed,
    FrameError,
    Late,
    frames,
    receive_frame,
    send_frame,
)

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon(seconds: float = 10) -> Deadline:
    return Deadline(seconds)


@pytest.mark.parametrize("sizes", [(0, ()), (1, (1,)), (100, (0, 5, 0)), (20_000, (7,)), (5, (100_000, 1, 3_000_000))])
def test_a_frame_arrives_as_it_was_sent(pair: Pair, sizes: tuple[int, tuple[int, ...]]) -> None:
    header, chunks = b"h" * sizes[0], [bytes([n]) * size for n, size in enumerate(sizes[1])]
    sender = threading.Thread(target=send_frame, args=(pair[1], header, chunks))
    sender.start()
    assert receive_frame(pair[0], soon()) == (header, bytearray(b"".join(chunks)))
    sender.join()


def test_a_frame_in_single_bytes_arrives(pair: Pair) -> None:
    data = struct.pack("!II", 3, 2) + b"abcde"

    def drip() -> None:
        for byte in data:
            pair[1].send(bytes([byte]))
            time.sleep(0.001)

    threading.Thread(target=drip).start()
    assert receive_frame(pair[0], soon()) == (b"abc", bytearray(b"de"))


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 10, 12])
def test_a_frame_that_breaks_off_is_an_end(pair: Pair, cut: int) -> None:
    pair[1].send((struct.pack("!II", 3, 2) + b"abcde")[:cut])
    pair[1].close()
    with pytest.raises(Closed):
        receive_frame(pair[0], soon())


@pytest.mark.parametrize("cut", [0, 1, 8, 12])
def test_a_frame_that_stops_half_way_is_late(pair: Pair, cut: int) -> None:
    pair[1].send((struct.pack("!II", 3, 2) + b"abcde")[:cut])
    with pytest.raises(Late):
        receive_frame(pair[0], soon(0.05))


def test_a_deadline_in_the_past_is_late_even_if_a_frame_waits(pair: Pair) -> None:
    send_frame(pair[1], b"x")
    with pytest.raises(Late):
        receive_frame(pair[0], Deadline(-1))


@pytest.mark.parametrize("lengths", [(MAX_HEADER + 1, 0), (0, MAX_BODY + 1), (2**32 - 1, 2**32 - 1)])
def test_an_announced_size_over_the_limit_is_refused_at_once(pair: Pair, lengths: tuple[int, int]) -> None:
    pair[1].send(struct.pack("!II", *lengths))
    with pytest.raises(FrameError, match="announced"):
        receive_frame(pair[0], soon())


def test_a_body_of_more_bytes_than_asked_for_is_refused_at_once(pair: Pair) -> None:
    here, there = pair
    there.sendall(struct.pack("!II", 1, 101))
    with pytest.raises(FrameError, match="1 \\+ 101 bytes was announced"):
        receive_frame(here, most=100)


@pytest.mark.parametrize("size", [5, 50_000])
def test_bytes_behind_the_frame_are_refused_or_left_for_who_looks_for_them(pair: Pair, size: int) -> None:
    pair[1].sendall(struct.pack("!II", 3, size) + b"abc" + b"d" * size + b"!")
    if size < 16_000:
        with pytest.raises(FrameError, match="1 bytes follow"):
            receive_frame(pair[0], soon())
    else:
        receive_frame(pair[0], soon())
        assert pair[0].recv(10, socket.MSG_PEEK) == b"!"


def test_a_frame_over_the_limit_is_not_sent(pair: Pair) -> None:
    with pytest.raises(FrameError):
        send_frame(pair[1], bytes(MAX_HEADER + 1))


def test_sending_to_nobody_is_an_end(pair: Pair) -> None:
    pair[0].close()
    with pytest.raises(Closed):
        send_frame(pair[1], b"x", [bytes(1_000_000)])


def test_sending_to_one_who_does_not_read_is_late(pair: Pair) -> None:
    pair[1].settimeout(0.05)
    with pytest.raises(Late):
        send_frame(pair[1], b"x", [bytes(10_000_000)])


def test_several_frames_of_a_trusted_sender_are_told_apart(pair: Pair) -> None:
    for number in range(3):
        send_frame(pair[1], b"h%d" % number, [b"b"] * number)
    pair[1].close()
    assert list(frames(pair[0])) == [(b"h0", b""), (b"h1", b"b"), (b"h2", b"bb")]
