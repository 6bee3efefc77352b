# wrong: naive_pooling
import torch
import torch.nn as nn
import torch.nn.functional as F


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("padding must be >= 0")
    h, w = feature_map.shape
    out = torch.full((h + 2 * padding, w + 2 * padding), value, dtype=feature_map.dtype, device=feature_map.device)
    out[padding:h + padding, padding:w + padding] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    padded = naive_padding(feature_map, padding)
    h, w = padded.shape
    if kernel_size > h or kernel_size > w:
        raise ValueError("kernel too large")
    out_h = (h - kernel_size) // strides + 1
    out_w = (w - kernel_size) // strides + 1
    out = torch.zeros(out_h, out_w, dtype=feature_map.dtype, device=feature_map.device)
    for i in range(out_h):
        for j in range(out_w):
            window = padded[i * strides:i * strides + kernel_size, j * strides:j * strides + kernel_size]
            out[i, j] = window.mean() if avg else window.max()
    return out


def pool2d(X, pool_size, mode="max"):
    if mode != "max" and mode != "avg":
        raise ValueError("unknown mode: " + str(mode))
    p_h, p_w = pool_size
    if X.shape[0] < p_h or X.shape[1] < p_w:
        raise ValueError("pool_size too large")
    Y = torch.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1), dtype=X.dtype, device=X.device)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == "max":
                Y[i, j] = X[i:i + p_h, j:j + p_w].max()
            else:
                Y[i, j] = X[i:i + p_h, j:j + p_w].mean()
    return Y


def max_pool_2d(x, kernel_size=2, stride=2):
    if x.shape[-2] < kernel_size or x.shape[-1] < kernel_size:
        raise ValueError("kernel too large")
    bottom = x.shape[-2] - kernel_size + 1
    right = x.shape[-1] - kernel_size + 1
    out = x[..., 0:bottom:stride, 0:right:stride].clone()
    for i in range(kernel_size):
        for j in range(kernel_size):
            if i + j == 0:
                continue
            out = torch.maximum(out, x[..., i:i + bottom:stride, j:j + right:stride])
    return out


def avg_pool_2d(x, kernel_size=2, stride=2):
    if x.shape[-2] < kernel_size or x.shape[-1] < kernel_size:
        raise ValueError("kernel too large")
    bottom = x.shape[-2] - kernel_size + 1
    right = x.shape[-1] - kernel_size + 1
    out = x[..., 0:bottom:stride, 0:right:stride].clone()
    for i in range(kernel_size):
        for j in range(kernel_size):
            if i > 0 or j > 0:
                out = out + x[..., i:i + bottom:stride, j:j + right:stride]
    return out / kernel_size ** 2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return torch.mean(x, dim=(2, 3), keepdim=self.keepdim)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        n, c, h, w = x.shape
        if c < p or h < p or w < p:
            raise ValueError("input too small for pool_size")
        x = F.max_pool2d(x, p, p)
        outs = []
        for i in range(c // p):
            outs.append(x[:, i * p:(i + 1) * p].max(dim=1).values)
        return torch.stack(outs, dim=1)


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if alpha < 0 or alpha > 1:
            raise ValueError("alpha must be in [0, 1]")
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.alpha = alpha

    def forward(self, x):
        if x.shape[-2] < self.kernel_size or x.shape[-1] < self.kernel_size:
            raise ValueError("kernel too large")
        mx = F.max_pool2d(x, self.kernel_size, self.stride)
        av = F.avg_pool2d(x, self.kernel_size, self.stride)
        return self.alpha * mx + (1 - self.alpha) * av


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if p <= 0:
            raise ValueError("p must be positive")
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.p = p

    def forward(self, x):
        if x.shape[-2] < self.kernel_size or x.shape[-1] < self.kernel_size:
            raise ValueError("kernel too large")
        zero = x == 0
        powers = x.abs().masked_fill(zero, 1.0).pow(self.p).masked_fill(zero, 0.0)
        mean = F.avg_pool2d(powers, self.kernel_size, self.stride)
        empty = mean == 0
        return mean.masked_fill(empty, 1.0).pow(1 / self.p).masked_fill(empty, 0.0)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size

    def forward(self, x):
        k = self.kernel_size
        if x.shape[-2] < k or x.shape[-1] < k:
            raise ValueError("kernel too large")
        if (x < 0).any():
            raise ValueError("input must be non-negative")
        windows = x.unfold(2, k, self.stride).unfold(3, k, self.stride)
        n, c, h, w = windows.shape[:4]
        windows = windows.reshape(n, c, h, w, k * k)
        total = windows.sum(dim=-1, keepdim=True)
        probs = windows / torch.where(total == 0, torch.ones_like(total), total)
        if self.training:
            weights = torch.where(total == 0, torch.ones_like(probs), probs)
            idx = torch.multinomial(weights.detach().reshape(-1, k * k), 1).reshape(n, c, h, w, 1)
            return windows.gather(-1, idx).squeeze(-1)
        return (probs * windows).sum(dim=-1)
