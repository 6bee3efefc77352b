"""Frames on a stream socket: two lengths, a header, a body.

Both ends use it; only the judge's end must distrust what it reads, so it checks every length before it allocates.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence

from autograder.sandbox.deadlines import Deadline

_LENGTHS = struct.Struct("!II")
_AT_ONCE = 16 * 1024
MAX_JOINED = 2**20  # copying up to this many bytes costs less than separate system calls
MAX_HEADER = 4 * 2**20
MAX_BODY = 256 * 2**20

Buffer = bytes | bytearray | memoryview


class FrameError(Exception):
    """What arrived is not a frame."""


class Closed(Exception):
    """The other end is gone."""


class Late(Exception):
    """Nothing complete arrived before the deadline."""


def send_frame(sock: socket.socket, header: Buffer, body: Sequence[Buffer] = ()) -> None:
    """Sends one frame; `body` is a sequence of chunks that the receiver sees joined.

    Raises:
        FrameError: the frame exceeds the limits.
        Closed: the other end is gone.
        Late: the socket's time-out passed while the other end was not reading.
    """
    size = sum(len(chunk) for chunk in body)
    if len(header) > MAX_HEADER or size > MAX_BODY:
        raise FrameError(f"a frame of {len(header)} + {size} bytes is too large")
    try:
        if len(header) + size < MAX_JOINED:
            sock.sendall(b"".join((_LENGTHS.pack(len(header), size), header, *body)))
            return
        sock.sendall(_LENGTHS.pack(len(header), size))
        for chunk in (header, *body):
            sock.sendall(chunk)
    except (BrokenPipeError, ConnectionError) as error:
        raise Closed from error
    except TimeoutError as error:
        raise Late from error


def receive_frame(
    sock: socket.socket, deadline: Deadline | None = None, most: int = MAX_BODY
) -> tuple[bytes, bytearray]:
    """Waits until `deadline` (None waits forever) for one frame, whose body has `most` bytes.

    Questions and answers alternate, so anything after the frame was not asked for.

    Raises:
        FrameError, Closed, Late
    """
    start = _receive(sock, deadline)  # nearly always the whole frame, in one system call
    while len(start) < _LENGTHS.size:
        start += _receive(sock, deadline)
    header_size, body_size = _LENGTHS.unpack_from(start)
    if header_size > MAX_HEADER or body_size > min(most, MAX_BODY):
        raise FrameError(f"a frame of {header_size} + {body_size} bytes was announced")
    split, size = _LENGTHS.size + header_size, _LENGTHS.size + header_size + body_size
    if len(start) > size:
        raise FrameError(f"{len(start) - size} bytes follow the frame")
    if len(start) == size:
        return start[_LENGTHS.size : split], bytearray(start[split:])
    frame = bytearray(size)
    filled = len(start)
    frame[:filled] = start
    with memoryview(frame) as view:
        while filled < size:
            part = _receive(sock, deadline, size - filled)
            view[filled : filled + len(part)] = part
            filled += len(part)
    return bytes(frame[_LENGTHS.size : split]), frame[split:]


def frames(sock: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """All frames that a trusted sender writes, one after the other, until it closes the socket."""
    with sock.makefile("rb") as stream:
        while len(lengths := stream.read(_LENGTHS.size)) == _LENGTHS.size:
            header_size, body_size = _LENGTHS.unpack(lengths)
            yield stream.read(header_size), stream.read(body_size)


def _receive(sock: socket.socket, deadline: Deadline | None, size: int = _AT_ONCE) -> bytes:
    while (left := deadline.left() if deadline else None) is None or left > 0:
        try:
            sock.settimeout(left)
            data = sock.recv(min(size, 2**20))
        except TimeoutError:
            continue
        except ConnectionError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data
    raise Late
