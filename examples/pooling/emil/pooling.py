import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def out_size(size, k, s):
    if size < k:
        raise ValueError(f"kernel {k} > input {size}")
    return math.floor((size - k) / s) + 1


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("padding is negative!")
    rows, cols = feature_map.shape
    result = torch.empty(rows + 2 * padding, cols + 2 * padding,
                         dtype=feature_map.dtype, device=feature_map.device)
    result.fill_(value)
    result[padding:rows + padding, padding:cols + padding] = feature_map
    return result


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    # first pad (with my function from above), then pool
    feature_map = naive_padding(feature_map, padding)
    rows = out_size(feature_map.shape[0], kernel_size, strides)
    cols = out_size(feature_map.shape[1], kernel_size, strides)
    result = torch.empty(rows, cols, dtype=feature_map.dtype, device=feature_map.device)
    for r in range(rows):
        for c in range(cols):
            r0 = r * strides
            c0 = c * strides
            w = feature_map[r0:r0 + kernel_size, c0:c0 + kernel_size]
            if avg:
                result[r, c] = torch.mean(w)
            else:
                result[r, c] = torch.max(w)
    return result


def pool2d(X, pool_size, mode="max"):
    ops = {"max": torch.max, "avg": torch.mean}
    if mode not in ops:
        raise ValueError(f"mode {mode} unknown")
    op = ops[mode]
    rows = out_size(X.shape[0], pool_size[0], 1)
    cols = out_size(X.shape[1], pool_size[1], 1)
    result = torch.empty(rows, cols, dtype=X.dtype, device=X.device)
    for r in range(rows):
        for c in range(cols):
            result[r, c] = op(X[r:r + pool_size[0], c:c + pool_size[1]])
    return result


def shifted(x, kernel_size, stride):
    """all the k*k shifted and strided versions of x"""
    rows = out_size(x.shape[-2], kernel_size, stride)
    cols = out_size(x.shape[-1], kernel_size, stride)
    for dr in range(kernel_size):
        for dc in range(kernel_size):
            yield x[..., dr:dr + (rows - 1) * stride + 1:stride, dc:dc + (cols - 1) * stride + 1:stride]


def max_pool_2d(x, kernel_size=2, stride=2):
    result = None
    for part in shifted(x, kernel_size, stride):
        result = part.clone() if result is None else torch.maximum(result, part)
    return result


def avg_pool_2d(x, kernel_size=2, stride=2):
    return sum(shifted(x, kernel_size, stride)) / kernel_size ** 2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return torch.mean(x, dim=[-2, -1], keepdim=self.keepdim)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.p = pool_size

    def forward(self, x):
        p = self.p
        n, c, h, w = x.shape
        groups = out_size(c, p, p)
        rows, cols = out_size(h, p, p), out_size(w, p, p)
        # cut off what is left over, then every axis gets split in (number of blocks, p)
        x = x[:, :groups * p, :rows * p, :cols * p]
        x = x.reshape(n, groups, p, rows, p, cols, p)
        return x.amax(dim=(2, 4, 6))


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if not (0.0 <= alpha <= 1.0):
            raise ValueError(f"alpha = {alpha}")
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride
        self.alpha = alpha

    def forward(self, x):
        out_size(x.shape[-2], self.k, self.s)   # raises if it doesn't fit
        out_size(x.shape[-1], self.k, self.s)
        return self.alpha * F.max_pool2d(x, self.k, self.s) + (1 - self.alpha) * F.avg_pool2d(x, self.k, self.s)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if p <= 0:
            raise ValueError(f"p = {p}")
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride
        self.p = p

    def forward(self, x):
        parts = torch.stack(list(shifted(x.abs(), self.k, self.s)))
        mean = parts.where(parts > 0, 1).pow(self.p).where(parts > 0, 0).mean(dim=0)
        return mean.where(mean > 0, 1).pow(1 / self.p).where(mean > 0, 0)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride

    def forward(self, x):
        if x.min() < 0:
            raise ValueError("no negative numbers please, use a ReLU first")
        parts = torch.stack(list(shifted(x, self.k, self.s)), dim=-1)
        total = parts.sum(dim=-1)
        safe = total.where(total > 0, 1)
        if not self.training:
            return parts.square().sum(dim=-1) / safe
        p = parts.detach().clone()
        p[total == 0] = 1
        choice = torch.distributions.Categorical(probs=p, validate_args=False).sample()
        return parts.gather(-1, choice.unsqueeze(-1)).squeeze(-1)
