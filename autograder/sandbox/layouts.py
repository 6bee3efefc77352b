"""What an answer has to look like, checked before any of it is decoded.

For answers in timed calls: decoding one must not take the judge longer than decoding a right one, as the time that the
judge spends is nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from autograder.sandbox import wire
from autograder.sandbox.encoding import known
from autograder.sandbox.framing import Buffer, FrameError
from autograder.sandbox.values import Raised, Returned

_EXCEPTION_BYTES = 16 * 1024  # of a header beyond that of a right answer
_LEAVES = (type(None), bool, int, float, str, wire.Integer, wire.Complex)


class OfAnotherKind(Exception):
    """The answer does not have the layout."""


@dataclass(frozen=True)
class Layout:
    """Types, shapes and dtypes in an answer, and the bytes of its header and of its tensors; not its numbers."""

    node: wire.Node
    header_bytes: int
    body_bytes: int

    @classmethod
    def of(cls, value: Any) -> Layout:
        """The layout of a value of trusted code."""
        sent = known(Returned(value))
        outcome = wire.outcome_decoder.decode(sent.header)
        assert isinstance(outcome, wire.Returned)
        return cls(outcome.value, len(sent.header), len(sent.body))

    def require(self, header: Buffer, body_bytes: int) -> None:
        """Checks the header of a frame with one answer, whose body has so many bytes. An exception is an answer, too.

        Raises:
            OfAnotherKind: the answer does not have this layout.
            FrameError: the header is none.
        """
        if len(header) > 2 * self.header_bytes + _EXCEPTION_BYTES:
            raise OfAnotherKind
        try:
            [answer] = wire.answers_decoder.decode(header).answers
            outcome = wire.outcome_decoder.decode(answer.outcome)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise FrameError(str(error)[:200]) from error
        if isinstance(outcome, Raised):
            alike = body_bytes == 0
        else:
            alike = body_bytes == self.body_bytes and _alike(outcome.value, self.node)
        if not alike:
            raise OfAnotherKind


def _alike(node: wire.Node, wanted: wire.Node) -> bool:
    if isinstance(node, wire.Tensor) and isinstance(wanted, wire.Tensor):
        return (node.dtype, node.shape) == (wanted.dtype, wanted.shape)
    if isinstance(node, wire.Sequence) and isinstance(wanted, wire.Sequence):
        return node.is_tuple == wanted.is_tuple and _all_alike(node.items, wanted.items)
    if isinstance(node, wire.Mapping) and isinstance(wanted, wire.Mapping):
        return node.keys == wanted.keys and _all_alike(node.values, wanted.values)
    return node == wanted or (type(node) is type(wanted) and isinstance(wanted, _LEAVES))


def _all_alike(nodes: list[wire.Node], wanted: list[wire.Node]) -> bool:
    return len(nodes) == len(wanted) and all(map(_alike, nodes, wanted))
