"""What is reported about an exception: its type, its message, and the frames in the student's own code."""

from __future__ import annotations

import builtins
import linecache
import traceback

from autograder.sandbox.encoding import type_name
from autograder.sandbox.values import MAX_FRAMES, MAX_MESSAGE, Frame, Raised

# By identity, since a class may call itself what it likes.
_BUILT_IN = {id(kind): name for name, kind in vars(builtins).items() if isinstance(kind, type)}


def describe(error: BaseException, files: set[str] | tuple[()]) -> Raised:
    """Describes an exception; of its traceback, only the frames in the student's own `files`."""
    kind = type(error)
    names = [_BUILT_IN[id(base)] for base in type.mro(kind) if id(base) in _BUILT_IN and base is not object]
    frames = []
    for step, line in traceback.walk_tb(error.__traceback__):
        code = step.f_code
        if code.co_filename in files:
            text = linecache.getline(code.co_filename, line or 0).strip()
            frames.append(Frame(code.co_filename, line or 0, code.co_name[:100], text[:200]))
    if isinstance(error, SyntaxError):
        frames = [Frame(str(error.filename), error.lineno or 0, "", (error.text or "").rstrip()[:200])]
    return Raised(type_name(kind), tuple(names), _message(error), tuple(frames[-MAX_FRAMES:]))


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
        return text[:MAX_MESSAGE].encode("utf-8", "replace").decode() if type(text) is str else ""
    except BaseException:
        return "(its message could not be read)"
