"""Right: everything is a view of the input (as_strided, unfold), reduced by einsum or amax."""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import einsum, nn


def view_of_windows(t, kernel, stride):
    """(..., H, W) -> (..., out_H, out_W, k_h, k_w), without a copy."""
    *lead, h, w = t.shape
    k_h, k_w = kernel
    if h < k_h or w < k_w:
        raise ValueError(f"{k_h}x{k_w} window, {h}x{w} map")
    *lead_strides, s_h, s_w = t.stride()
    return t.as_strided(
        (*lead, (h - k_h) // stride + 1, (w - k_w) // stride + 1, k_h, k_w),
        (*lead_strides, s_h * stride, s_w * stride, s_h, s_w),
    )


def unfolded(t, kernel, stride):
    """The same with Tensor.unfold."""
    if min(t.shape[-2:]) < kernel:
        raise ValueError(f"{kernel}x{kernel} window, {tuple(t.shape[-2:])} map")
    return t.unfold(-2, kernel, stride).unfold(-2, kernel, stride)


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError(f"{padding=}")
    h, w = feature_map.shape
    frame = torch.full(
        (h + 2 * padding, w + 2 * padding), value, dtype=feature_map.dtype, device=feature_map.device
    )
    frame.narrow(0, padding, h).narrow(1, padding, w).copy_(feature_map)
    return frame


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    if padding < 0:
        raise ValueError(f"{padding=}")
    border = (0 if avg else -float("inf"),)
    framed = F.pad(feature_map[None], 4 * (padding,), "constant", *border)[0]
    windows = view_of_windows(framed, (kernel_size, kernel_size), strides)
    return einsum("ijkl->ij", windows) / kernel_size**2 if avg else windows.amax((2, 3))


def pool2d(X, pool_size, mode="max"):
    summary = {"max": lambda w: w.amax((-1, -2)), "avg": lambda w: w.mean((-1, -2))}.get(mode)
    if summary is None:
        raise ValueError(f"{mode=}")
    return summary(view_of_windows(X, pool_size, 1))


def max_pool_2d(x, kernel_size=2, stride=2):
    # First along the rows, then along the columns: a maximum of maxima.
    if min(x.shape[-2:]) < kernel_size:
        raise ValueError(f"{kernel_size=} but {x.shape=}")
    along_rows = reduce(torch.maximum, x.unfold(-1, kernel_size, stride).unbind(-1))
    return reduce(torch.maximum, along_rows.unfold(-2, kernel_size, stride).unbind(-1)).clone()


def avg_pool_2d(x, kernel_size=2, stride=2):
    columns = unfolded(x, kernel_size, stride).unbind(-1)
    return sum(plane for column in columns for plane in column.unbind(-1)) / kernel_size**2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.equation = "nchw->nc"
        self.keepdim = keepdim

    def forward(self, x):
        out = einsum(self.equation, x) / (x.shape[2] * x.shape[3])
        return out.unflatten(1, (-1, 1, 1)) if self.keepdim else out


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        cubes = x
        for dim in (1, 2, 3):
            if x.shape[dim] < self.pool_size:
                raise ValueError(f"dimension {dim} has only {x.shape[dim]}")
            cubes = cubes.unfold(dim, self.pool_size, self.pool_size)
        return cubes.amax((-3, -2, -1))


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"{alpha=}")
        self.kernel_size, self.stride, self.alpha = kernel_size, stride or kernel_size, alpha

    def forward(self, x):
        w = unfolded(x, self.kernel_size, self.stride)
        return w.amax((-1, -2)).mul(self.alpha) + w.mean((-1, -2)).mul(1 - self.alpha)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if not p > 0:
            raise ValueError(f"{p=}")
        self.kernel_size, self.stride, self.p = kernel_size, stride or kernel_size, p

    def forward(self, x):
        size = x.abs()
        powers = torch.where(size > 0, torch.where(size > 0, size, 1.0).pow(self.p), 0.0).to(x.dtype)
        mean = unfolded(powers, self.kernel_size, self.stride).mean((-1, -2))
        return torch.where(mean > 0, torch.where(mean > 0, mean, 1.0).pow(1 / self.p), 0.0).to(x.dtype)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride or kernel_size

    def forward(self, x):
        if x.lt(0).any():
            raise ValueError("an activation is negative")
        w = unfolded(x, self.kernel_size, self.stride).flatten(-2)
        if self.training:
            # A race: activation over an exponential clock. The winner is distributed as it should be.
            clocks = torch.empty_like(w, memory_format=torch.contiguous_format).exponential_()
            winner = (w.detach() / clocks).argmax(-1, keepdim=True)
            return torch.take_along_dim(w, winner, -1)[..., 0]
        total = w.sum(-1)
        return einsum("...k,...k->...", w, w) / torch.where(total > 0, total, 1.0).to(x.dtype)
