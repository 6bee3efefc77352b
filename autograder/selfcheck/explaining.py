"""What went wrong, in a student's terms: their own lines and the values compared, no internals of pytest or torch."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.results.matrices import tensor_text
from autograder.results.model import Shown
from autograder.selfcheck.events import SourceLine, TestStatus, Trouble

if TYPE_CHECKING:
    import torch

PLACES = 3  # at most this many of the student's lines are shown for one traceback
_MESSAGE = 1_500
_TIMED_OUT = re.compile(r"Timeout \(?>")
_NOT_RAISED = re.compile(r"DID NOT RAISE (?:<class ')?(\w+)")
_NOISE = re.compile(r"Use -v to get|Greatest relative|^$| at 0x[0-9a-f]+")
_MISMATCH = re.compile(
    r"Mismatched elements: (\d+) / (\d+).*?$(?:\nGreatest absolute difference: (\S+) at index (\(.*?\)))?", re.M
)
# What assert_close allows by default, relatively and absolutely; elsewhere it is what float32 has.
_TOLERANCES = {"float64": (1e-7, 1e-7), "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5)}

Labels = Mapping[str, str]  # a file's name in tracebacks → what a student calls it; "" for their only file


def of_loading(error: BaseException, labels: Labels) -> Trouble:
    """Explains an exception (or syntax error) that was raised while the student's code was loaded."""
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()
        name = labels.get(error.filename or "", Path(error.filename or "").name)
        kind = type(error).__name__
        return Trouble(f"{kind}: {error.msg}", (SourceLine(_where(name, error.lineno or 0), "", line[:200]),))
    return Trouble(_said(error), _places(error, labels))


def of_test(
    error: BaseException, labels: Labels, tests: Path, module: str, seconds: float
) -> tuple[TestStatus, Trouble]:
    """Explains an exception that ended a test."""
    places = _places(error, labels)
    statement = _statement(error, tests)
    message = _text(error)
    if _TIMED_OUT.match(message) and type(error).__name__ == "Failed":
        return TestStatus.TIMEOUT, Trouble(still_running(seconds), places, statement)
    if type(error) is NotImplementedError and places and not message:
        return TestStatus.UNWRITTEN, Trouble("", places)
    if places:
        return TestStatus.FAILED, Trouble(_said(error), places, statement)
    if compared := _compared(error):
        return TestStatus.FAILED, _difference(message, compared, statement)
    if isinstance(error, AttributeError) and error.obj is not None and error.obj is sys.modules.get(module):
        return TestStatus.UNWRITTEN, Trouble(f"Your file does not define {error.name}.")
    return TestStatus.FAILED, Trouble(_plainly(error, message), (), statement)


def still_running(seconds: float) -> str:
    return f"Your code was still running after {seconds:g} seconds, so it was stopped. Is there an infinite loop?"


def place(file: str, line: int, function: str, text: str, labels: Labels) -> SourceLine:
    known = "" if function == "<module>" else function
    return SourceLine(_where(labels[file], line), known, text.strip()[:200])


def _where(name: str, line: int) -> str:
    return f"{name}, line {line}" if name else f"line {line}"


def _places(error: BaseException, labels: Labels) -> tuple[SourceLine, ...]:
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename in labels]
    return tuple(place(step.filename, step.lineno or 0, step.name, step.line or "", labels) for step in steps[-PLACES:])


def _said(error: BaseException) -> str:
    name, message = type(error).__name__, _text(error)
    return f"{name}: {message}" if message else f"{name}, without a message"


def _text(error: BaseException) -> str:
    try:
        return str(error)[:_MESSAGE].strip()
    except BaseException:  # it is the student's own class
        return "(its message could not be read)"


def _plainly(error: BaseException, message: str) -> str:
    """Explains an exception that none of the student's lines raised."""
    if missing := _NOT_RAISED.match(message):
        return f"Your code should raise {missing[1]} here, but it returned normally."
    if message.startswith("Regex pattern did not match"):
        lines = message.splitlines()
        if re.search(r"(?:Actual message|Input): ''", message):
            return "The exception has no message; make it say what is wrong with the input."
        return "\n".join(["The exception's message is not what was expected.", *lines[1:]])
    if isinstance(error, AssertionError):
        lines = [line for line in message.splitlines() if not _NOISE.search(line.strip())]
        lines[:1] = [re.sub(r"^assert ", "Not true: ", line) for line in lines[:1]]
        return "\n".join(lines[:8]) or "The assertion failed."
    return _said(error)


def _compared(error: BaseException) -> dict[str, Any] | None:
    """What torch.testing.assert_close was given, if that is what failed."""
    step = error.__traceback__
    while step is not None:
        frame = step.tb_frame
        if frame.f_code.co_name == "assert_close" and {"actual", "expected"} <= frame.f_locals.keys():
            return frame.f_locals
        step = step.tb_next
    return None


def _difference(message: str, compared: dict[str, Any], statement: str) -> Trouble:
    """What torch.testing says, in fewer words where fewer are enough."""
    import torch

    expected, got, marks = compared["expected"], compared["actual"], None
    if isinstance(expected, torch.Tensor) and not isinstance(got, torch.Tensor):
        message = f"The result should be a tensor, but is {'None' if got is None else _kind(got)}."
    elif isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor) and expected.shape != got.shape:
        message = f"The result should have shape {_shape(expected)}, but has shape {_shape(got)}."
    elif (
        isinstance(expected, torch.Tensor)
        and isinstance(got, torch.Tensor)
        and expected.dtype != got.dtype
        and compared.get("check_dtype", True)
    ):
        message = f"The result should have dtype {_dtype(expected)}, but has {_dtype(got)}."
    elif found := _MISMATCH.search(message):
        far = f", by up to {float(found[3]):.4g} (at index {found[4]})" if found[3] else ""
        message = f"{found[1]} of {found[2]} entries differ{far}." if found[2] != "1" else "The value differs."
        marks = _marks(expected, got, compared)
    else:
        lines = [line for line in message.splitlines() if not _NOISE.search(line.strip())]
        message = "\n".join(lines[-5:] if lines[0].endswith("are not close!") else lines[:5])
    return Trouble(message, (), statement, _shown(expected, "expected"), _shown(got, "got", marks))


def _marks(expected: object, got: object, compared: dict[str, Any]) -> torch.Tensor | None:
    """Which entries differ by more than assert_close was told to allow, or allows by itself."""
    import torch

    if not (isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor)):
        return None
    expected, got = expected.detach(), got.detach().to(expected.dtype)
    if not (got.is_floating_point() or got.is_complex()):
        return got != expected
    rtol, atol = compared.get("rtol"), compared.get("atol")
    if rtol is None or atol is None:
        rtol, atol = _TOLERANCES.get(_dtype(got), (1.3e-6, 1e-5))
    return ~torch.isclose(got, expected, rtol, atol, equal_nan=bool(compared.get("equal_nan")))


def _shown(value: object, name: str, marks: torch.Tensor | None = None) -> Shown:
    import torch

    if not isinstance(value, torch.Tensor):
        return Shown(name, _kind(value), repr(value)[:1_000])
    kind = f"{_shape(value)} {_dtype(value)}" if value.dim() else _dtype(value)
    if value.layout is not torch.strided or value.is_quantized or value.is_meta or value.is_nested:
        return Shown(name, kind, str(value.detach())[:1_500])
    return Shown(name, kind, tensor_text(value, marks))


def _kind(value: object) -> str:
    return type(value).__name__


def _shape(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) if tensor.dim() > 1 else str(tuple(tensor.shape))


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _statement(error: BaseException, tests: Path) -> str:
    """The test's statement that failed; for a `with` block, its body."""
    lines = [step.lineno or 0 for step in traceback.extract_tb(error.__traceback__) if Path(step.filename) == tests]
    if not lines:
        return ""
    source = tests.read_text(encoding="utf-8")
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= lines[-1] <= (node.end_lineno or 0)
    ]
    found = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)
    if found is None or isinstance(found, ast.FunctionDef):
        return ""
    body = found.body if isinstance(found, ast.With | ast.For | ast.If | ast.While) else [found]
    text = "\n".join(source.splitlines()[body[0].lineno - 1 : body[-1].end_lineno])
    return textwrap.dedent(text)[:600]
