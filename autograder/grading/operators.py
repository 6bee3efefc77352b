"""What `forbids(...)` forbids: families of patterns, and whether what a submission used matches one.

Patterns are those of fnmatch. One without a dot is for bare names, of functions and layers that are called and of ATen
operators that are dispatched. So it does not matter how an operator is reached (`F.max_pool2d`, `nn.MaxPool2d` and
`torch.max_pool2d` all dispatch `max_pool2d_with_indices`), and functions that are made of others and never dispatched
(`einsum`, `linear`) are found as well. A pattern with a dot is for one function under all its names ("torch.einsum",
"Tensor.matmul", "F.pad"), for one layer ("nn.LSTM") or for one dispatched operator ("aten.mm").
"""

from __future__ import annotations

import fnmatch
import functools
import re
import types
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch
from torch import nn, overrides

from autograder.sandbox.observation import public_name
from autograder.sandbox.values import Work

POOLING = ("*pool*",)
PADDING = ("pad", "*_pad", "*_pad[0-9]*", "constant_pad_nd", "*_pad_*")
CONVOLUTION = ("*conv[0-9]*", "*conv_*", "*convolution*")  # but not `_convert_…`
NORMALISATION = ("*batch_norm*", "*instance_norm*", "*group_norm*", "*layer_norm*", "*rms_norm*")

_FAMILIES = frozenset(POOLING + PADDING + CONVOLUTION + NORMALISATION)
_ATEN = "torch.ops.aten"
# A name has one meaning in all of these in which it occurs, if `torch` is one of them. (F.unfold is not Tensor.unfold.)
_SAME = {"torch": torch, "Tensor": torch.Tensor, "torch.nn.functional": nn.functional, "torch.special": torch.special}
_SPACES = _SAME | {"torch.linalg": torch.linalg, "torch.fft": torch.fft, "torch.sparse": torch.sparse}
_PREFIXED = ("torch.linalg", "torch.fft", "torch.sparse", "torch.special")  # torch.fft.rfft is ATen's fft_rfft
_SHORT = {name.removeprefix("torch."): name for name in (*_PREFIXED, "torch.nn")} | {
    "F": "torch.nn.functional",
    "aten": _ATEN,
}
_ALIAS = re.compile(r"[Aa]lias (?:for|of) :(?:func|meth):`~?([\w.]+)")  # in PyTorch's docstrings
_WRITTEN = {"matmul": "@", "mul": "*", "add": "+", "sub": "-", "div": "/", "pow": "**"}
_MOST, _LONGEST = 200, 100  # names, and characters of a name, that an honest worker reports


def forbidden_use(patterns: tuple[str, ...], work: Work) -> str:
    """The sentence for the student if `work`, as a worker reports it, includes something that matches a pattern;
    empty if not. What the student wrote is preferred to the operators that it dispatches."""
    for name, layer in islice(work.functions.items(), _MOST):
        if len(name) <= _LONGEST and _matches(patterns, name):
            if layer and len(layer) <= _LONGEST:
                return f"Your code uses {layer}, which calls {name}. This exercise asks you to write that yourself."
            sign = _WRITTEN.get(name.removeprefix("Tensor."))
            shown = f"{name} (also written {sign})" if sign else name
            return f"Your code uses {shown}, which this exercise asks you to write yourself."
    for name in islice(work.operators, _MOST):
        if len(name) <= _LONGEST and _matches(patterns, f"{_ATEN}.{name}", dispatched=True):
            return f"Your code uses PyTorch's operator {name}, which this exercise asks you to write yourself."
    return ""


def unknown_patterns(patterns: Iterable[str]) -> list[str]:
    """Those that match no operator, function or layer of this version of PyTorch, and so forbid nothing. The families
    of this module, which serve all versions, are not among them."""
    return [pattern for pattern in patterns if pattern not in _FAMILIES and not _any(_known(), (_full(pattern),))]


@functools.lru_cache(maxsize=8192)
def _matches(patterns: tuple[str, ...], name: str, *, dispatched: bool = False) -> bool:
    names = {name, name.removeprefix(f"{_ATEN}.")} if dispatched else _names(name)
    return _any(names, _expanded(patterns))


def _any(names: Iterable[str], patterns: Sequence[str]) -> bool:
    pairs = ((name, pattern) for pattern in patterns for name in names if ("." in name) == ("." in pattern))
    return any(fnmatch.fnmatchcase(name, pattern) for name, pattern in pairs)


@functools.lru_cache(maxsize=256)
def _expanded(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns with the full names of modules, and what they are aliases of: "cat" for "concat"."""
    expanded = []
    for pattern in map(_full, patterns):
        original = _original(_bare(pattern))
        expanded += [pattern] + [_as_qualified(original) if "." in pattern else _bare(original)] * bool(original)
    return tuple(expanded)


def _full(pattern: str) -> str:
    """The pattern with the full name of a module for which an abbreviation is usual: F, nn, linalg."""
    pattern = pattern.removeprefix("torch.") if pattern.startswith("torch.Tensor.") else pattern
    space, dot, rest = pattern.partition(".")
    return f"{_SHORT[space]}.{rest}" if dot and space in _SHORT else pattern


@functools.lru_cache(maxsize=8192)
def _names(name: str) -> frozenset[str]:
    """All names of a function or layer, bare and qualified, given its public name."""
    space, _, bare = name.rpartition(".")
    if space == "torch.nn":
        plain = bare.removeprefix("Lazy")
        return frozenset({name, bare, plain, f"torch.nn.{plain}"})
    plain = _plain(bare)
    names = {name, bare, plain}
    if space in _PREFIXED:
        names.add(f"{space.removeprefix('torch.')}_{bare}")  # ATen's name
    names |= _everywhere(space, plain)
    if original := _original(plain):
        names |= {_bare(original), _as_qualified(original), *_everywhere("torch", _bare(original))}
    return frozenset(names)


def _everywhere(space: str, plain: str) -> set[str]:
    """The qualified names of a function, given one of them."""
    if space not in _SAME and space != _ATEN:
        return {f"{space}.{plain}"}
    spaces = [other for other, holder in _SAME.items() if plain in _contents(holder)]
    return {f"{other}.{plain}" for other in (spaces if "torch" in spaces or space == _ATEN else [space])}


def _plain(bare: str) -> str:
    """The name of which `bare` is the version in place (`exp_`) or the method of Python's operator (`__rmatmul__`)."""
    if not (bare.startswith("__") and bare.endswith("__")):
        return bare.removesuffix("_") if not bare.startswith("_") else bare
    core = bare[2:-2]
    return core[1:] if core[:1] in ("r", "i") and core[1:] in vars(torch) and core not in vars(torch) else core


@functools.lru_cache(maxsize=8192)
def _original(bare: str) -> str:
    """What `bare` is an alias of according to PyTorch's docstrings; empty if it is not one."""
    for holder in _SPACES.values():
        if bare in _contents(holder):
            text = getattr(getattr(holder, bare, None), "__doc__", None)
            found = _ALIAS.search(text) if isinstance(text, str) else None
            if found and _bare(found[1]) != bare:
                return str(found[1])
    return ""


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def _as_qualified(name: str) -> str:
    return name if name.startswith(("torch.", "Tensor.")) else f"torch.{name}"


@functools.cache
def _contents(holder: types.ModuleType | type) -> frozenset[str]:
    """The names in a module or class, without those that are imported when asked for."""
    return frozenset(vars(holder) if isinstance(holder, types.ModuleType) else dir(holder))


@functools.cache
def _known() -> frozenset[str]:
    """All names of all that can be seen: operators, functions, layers."""
    names = set()
    for operator in torch._C._dispatch_get_all_op_names():
        space, _, bare = operator.partition(".")[0].partition("::")
        names |= {bare, f"torch.ops.{space}.{bare}"}
    for name in _visible():
        names |= _names(name)
    return frozenset(names)


def _visible() -> Iterator[str]:
    """The public names of the functions that a function mode sees, and of the layers."""
    overridable = {id(function) for group in overrides.get_overridable_functions().values() for function in group}
    for space, holder in (_SPACES | {"torch.nn.init": nn.init}).items():
        for name in _contents(holder):
            item = getattr(holder, name)
            if isinstance(item, types.FunctionType):  # in Python, which asks for modes or does not
                if id(item) in overridable or "handle_torch_function" in item.__code__.co_names:
                    yield public_name(item)
            elif isinstance(item, types.GetSetDescriptorType | types.MemberDescriptorType):
                yield f"Tensor.{name}"
            elif callable(item) and not isinstance(item, type):
                yield f"{space}.{name}"
    for name in _contents(nn):
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module):
            yield f"torch.nn.{name}"
