"""Whether code would keep to the device of its inputs, found out where there is only a CPU.

On the meta device (`on_meta_device`) tensors have no numbers, so code that reads one cannot run there.
`stays_on_device` watches code on the CPU instead and sees less: only tensors that were made without naming a device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

ON_ITS_DEVICE = 'answer to "is the result on the device of the input?"'

_MIXED = ("expected device", "same device", "two devices")  # in the messages of PyTorch's errors
_MAKERS = {"zeros", "ones", "empty", "full", "rand", "randn", "randint", "eye", "arange", "linspace", "tensor"}
_ARITHMETIC = {"add", "radd", "sub", "rsub", "mul", "rmul", "div", "rdiv", "maximum", "minimum", "where"}
_COMBINING = _ARITHMETIC | {"cat", "stack", "matmul", "mm", "bmm", "einsum", "le", "lt", "ge", "gt"}


def on_meta_device(call: Callable[[], torch.Tensor | Iterable[torch.Tensor]]) -> bool:
    """Whether what `call()` computes from tensors of the meta device is on that device as well.

    Code that reads a number cannot run there. It counts as right; only two devices in one operation are a mistake.
    """
    try:
        with _Copyable():  # type: ignore[no-untyped-call]
            results = call()
            return all(tensor.is_meta for tensor in ([results] if isinstance(results, torch.Tensor) else results))
    except Exception as error:
        return not any(words in str(error) for words in _MIXED)


def stays_on_device(call: Callable[..., Any], *inputs: Any) -> dict[str, bool]:
    """Whether the result of `call(*inputs)` would be on the inputs' device if that were not the CPU.

    What the code makes without naming a device would be on the CPU. So the result must not be such a tensor, and none
    may be combined with one that comes from the inputs; an index and a number without dimensions may be anywhere.
    Code that asks for a device or moves tensors is not judged: what it would do elsewhere does not show here.
    """
    with _Watch() as watch:
        result = call(*inputs)
    wrong = watch.mixed or watch.is_elsewhere(result)
    return {ON_ITS_DEVICE: watch.minds_devices or not wrong}


class _Copyable(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes the meta device stand in for a GPU: its tensors can be copied to the CPU, where they are zeros."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without this PyTorch imports its compiler at the first operator, which takes longer than the whole check."""
        return False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is torch.ops.aten.copy_.default and args[1].is_meta and not args[0].is_meta:
            return args[0]
        if function is torch.ops.aten._to_copy.default and args[0].is_meta:
            target = torch.device(kwargs.get("device") or "meta")
            if target.type != "meta":
                return torch.zeros_like(args[0], dtype=kwargs.get("dtype"), device=target)
        return function(*args, **kwargs)


class _Watch(TorchFunctionMode):
    """Follows the tensors that are made without naming a device, and what is computed from them alone."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: list[torch.Tensor] = []
        self.mixed = False
        self.minds_devices = False

    def is_elsewhere(self, tensor: Any) -> bool:
        return any(tensor is made for made in self.elsewhere)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        name = getattr(function, "__name__", "").strip("_")
        if _minds_devices(function, name, args):
            self.minds_devices = True
        places = [self.is_elsewhere(tensor) for tensor in _tensors(args) if tensor.dim()]
        if name in _COMBINING and len(set(places)) > 1:
            self.mixed = True
        made = name in _MAKERS and kwargs.get("device") is None
        for tensor in _tensors([result]):
            if tensor.dim() and (made or (places and all(places))) and not self.is_elsewhere(tensor):
                self.elsewhere.append(tensor)
        return result


def _minds_devices(function: Any, name: str, args: Any) -> bool:
    attribute = getattr(getattr(function, "__self__", None), "__name__", "")
    moved = name == "to" and any(isinstance(value, torch.Tensor | torch.device | str) for value in args[1:])
    return (
        moved
        or name in ("type", "get_device", "type_as", "cuda", "cpu")
        or attribute in ("device", "is_cuda", "is_cpu")
    )


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)
