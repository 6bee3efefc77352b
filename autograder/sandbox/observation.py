"""What a worker can report about the work of a probe: which operators were dispatched, how many lines were run.

For teaching, not for security: a student's code in the same process could falsify it. (Sources: PyTorch's
`torch.utils._python_dispatch` and `torch.autograd.profiler`, `sys.settrace`.)
"""

from __future__ import annotations

import _thread
import sys
import threading
import types
from collections import Counter
from collections.abc import Callable, Container
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograder.sandbox.values import LineCount


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operators dispatched inside the `with` block, below autograd, however they were reached."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled under this mode; guarding against it would import the compiler, which takes a second."""
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen: Counter[Any] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._seen[func] += 1
        return func(*args, **kwargs) if kwargs else func(*args)

    @property
    def counts(self) -> dict[str, int]:
        """How often each was dispatched, by name without namespace and overload, e.g. "max_pool2d_with_indices"."""
        counts: Counter[str] = Counter()
        for func, count in self._seen.items():
            if hasattr(func, "_schema"):
                counts[func._schema.name.partition("::")[2][:80]] += count
        return dict(sorted(counts.items())[:200])


class Lines:
    """Counts the executed lines of the given files inside the `with` block, on this thread."""

    MOST = 400

    def __init__(self, files: Container[str]) -> None:
        self.watched = True
        self._counts: Counter[tuple[str, int]] = Counter()
        self._files = files

    @property
    def counts(self) -> tuple[LineCount, ...]:
        """The lines that were run most often."""
        return tuple(LineCount(file, number, count) for (file, number), count in self._counts.most_common(self.MOST))

    def __enter__(self) -> Lines:
        self._before = sys.gettrace()
        self._tracer = self._call  # one object, to recognise it later
        sys.settrace(self._tracer)
        return self

    def __exit__(self, *_: object) -> None:
        self.watched = sys.gettrace() is self._tracer
        sys.settrace(self._before)

    def _call(self, frame: types.FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: types.FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self._counts[frame.f_code.co_filename, frame.f_lineno] += 1
        return self._line


class Profiled:
    """Counts the operators that PyTorch's profiler sees inside the `with` block, including nested ones: code that hides
    from dispatch (by taking its modes off the stack) is still seen."""

    def __init__(self) -> None:
        self.count = 0
        self._profile = torch.autograd.profiler.profile()

    def __enter__(self) -> Profiled:
        self._profile.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        self._profile.__exit__(*error)  # type: ignore[no-untyped-call]
        results = self._profile.kineto_results
        if results is not None:
            self.count = sum(event.name().startswith("aten::") for event in results.events())


class Threads:
    """Counts the threads that Python starts from now on."""

    def __init__(self) -> None:
        self.started = 0
        self._start = _thread.start_new_thread
        _thread.start_new_thread = threading._start_new_thread = self._count  # type: ignore[attr-defined]

    def _count(self, *arguments: Any, **named: Any) -> int:
        self.started += 1
        return self._start(*arguments, **named)
