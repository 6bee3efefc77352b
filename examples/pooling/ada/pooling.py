"""Pooling from scratch. Ada"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _check_fit(height: int, width: int, k_h: int, k_w: int) -> None:
    if height < k_h or width < k_w:
        raise ValueError(f"window ({k_h}, {k_w}) is larger than the map ({height}, {width})")


def _pair_up(x: Tensor, k: int, s: int, dim: int, op) -> Tensor:
    """Combine the k neighbours along one dimension with op, in steps of s."""
    count = (x.size(dim) - k) // s + 1
    index = [slice(None)] * x.dim()
    out = None
    for offset in range(k):
        index[dim] = slice(offset, offset + (count - 1) * s + 1, s)
        part = x[tuple(index)]
        out = part if out is None else op(out, part)
    return out


def naive_padding(feature_map: Tensor, padding: int, value: float = 0.0) -> Tensor:
    if padding < 0:
        raise ValueError("negative padding makes no sense")
    side = feature_map.new_full((feature_map.size(0), padding), value)
    wide = torch.cat([side, feature_map, side], dim=1)
    bar = wide.new_full((padding, wide.size(1)), value)
    return torch.cat([bar, wide, bar], dim=0)


def naive_pooling(feature_map: Tensor, kernel_size: int, strides: int, padding: int, avg: bool = False) -> Tensor:
    x = naive_padding(feature_map, padding, 0.0 if avg else -torch.inf)
    _check_fit(*x.shape, kernel_size, kernel_size)
    rows = range(0, x.size(0) - kernel_size + 1, strides)
    cols = range(0, x.size(1) - kernel_size + 1, strides)
    reduce = torch.mean if avg else torch.max
    return torch.stack(
        [torch.stack([reduce(x[r : r + kernel_size, c : c + kernel_size]) for c in cols]) for r in rows]
    )


def pool2d(X: Tensor, pool_size: tuple[int, int], mode: str = "max") -> Tensor:
    if mode not in {"max", "avg"}:
        raise ValueError(f"unknown mode {mode!r}, use 'max' or 'avg'")
    _check_fit(*X.shape, *pool_size)
    windows = X.unfold(0, pool_size[0], 1).unfold(1, pool_size[1], 1)
    return windows.amax(dim=(-2, -1)) if mode == "max" else windows.mean(dim=(-2, -1))


def max_pool_2d(x: Tensor, kernel_size: int = 2, stride: int = 2) -> Tensor:
    _check_fit(*x.shape[-2:], kernel_size, kernel_size)
    if kernel_size == 1:
        return x[..., ::stride, ::stride].clone()
    # the max of a square is the max over rows of the max over columns: 2k steps instead of k^2
    rows = _pair_up(x, kernel_size, stride, x.dim() - 2, torch.maximum)
    return _pair_up(rows, kernel_size, stride, x.dim() - 1, torch.maximum)


def avg_pool_2d(x: Tensor, kernel_size: int = 2, stride: int = 2) -> Tensor:
    _check_fit(*x.shape[-2:], kernel_size, kernel_size)
    rows = _pair_up(x, kernel_size, stride, x.dim() - 2, torch.add)
    return _pair_up(rows, kernel_size, stride, x.dim() - 1, torch.add) / kernel_size**2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim: bool = False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x: Tensor) -> Tensor:
        out = x.flatten(2).mean(-1)
        return out[:, :, None, None] if self.keepdim else out


class DepthPool(nn.Module):
    def __init__(self, pool_size: int = 2):
        super().__init__()
        self.p = pool_size

    def forward(self, x: Tensor) -> Tensor:
        if x.size(1) < self.p:
            raise ValueError(f"{x.size(1)} channels cannot form a group of {self.p}")
        _check_fit(*x.shape[-2:], self.p, self.p)
        # a 3D pooling whose depth are the channels
        return F.max_pool3d(x.unsqueeze(1), self.p).squeeze(1)


class _Windowed(nn.Module):
    def __init__(self, kernel_size: int, stride: int | None = None):
        super().__init__()
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride

    def windows(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, k*k, out_H, out_W)"""
        _check_fit(*x.shape[-2:], self.k, self.k)
        n, c, h, w = x.shape
        out_h, out_w = (h - self.k) // self.s + 1, (w - self.k) // self.s + 1
        return F.unfold(x, self.k, stride=self.s).reshape(n, c, self.k * self.k, out_h, out_w)


class MixedPooling(_Windowed):
    def __init__(self, kernel_size: int, stride: int | None = None, alpha: float = 0.5):
        super().__init__(kernel_size, stride)
        if alpha < 0 or alpha > 1:
            raise ValueError(f"alpha = {alpha} is not in [0, 1]")
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        w = self.windows(x)
        return torch.lerp(w.mean(2), w.amax(2), self.alpha)


class LPPooling(_Windowed):
    def __init__(self, kernel_size: int, stride: int | None = None, p: float = 2):
        super().__init__(kernel_size, stride)
        if p <= 0:
            raise ValueError(f"p = {p} must be > 0")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        a = self.windows(x).abs()
        powers = torch.where(a == 0, 0.0, torch.where(a == 0, 1.0, a).pow(self.p))
        m = powers.mean(2)
        return torch.where(m == 0, 0.0, torch.where(m == 0, 1.0, m).pow(1 / self.p))


class StochasticPooling(_Windowed):
    def forward(self, x: Tensor) -> Tensor:
        if (x < 0).any():
            raise ValueError("stochastic pooling needs non-negative activations")
        w = self.windows(x)
        total = w.sum(2, keepdim=True)
        if not self.training:
            return (w * w).sum(2) / torch.where(total == 0, 1.0, total).squeeze(2)
        # inverse transform sampling: the first pixel whose cumulated sum exceeds u * total
        with torch.no_grad():
            cumulated = w.cumsum(2)
            u = torch.rand_like(total) * cumulated[:, :, -1:]
            index = (cumulated <= u).sum(2, keepdim=True).clamp(max=w.size(2) - 1)
        return w.gather(2, index).squeeze(2)
