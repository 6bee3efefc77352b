"""Makes text that a student may have had a hand in harmless for any display: terminal, web page, log."""

from __future__ import annotations

import re

# Escape sequences go as a whole; what is left of a broken one loses its control characters below. No two
# neighbouring repetitions share a character and no body may contain an introducer: matching takes linear time.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS: titles
    r"|\x1b[ -/]*[0-~]"  # two-character and charset sequences
)
_NEWLINES = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters; \t and \n have been dealt with
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufeff\uffa0"  # soft hyphen, fillers, marks
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width; direction overrides and isolates
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff"  # surrogates, annotations, not characters at all
    "\U000e0000-\U000e0fff]"  # tags and variation selectors that hide text in text
)
_TAB = 4


def inert(text: str, limit: int) -> str:
    """`text` without anything a display might act on, shortened in the middle to at most `limit` characters.

    Only the two ends of a long text are looked at, so 100 MB cost no more than `limit`.
    """
    window = 2 * limit + 200
    if len(text) <= 2 * window:
        clean = _clean(text)
        return clean if len(clean) <= limit else _cut(clean, clean, len(clean), limit)
    return _cut(_clean(text[:window]), _clean(text[-window:]), len(text), limit)


def one_line(text: str, limit: int) -> str:
    """`inert`, with every run of white space turned into one space: for names, headings and table cells."""
    return " ".join(inert(text, limit).split())


def _clean(text: str) -> str:
    text = _NEWLINES.sub("\n", _ESCAPES.sub("", text))
    return _INVISIBLE.sub("", text).expandtabs(_TAB)


def _cut(start: str, end: str, length: int, limit: int) -> str:
    """The beginning of `start` and the end of `end`, and between them how many of `length` are missing."""
    apart = "\n" if "\n" in start or "\n" in end else " "
    room = limit - len(_note(length, apart))
    if room < 2:
        return start[: max(limit - 1, 0)] + "…" * (limit > 0)
    head = start[: room - room // 3]
    tail = end[-(room // 3) :] if room // 3 else ""
    return head + _note(max(length - len(head) - len(tail), 0), apart) + tail


def _note(missing: int, apart: str) -> str:
    return f"{apart}… {missing:,} characters left out …{apart}"
