"""What a worker can report about the work of a probe: which functions were called, which operators were dispatched, how
many lines were run.

For teaching, not for security: a student's code in the same process could falsify it. (Sources: PyTorch's
`torch.overrides`, `torch.utils._python_dispatch` and `torch.autograd.profiler`, `sys.settrace`.)
"""

from __future__ import annotations

import _thread
import contextlib
import functools
import sys
import threading
import types
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import nn, overrides
from torch.utils._python_dispatch import TorchDispatchMode

from autograder.sandbox.shipping import INSTALLED
from autograder.sandbox.values import MAX_COUNTED, MAX_MESSAGE, LineCount


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operators dispatched inside the `with` block, below autograd, however they were reached."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled under this mode; guarding against it would import the compiler, which takes a second."""
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counts: dict[int, int] = {}  # by the operator's id: its hash is computed in Python
        self._operators: dict[int, Any] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        key = id(func)
        if key in self._counts:
            self._counts[key] += 1
        else:
            self._counts[key], self._operators[key] = 1, func
        call = getattr(func, "_op", func)  # what calling an OpOverload calls
        return call(*args, **kwargs) if kwargs else call(*args)

    @property
    def counts(self) -> dict[str, int]:
        """How often each was dispatched, by name without namespace and overload, e.g. "max_pool2d_with_indices"."""
        counts: Counter[str] = Counter()
        for key, count in self._counts.items():
            if name := _operator_name(self._operators[key]):
                counts[name] += count
        return dict(sorted(counts.items())[:200])


@functools.lru_cache(maxsize=4096)
def _operator_name(operator: Any) -> str:
    return str(operator._schema.name).partition("::")[2][:80] if hasattr(operator, "_schema") else ""


class Functions(overrides.TorchFunctionMode):
    """Notes which of PyTorch's functions are called inside the `with` block, and which of its layers. Many functions
    (`einsum`, `linear`, `cross_entropy`) are made of others and are never dispatched under their own names.

    What the code under test calls counts, and what layers call; not what such a function calls in turn, since PyTorch
    takes the mode off the stack meanwhile. Nor does a backward pass count.
    """

    MOST = 200
    # In evaluation mode these check whether a function mode is active, and if so compute in another way.
    _FUSED = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder)

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[Any, str] = {}  # by function: the layer that first called it
        self._layers: dict[type, str] = {}
        self._layer = ""  # that is running

    def __enter__(self) -> Functions:
        super().__enter__()  # type: ignore[no-untyped-call]
        before = cast(Callable[..., Any], nn.Module._call_impl)  # to replace `__call__` costs 50 µs for its subclasses
        self._before = before

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            outer, self._layer = self._layer, self._layer_of(type(module))
            try:
                if isinstance(module, self._FUSED) and not module.training and self._leave():
                    try:
                        return before(module, *args, **kwargs)
                    finally:
                        super(Functions, self).__enter__()  # type: ignore[no-untyped-call]
                return before(module, *args, **kwargs)
            finally:
                self._layer = outer

        self._call = call
        nn.Module._call_impl = call  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        if vars(nn.Module)["_call_impl"] is self._call:
            nn.Module._call_impl = self._before  # type: ignore[method-assign]
        self._leave()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in self._seen:
            self._seen[func] = self._layer
        return func(*args, **kwargs) if kwargs else func(*args)

    @property
    def calls(self) -> dict[str, str]:
        """By public name ("torch.einsum", "torch.nn.functional.linear", "Tensor.matmul", "torch.nn.LSTM"): the layer
        that made the first call, such as "torch.nn.Linear"; empty if it was not one of PyTorch's layers."""
        calls = dict.fromkeys(self._layers.values(), "")
        for function, layer in list(self._seen.items()):
            with contextlib.suppress(Exception):  # an object that the code under test passed off as a function
                calls.setdefault(public_name(function)[:100], layer)
        calls.pop("", None)
        return dict(list(calls.items())[: self.MOST])

    def _leave(self) -> bool:
        """Takes this mode off the stack, and only this one, whatever is above it; false if it is not there."""
        above = []
        found = False
        for _ in overrides._get_current_function_mode_stack():  # type: ignore[no-untyped-call]
            mode = overrides._pop_mode()  # type: ignore[no-untyped-call]
            if mode is self:
                found = True
                break
            above.append(mode)
        for mode in reversed(above):
            overrides._push_mode(mode)  # type: ignore[no-untyped-call]
        return found

    def _layer_of(self, kind: type) -> str:
        """The layer of PyTorch's that does the work of a module of type `kind`; empty if it has a `forward` of its own.
        Notes that it was called."""
        name = self._layers.get(kind)
        if name is None:
            name = self._layers[kind] = _layer_name(kind)
        return name


def _layer_name(kind: type) -> str:
    for base in kind.__mro__:
        module = base.__module__
        if type(module) is str and module.startswith("torch."):
            public = getattr(nn, base.__name__, None) is base
            return f"torch.nn.{base.__name__}" if public and base is not nn.Module else ""
        if "forward" in vars(base):
            return ""
    return ""


@functools.lru_cache(maxsize=4096)
def public_name(function: Any) -> str:
    """The name that PyTorch's manual uses for a function which a function mode has seen; "Tensor.shape" for a property.

    Raises:
        Exception: any, if it is not a function.
    """
    name, owner = function.__name__, getattr(function, "__self__", None)
    if isinstance(function, (torch._ops.OpOverload, torch._ops.OpOverloadPacket)):
        schema = function._schema.name if isinstance(function, torch._ops.OpOverload) else function._qualified_op_name
        return "torch.ops." + schema.replace("::", ".")
    if isinstance(owner, types.GetSetDescriptorType):
        return f"Tensor.{owner.__name__}"
    if getattr(function, "__objclass__", None) in torch.Tensor.__mro__:
        return f"Tensor.{name}"
    if owner is torch._C._VariableFunctions or function.__qualname__.startswith("_VariableFunctions"):
        return f"torch.{name}"
    module = function.__module__
    family = module.removeprefix("torch._C._")
    if family != module:  # torch._C._linalg.linalg_norm
        return f"torch.{'nn.functional' if family == 'nn' else family}.{name.removeprefix(family + '_')}"
    return f"{_PUBLIC.get(module, module)}.{name}"


_PUBLIC = {"torch._tensor": "Tensor", "torch.functional": "torch"}


class Lines:
    """Counts the lines of Python that are run inside the `with` block, on this thread: by file and number where code of
    the submission is run, whatever name it was compiled under, and in total where an installed package's is."""

    def __init__(self) -> None:
        self.watched = True
        self.elsewhere = self.listed = 0
        self._counts: Counter[tuple[str, int]] = Counter()
        self._open = 0  # frames of the submission that have not returned

    @property
    def counts(self) -> tuple[LineCount, ...]:
        """The lines of the submission that were run most often."""
        common = self._counts.most_common(MAX_COUNTED)
        return tuple(LineCount(file[:MAX_MESSAGE], number, count) for (file, number), count in common)

    def __enter__(self) -> Lines:
        self._before = sys.gettrace(), sys.getprofile()
        sys.setprofile(self._profile)
        sys.settrace(self._call)
        _switches.watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        _switches.watch(None)
        trace, profile = self._before
        sys.settrace(trace)
        sys.setprofile(profile)
        self.watched = self.watched and not self._open  # a frame whose own tracing was switched off is still open

    def _call(self, frame: types.FrameType, _event: str, _argument: object) -> Callable[..., Any]:
        if frame.f_code.co_filename.startswith(_NOT_SUBMITTED):
            return self._line_elsewhere
        self._open += 1
        return self._line

    def _line(self, frame: types.FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self._counts[frame.f_code.co_filename, frame.f_lineno] += 1
        elif event == "return":
            self._open -= 1
        return self._line

    def _line_elsewhere(self, _frame: types.FrameType, event: str, _argument: object) -> Callable[..., Any]:
        self.elsewhere += event == "line"
        return self._line_elsewhere

    def _profile(self, _frame: types.FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ == "tolist":  # a loop over the list may be in C
            owner = function.__self__
            if isinstance(owner, torch.Tensor):
                self.listed += torch.Tensor.numel(owner)
            elif isinstance(owner, np.ndarray):
                self.listed += np.size(owner)


_NOT_SUBMITTED = (*INSTALLED, "<frozen ")


class _Switches:
    """Notices that the code under test switches tracing off or replaces it, even if it is put back in time."""

    _NAMES = frozenset(("sys.settrace", "sys.setprofile"))

    def __init__(self) -> None:
        self._lines: Lines | None = None
        self._listening = False

    def watch(self, lines: Lines | None) -> None:
        if not self._listening:  # an audit hook cannot be removed and costs a little everywhere
            sys.addaudithook(self._hear)
            self._listening = True
        self._lines = lines

    def _hear(self, event: str, _arguments: object) -> None:
        if self._lines is not None and event in self._NAMES:
            self._lines.watched = False


_switches = _Switches()


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
