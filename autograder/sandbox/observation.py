"""What a worker can tell of the work that a probe did: which operators were dispatched, how many lines were run.

For teaching, not for security: a student's code in the same process could lie here. (Sources: PyTorch's
`torch.utils._python_dispatch`, `sys.settrace`.)
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Callable, Container
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operators dispatched inside the `with` block, below autograd, however they were reached."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled under this mode; guarding against it would import the compiler, for a second."""
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen: Counter[Any] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._seen[func] += 1
        return func(*args, **kwargs) if kwargs else func(*args)

    @property
    def counts(self) -> dict[str, int]:
        """How often each was dispatched, by name without namespace and overload: "max_pool2d_with_indices"."""
        counts: Counter[str] = Counter()
        for func, count in self._seen.items():
            if hasattr(func, "_schema"):
                counts[func._schema.name.partition("::")[2][:80]] += count
        return dict(sorted(counts.items())[:200])


class Lines:
    """Counts the executed lines of the given files inside the `with` block, on this thread."""

    def __init__(self, files: Container[str]) -> None:
        self.count = 0
        self._files = files

    def __enter__(self) -> Lines:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: types.FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, _frame: types.FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self.count += 1
        return self._line
