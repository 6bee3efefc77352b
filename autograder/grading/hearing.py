"""What code answered in the checks of an exercise, so that a submission can be compared with known wrong variants."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

import msgspec
import numpy as np
import torch

from autograder.grading.recording import RecordedQuestion
from autograder.sandbox.values import MAX_NODES, Outcome, Returned

KEPT_WRONG, KEPT_BYTES = 8, 2 * 2**20  # of one check's wrong answers, so that nobody can fill the judge's memory

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """How code did in one check.

    `right` has a byte per question whose answer was compared with the reference's: 1 if it is the same. `said` is what
    the check found in its own way: an operator that is forbidden, a mean that is off, no end in sight.
    `digests` identify some of the wrong answers, by position: code that keeps something from an earlier call cannot be
    asked again.
    """

    failed: bool
    right: bytes = b""
    said: str = ""
    digests: dict[int, bytes] = {}


@dataclass
class Heard:
    """The answers that are compared with the reference's, as they come in; `wrong` are some of the wrong ones, by
    position. If a recording is replayed, these are all its questions, else those up to the first wrong answer."""

    right: bytearray = field(default_factory=bytearray)
    wrong: dict[int, tuple[RecordedQuestion, Outcome]] = field(default_factory=dict)
    replaying: bool = False
    _complete: bool = False
    _left: int = KEPT_BYTES

    def add(self, question: RecordedQuestion, got: Outcome, *, right: bool) -> None:
        if self._complete:
            return
        if not right:
            size = question.size + (_bytes(got.value) if isinstance(got, Returned) else 0)
            if len(self.wrong) < KEPT_WRONG and size <= self._left:
                self.wrong[len(self.right)] = question, got
                self._left -= size
            self._complete = not self.replaying
        self.right.append(right)

    @property
    def complete(self) -> bool:
        """Whether what comes now is only the search for a smaller example."""
        return self._complete

    def digests(self) -> dict[int, bytes]:
        return {position: digest(got) for position, (_, got) in self.wrong.items()}

    def close(self) -> None:
        """Ignores what comes now: the search for a smaller example asks other questions each time."""
        self._complete = True


def said(message: str) -> str:
    """What a check's message says, without the explanation below it."""
    return message.partition("\n")[0].rstrip(".")[:300]  # a full stop is left out before the lines of a traceback


def digest(outcome: Outcome) -> bytes:
    """Identifies a returned value to the last bit; empty for values that are not made of tensors, numbers and texts."""
    if not isinstance(outcome, Returned):
        return b""
    total, left = hashlib.blake2b(digest_size=8), [outcome.value]
    while left:
        item = left.pop()
        total.update(type(item).__name__.encode())
        if isinstance(item, torch.Tensor):
            if item.layout is not torch.strided or item.is_meta:
                return b""
            flat = item.detach().reshape(-1).contiguous()
            total.update(f"{item.dtype} {tuple(item.shape)} ".encode() + flat.view(torch.uint8).numpy().tobytes())
        elif isinstance(item, list | tuple | dict):
            total.update(f"{len(item)} ".encode())
            left += [*item.keys(), *item.values()] if isinstance(item, dict) else item
        elif item is None or isinstance(item, bool | int | float | complex | str | bytes):
            total.update(f"{item!r} ".encode())
        else:
            return b""
    return total.digest()


def without_numbers(text: str) -> str:
    return _NUMBER.sub("#", text)


def _bytes(value: object) -> int:
    """About how much memory the tensors, texts and numbers of a decoded answer take."""
    total, left = 0, [value]
    while left:
        item = left.pop()
        if isinstance(item, torch.Tensor | np.ndarray | np.generic):
            total += item.nbytes
        elif isinstance(item, str | bytes):
            total += len(item)
        elif isinstance(item, dict):
            left += (*item.keys(), *item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            total += 8 * len(item)
            left += item if len(item) <= MAX_NODES else ()  # longer ones contain nothing but numbers
        else:
            left += (getattr(item, name) for name in getattr(item, "__match_args__", ()))
    return total
