"""Right: functions come from factories, modules are put together from others."""

from __future__ import annotations

import functools
import operator
from typing import Callable

import torch
import torch.nn as nn
from torch import Tensor

Reduction = Callable[[list], Tensor]


def _refuse(condition: bool, message: str) -> None:
    if condition:
        raise ValueError(message)


def _starting_at(start: int, length: int, step: int) -> slice:
    return slice(start, start + length, step)


def _places(x: Tensor, size: tuple[int, int], step: int) -> list[Tensor]:
    free = [extent - k for extent, k in zip(x.shape[-2:], size)]
    _refuse(min(free) < 0, "The window does not fit.")
    rows, columns = (functools.partial(_starting_at, length=n + 1, step=step) for n in free)
    return [x[(..., rows(i), columns(j))] for i in range(size[0]) for j in range(size[1])]


_largest: Reduction = lambda places: functools.reduce(torch.maximum, places[1:], places[0].clone())
_mean: Reduction = lambda places: functools.reduce(operator.add, places) / len(places)


def _frame(height: int, width: int, p: int) -> Callable[[Tensor, float], Tensor]:
    def put(x: Tensor, value: float) -> Tensor:
        inside = torch.zeros(height + 2 * p, width + 2 * p, dtype=torch.bool, device=x.device)
        inside[p : p + height, p : p + width] = True
        return torch.full(inside.shape, value, dtype=x.dtype, device=x.device).masked_scatter(inside, x)

    return put


naive_padding = lambda feature_map, padding, value=0.0: (
    _refuse(padding < 0, "The padding is negative.") or _frame(*feature_map.shape, padding)(feature_map, value)
)


class _NaivePooling:
    """A callable object in the place of a function."""

    def __call__(
        self, feature_map: Tensor, kernel_size: int, strides: int, padding: int, avg: bool = False, *, border=None
    ) -> Tensor:
        if border is None:
            border = 0.0 if avg else -torch.inf
        framed = naive_padding(feature_map, padding, border)
        return (_mean if avg else _largest)(_places(framed, (kernel_size, kernel_size), strides))


naive_pooling = _NaivePooling()


def pool2d(X: Tensor, pool_size: tuple[int, int], mode: str = "max", *, stride: int = 1) -> Tensor:
    match mode:
        case "max":
            reduction = _largest
        case "avg":
            reduction = _mean
        case _:
            raise ValueError("Choose max or avg.")
    return reduction(_places(X, tuple(pool_size), stride))


def _fast(reduction: Reduction, x: Tensor, kernel_size: int = 2, stride: int = 2) -> Tensor:
    return reduction(_places(x, (kernel_size,) * 2, stride))


max_pool_2d = functools.partial(_fast, _largest)
avg_pool_2d = functools.partial(_fast, _mean)


class GlobalAveragePooling(nn.Sequential):
    def __init__(self, keepdim: bool = False) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Identity() if keepdim else nn.Flatten())


class _Fits(nn.Module):
    """Lets a tensor through if a window fits into its last dimensions."""

    def __init__(self, *window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        extents = x.shape[-len(self.window) :]
        _refuse(any(k > n for k, n in zip(self.window, extents)), "The window does not fit.")
        return x


class DepthPool(nn.Sequential):
    """Channels are the depth of a volume."""

    def __init__(self, pool_size: int = 2) -> None:
        super().__init__(
            _Fits(pool_size, pool_size, pool_size),
            nn.Unflatten(1, (1, -1)),
            nn.MaxPool3d(pool_size),
            nn.Flatten(1, 2),
        )


class MixedPooling(nn.Module):
    def __init__(self, kernel_size: int, stride: int | None = None, alpha: float = 0.5, *, name: str = "") -> None:
        super().__init__()
        _refuse(not 0 <= alpha <= 1, "alpha must lie in [0, 1].")
        self.name = name
        self.fits = _Fits(kernel_size, kernel_size)
        self.parts = nn.ModuleList([nn.MaxPool2d(kernel_size, stride), nn.AvgPool2d(kernel_size, stride)])
        self.weights = (alpha, 1 - alpha)

    def forward(self, x: Tensor) -> Tensor:
        self.fits(x)
        return sum(weight * part(x) for weight, part in zip(self.weights, self.parts))


def _safe_power(exponent: float) -> Callable[[Tensor], Tensor]:
    def power(x: Tensor) -> Tensor:
        result = torch.zeros_like(x)
        positive = x > 0
        return result.masked_scatter(positive, x[positive] ** exponent)

    return power


class LPPooling(nn.Module):
    def __init__(self, kernel_size: int, stride: int | None = None, p: float = 2) -> None:
        super().__init__()
        _refuse(not p > 0, "p must be positive.")
        self.steps = [
            _Fits(kernel_size, kernel_size),
            torch.abs,
            _safe_power(p),
            nn.AvgPool2d(kernel_size, stride),
            _safe_power(1 / p),
        ]

    def forward(self, x: Tensor) -> Tensor:
        return functools.reduce(lambda value, step: step(value), self.steps, x)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        super().__init__()
        step = kernel_size if stride is None else stride
        self.windows = lambda x: torch.stack(_places(x, (kernel_size, kernel_size), step), dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        _refuse(bool((x < 0).any()), "The input is negative.")
        windows = self.windows(x)
        return (self._draw if self.training else self._expect)(windows)

    @staticmethod
    def _expect(windows: Tensor) -> Tensor:
        total = windows.sum(-1, keepdim=True)
        return (windows * (windows / (total + (total == 0)))).sum(-1)

    @staticmethod
    def _draw(windows: Tensor) -> Tensor:
        weights = windows.detach()
        weights = weights + (weights.sum(-1, keepdim=True) == 0)
        drawn = torch.distributions.Categorical(weights).sample()
        one_hot = nn.functional.one_hot(drawn, windows.shape[-1]).to(windows.dtype)
        return (windows * one_hot).sum(-1)
