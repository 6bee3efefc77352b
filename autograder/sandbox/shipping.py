"""How the judge ships probes to the worker: pickled functions, with tensors as raw bytes.

This direction is safe (the worker trusts the judge), but it must be fast and must not leak anything. PyTorch's own
pickling of a tensor goes through a zip archive and takes longer than the rest of a call. cloudpickle's functions carry
the name and path of the file they come from, which a submission could read from the frame above its own; ours carry
only their code, what it closes over and the globals it uses.
"""

from __future__ import annotations

import builtins
import copyreg
import dis
import functools
import io
import marshal
import pickle
import sys
import sysconfig
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import torch

from autograder.sandbox.tensors import raw_bytes
from autograder.sandbox.values import DTYPES

Probe = Callable[[Any], Any]

_DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
INSTALLED = (
    str(Path(__file__).resolve().parent.parent) + "/",
    *{f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


def dumps(probe: Probe) -> bytes:
    """`probe` with everything it closes over; tensors keep their strides."""
    buffer = io.BytesIO()
    if type(probe) is types.FunctionType:  # without the extra step that lets a function refer to itself
        _Pickler(buffer, protocol=5).dump((_code_of(probe), _state_of(probe)))
    else:
        _Pickler(buffer, protocol=5).dump(probe)
    return buffer.getvalue()


def loads(data: bytes | bytearray | memoryview) -> Probe:
    """The probe, with private copies of everything it closes over."""
    probe = pickle.loads(data)
    if type(probe) is tuple:
        (code, cells), state = probe
        probe = _rebuild_function(code, cells)
        _fill_function(probe, state)
    return probe  # type: ignore[no-any-return]


class _Pickler(pickle.Pickler):
    """Our own pickling for functions and tensors; cloudpickle's for what pickle alone cannot do (classes, modules)."""

    dispatch_table = cloudpickle.Pickler.dispatch_table

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is torch.Tensor and obj.layout is torch.strided and obj.device.type == "cpu":
            return _rebuild_tensor, _tensor_parts(obj)
        if kind is types.FunctionType and _travels(obj.__code__, obj.__qualname__, obj.__module__):
            return _rebuild_function, _code_of(obj), _state_of(obj), None, None, _fill_function
        if issubclass(kind, type):
            return cloudpickle.Pickler.reducer_override(self, obj)
        return NotImplemented


def _code_of(function: types.FunctionType) -> tuple[bytes, int]:
    return _portable(function.__code__)[0], len(function.__closure__ or ())


def _state_of(function: types.FunctionType) -> tuple[Any, ...]:
    names = _portable(function.__code__)[1]
    used = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = tuple(_contents(cell) for cell in function.__closure__ or ())
    return used, function.__defaults__, function.__kwdefaults__, cells


# --- functions -------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def _travels(code: types.CodeType, qualname: str, module: str) -> bool:
    """Whether the worker cannot import the function: it is local, or not from an installed package. A wrapper has the
    wrapped function's name and module, but code from elsewhere."""
    files = (code.co_filename, getattr(sys.modules.get(module), "__file__", None) or "")
    return "<" in qualname or not all(file.startswith(INSTALLED) for file in files)


@functools.lru_cache(maxsize=4096)
def _portable(code: types.CodeType) -> tuple[bytes, tuple[str, ...]]:
    """The code without its origin, and the names of the globals that it or a function inside it loads."""
    return marshal.dumps(_anonymous(code)), tuple(sorted(_global_names(code)))


def _anonymous(code: types.CodeType) -> types.CodeType:
    constants = tuple(_anonymous(item) if isinstance(item, types.CodeType) else item for item in code.co_consts)
    changes: dict[str, Any] = {"co_filename": "<probe>", "co_name": "probe", "co_consts": constants}
    if hasattr(code, "co_qualname"):
        changes["co_qualname"] = "probe"
    return code.replace(**changes)


def _global_names(code: types.CodeType) -> set[str]:
    names = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(_global_names(item) for item in code.co_consts if isinstance(item, types.CodeType)))


class _Unset:
    """Represents a closure cell that is still empty."""


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _Unset


@functools.lru_cache(maxsize=256)
def _code(data: bytes) -> types.CodeType:
    code: types.CodeType = marshal.loads(data)
    return code


def _rebuild_function(code: bytes, cells: int) -> types.FunctionType:
    closure = tuple(types.CellType() for _ in range(cells))
    return types.FunctionType(_code(code), {"__builtins__": builtins}, closure=closure)


def _fill_function(function: types.FunctionType, state: tuple[Any, Any, Any, Any]) -> None:
    # In two steps, so that a function may refer to itself.
    used, function.__defaults__, function.__kwdefaults__, contents = state
    function.__globals__.update(used)
    for cell, value in zip(function.__closure__ or (), contents, strict=True):
        if value is not _Unset:
            cell.cell_contents = value


# --- tensors ---------------------------------------------------------------------------------------------------------


def _tensor_parts(tensor: torch.Tensor) -> tuple[bytes, str, tuple[int, ...], tuple[int, ...], bool]:
    plain = tensor.detach()
    shape, stride, dtype = tuple(plain.shape), plain.stride(), _DTYPE_NAMES[plain.dtype]
    if not plain.is_contiguous() and plain.numel() and not plain.is_conj() and not plain.is_neg():
        reach = 1 + sum((extent - 1) * step for extent, step in zip(shape, stride, strict=True))
        plain = torch.as_strided(plain, (reach,), (1,), plain.storage_offset())
    elif not plain.is_contiguous():
        stride = torch.empty(shape).stride()
    return raw_bytes(plain), dtype, shape, stride, tensor.requires_grad


def _rebuild_tensor(
    data: bytes, dtype: str, shape: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> torch.Tensor:
    if data:
        tensor = torch.frombuffer(bytearray(data), dtype=DTYPES[dtype]).as_strided(shape, stride)
    else:
        tensor = torch.empty_strided(shape, stride, dtype=DTYPES[dtype])
    return tensor.requires_grad_(requires_grad) if requires_grad else tensor


# Short codes instead of module and name save a third of the time of a small probe.
for _number, _function in enumerate((_rebuild_tensor, _rebuild_function, _fill_function)):
    copyreg.add_extension(__name__, _function.__name__, 0xC0 + _number)
