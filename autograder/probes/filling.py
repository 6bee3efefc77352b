"""Gives two models the same numbers without knowing how their layers are named or ordered.

A tensor's numbers depend only on its role and shape (see `roles`), so two layers of the same shape get the same ones.
The gradients and the statistics still show that there are two.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import math
import mmap
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from autograder.probes import roles

M = TypeVar("M", bound=nn.Module)

# Large tensors repeat this many numbers: a prime, so that no two rows or channels of common sizes are equal.
_PERIOD = 65_537
_LARGE = 2**22  # bytes
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_GAIN = 3**0.5  # of a uniform distribution: standard deviation 1 on [−√3, √3]

# role → (smallest, largest) of the numbers; weights are divided by √fan_in as well
_RANGES = {
    roles.WEIGHT: (-1.4 * _GAIN, 1.4 * _GAIN),
    roles.BIAS: (-0.5, 0.5),
    roles.SCALE: (0.5, 1.5),
    roles.MEAN: (-0.5, 0.5),
    roles.VARIANCE: (0.5, 1.5),
}


def fill(model: M, seed: int = 0) -> M:
    """Fills every parameter and every running mean and variance in place; returns the model.

    Weights preserve the size of a signal (variance 2 / fan_in, as in He et al. 2015, https://arxiv.org/abs/1502.01852),
    a quarter of the normalisation scales are negative, running variances are positive. Other buffers are unchanged.

    Args:
        model: must not have lazy parameters any more (see `filled`).
        seed: different seeds give different numbers.
    """
    with torch.no_grad():
        for group, tensor in (*roles.parameters(model), *roles.running_statistics(model)):
            _write(_numbers(*group, tensor.numel(), seed), tensor)
    return model


def filled(build: Callable[[], M], x: torch.Tensor, seed: int = 0) -> M:
    """`built(build, x)` in training mode, with its parameters and statistics filled."""
    return fill(built(build, x), seed).train()


def built(build: Callable[[], M], x: torch.Tensor) -> M:
    """The model that `build()` makes, in x's dtype, with arbitrary numbers in its parameters.

    Its own random initialisation is skipped, because it takes most of the time for a large model. Lazy parameters get
    their shapes from a forward pass of `x` in evaluation mode.
    """
    with NoDraws():
        model = build()
        if not isinstance(model, nn.Module):
            raise TypeError(f"an nn.Module was expected, but this is a {type(model).__name__}")
        model = model.to(x.dtype)
        materialise(model, x)
    return model


def zeroed(build: Callable[[], M], x: torch.Tensor) -> M:
    """`built(build, x)` in training mode, with zeros in its parameters: for probes that set a few numbers themselves.
    Large tensors take no time or memory until they are written to."""
    model = built(build, x)
    for parameter in model.parameters():
        _zero(parameter.detach())
    return model.train()


def materialise(model: nn.Module, *inputs: torch.Tensor) -> None:
    """Gives lazy parameters their shapes; leaves other models alone."""
    if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
        model.eval()
        with torch.no_grad():
            model(*inputs)
        model.train()


@functools.lru_cache(maxsize=256)  # of at most half a megabyte each; a deep network has over a hundred shapes
def _numbers(role: str, shape: tuple[int, ...], count: int, seed: int) -> torch.Tensor:
    """In double precision: a model in float32 gets the same numbers, rounded."""
    digest = hashlib.blake2b(f"{role}|{shape}|{seed}".encode(), digest_size=4).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, "little"))
    low, high = _RANGES[role]
    if role == roles.WEIGHT:
        fan_in = max(1, math.prod(shape[1:]))
        low, high = low / math.sqrt(fan_in), high / math.sqrt(fan_in)
    numbers = torch.rand(min(count, _PERIOD), generator=generator, dtype=torch.float64, device="cpu")
    numbers = low + (high - low) * numbers
    if role == roles.SCALE:
        signs = torch.rand(len(numbers), generator=generator, dtype=torch.float64, device="cpu")
        numbers = torch.where(signs < 0.25, -numbers, numbers)
    return numbers


def _write(numbers: torch.Tensor, tensor: torch.Tensor) -> None:
    """Fills the whole tensor, repeating the numbers."""
    if len(numbers) == tensor.numel():
        tensor.copy_(numbers.view(tensor.shape))
        return
    numbers = numbers.to(tensor.dtype)
    flat = tensor.reshape(-1)  # a view, unless the tensor's memory has gaps
    rows = flat.numel() // max(1, len(numbers))
    end = rows * len(numbers)
    flat[:end].view(rows, len(numbers)).copy_(numbers.expand(rows, len(numbers)))
    flat[end:].copy_(numbers[: flat.numel() - end])
    if flat.data_ptr() != tensor.data_ptr():
        tensor.copy_(flat.view(tensor.shape))


class NoDraws:
    """Inside the `with` block, parameters are zeroed, not drawn at random: their numbers are about to be replaced, or
    they have none (on the meta device, where drawing takes PyTorch ten times as long). Small ones are still drawn: see
    `roles`."""

    # All of nn.init ends in these. Unlike a function mode, replacing them does not slow down a network's other calls.
    _DRAWS = ("uniform_", "normal_")
    _SMALL = 1024

    def __enter__(self) -> None:
        self._replaced = {name: vars(torch.Tensor).get(name) for name in self._DRAWS}
        for name in self._DRAWS:
            setattr(torch.Tensor, name, _undrawn(getattr(torch.Tensor, name)))

    def __exit__(self, *_: object) -> None:
        for name, method in self._replaced.items():
            if method is None:
                delattr(torch.Tensor, name)  # restores the inherited method
            else:
                setattr(torch.Tensor, name, method)


def _undrawn(draw: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    @functools.wraps(draw)
    def method(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if isinstance(tensor, nn.Parameter) and (tensor.is_meta or tensor.numel() > NoDraws._SMALL):
            if not tensor.is_meta:
                _zero(tensor.detach())  # a model that hides parameters gets the same wrong result every time
            return tensor
        return draw(tensor, *args, **kwargs)

    return method


def _zero(tensor: torch.Tensor) -> None:
    """Zeroes in place. The pages of a large tensor are returned to Linux, which zeroes them when they are next touched:
    for half a gigabyte, as in VGG-16, writing the zeros would take most of the time."""
    large = tensor.nbytes >= _LARGE and tensor.is_contiguous() and tensor.device.type == "cpu"
    if large and _LIBC is not None and not tensor.is_shared():  # type: ignore[no-untyped-call]
        head = -tensor.data_ptr() % mmap.PAGESIZE
        pages = (tensor.nbytes - head) // mmap.PAGESIZE * mmap.PAGESIZE
        if _LIBC.madvise(ctypes.c_void_p(tensor.data_ptr() + head), ctypes.c_size_t(pages), mmap.MADV_DONTNEED) == 0:
            data = tensor.view(-1).view(torch.uint8)
            data[:head].zero_()
            data[head + pages :].zero_()
            return
    tensor.zero_()
