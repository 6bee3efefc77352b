"""Which submissions are suspiciously similar? Winnowed fingerprints (the method of Moss) with copydetect.

Comments, formatting and the names of variables and functions make no difference. What the skeleton contains, and what
more than a few submissions have in common, does not mean anything and is not counted.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_token_coverage

_K, _WINDOW = 25, 6  # shared passages of 30 characters, without names and white space, are always found
_ENOUGH = 150  # characters of a submission's own, counted the same way: fewer say nothing
_COMMON = (10, 50)  # code that a twentieth of the class shares is common; at least and at most this many


@dataclass(frozen=True)
class Pair:
    """`share` is the fraction of the smaller one's own code that is in the other as well."""

    first: str
    second: str
    share: float
    size: int


Piece = tuple[str, bool]  # text, and whether the other submission has it too


class Class:
    """Reads each source once and keeps its fingerprints, not its text."""

    def __init__(self, skeleton: str) -> None:
        self._given = frozenset(int(each) for each in _fingerprint(skeleton).hashes)
        self._hashes: dict[str, frozenset[int]] = {}
        self._sizes: dict[str, float] = {}

    def add(self, name: str, source: str) -> None:
        print_ = _fingerprint(source)
        self._hashes[name] = frozenset(int(each) for each in print_.hashes) - self._given
        self._sizes[name] = _coverage(print_, self._hashes[name]) / max(len(self._hashes[name]), 1)

    def __len__(self) -> int:
        return len(self._hashes)

    def common(self) -> frozenset[int]:
        """The fingerprints that say nothing about who worked with whom."""
        counts = Counter(each for hashes in self._hashes.values() for each in hashes)
        limit = min(max(len(self._hashes) // 20, _COMMON[0]), _COMMON[1])
        return self._given | {each for each, count in counts.items() if count > limit}

    def pairs(self, threshold: float) -> list[Pair]:
        """All pairs that share at least `threshold`, the most similar first."""
        common = self.common()
        own = {name: hashes - common for name, hashes in self._hashes.items()}
        holders: defaultdict[int, list[str]] = defaultdict(list)
        for name, hashes in own.items():
            if len(hashes) * self._sizes[name] >= _ENOUGH:
                for each in hashes:
                    holders[each].append(name)
        shared = Counter(pair for names in holders.values() for pair in combinations(sorted(names), 2))
        found = []
        for (first, second), count in shared.items():
            smaller = min(first, second, key=lambda name: len(own[name]))
            share = count / len(own[smaller])
            size = round(count * self._sizes[smaller])
            if share >= threshold and size >= _ENOUGH:
                found.append(Pair(first, second, share, size))
        return sorted(found, key=lambda pair: (-pair.share * pair.size**0.5, pair.first, pair.second))


def side_by_side(first: str, second: str, common: Iterable[int]) -> tuple[list[Piece], list[Piece]]:
    """Both sources, cut into what the two share and what they do not."""
    prints = [_without(_fingerprint(source), frozenset(common)) for source in (first, second)]
    _, _, slices = compare_files(*prints)
    return list(_pieces(first, slices[0])), list(_pieces(second, slices[1]))


def _fingerprint(source: str) -> Any:
    return CodeFingerprint("source.py", _K, _WINDOW, language="python", fp=io.StringIO(source))


def _without(print_: Any, common: frozenset[int]) -> Any:
    print_.hash_idx = {each: places for each, places in print_.hash_idx.items() if int(each) not in common}
    print_.hashes = set(print_.hash_idx)
    print_.token_coverage = get_token_coverage(print_.hash_idx, _K, len(print_.filtered_code))
    return print_


def _coverage(print_: Any, hashes: frozenset[int]) -> float:
    places: Mapping[int, list[int]] = {each: at for each, at in print_.hash_idx.items() if int(each) in hashes}
    return float(get_token_coverage(places, _K, len(print_.filtered_code)))


def _pieces(source: str, slices: Any) -> Iterator[Piece]:
    at = 0
    for start, end in sorted(np.asarray(slices, dtype=int).T.tolist()):
        start, end = max(start, at), min(end, len(source))
        if start < end:
            if at < start:
                yield source[at:start], False
            yield source[start:end], True
            at = end
    if at < len(source):
        yield source[at:], False
