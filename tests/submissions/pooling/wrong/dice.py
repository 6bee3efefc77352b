# wrong: LPPooling, StochasticPooling
import torch
import torch.nn as nn
import torch.nn.functional as F


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("cannot pad by a negative number")
    rows, cols = feature_map.size()
    left = feature_map.new_full((rows, padding), value)
    middle = torch.cat([left, feature_map, left], dim=1)
    top = feature_map.new_full((padding, cols + 2 * padding), value)
    return torch.cat([top, middle, top], dim=0)


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    if avg:
        padded = naive_padding(feature_map, padding)
    else:
        padded = naive_padding(feature_map, padding, float("-inf"))
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
    rows, cols = x.shape[-2:]
    if min(rows, cols) < kernel_size:
        raise ValueError("the kernel does not fit")
    oh = (rows - kernel_size) // stride + 1
    ow = (cols - kernel_size) // stride + 1
    shifted = []
    for i in range(kernel_size):
        for j in range(kernel_size):
            shifted.append(x[..., i:i + (oh - 1) * stride + 1:stride, j:j + (ow - 1) * stride + 1:stride])
    return torch.stack(shifted).amax(dim=0)


def avg_pool_2d(x, kernel_size=2, stride=2):
    rows, cols = x.shape[-2:]
    if min(rows, cols) < kernel_size:
        raise ValueError("the kernel does not fit")
    oh = (rows - kernel_size) // stride + 1
    ow = (cols - kernel_size) // stride + 1
    total = 0
    for i in range(kernel_size):
        for j in range(kernel_size):
            total = total + x[..., i:i + (oh - 1) * stride + 1:stride, j:j + (ow - 1) * stride + 1:stride]
    return total / (kernel_size * kernel_size)


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
        # there is a function for this
        return F.lp_pool2d(x.abs(), self.p, self.kernel_size, self.stride)


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
        windows = windows.reshape(*windows.shape[:4], k * k)
        total = windows.sum(dim=-1, keepdim=True)
        probs = windows / torch.where(total == 0, torch.ones_like(total), total)
        if not self.training:
            return (probs * windows).sum(dim=-1)
        # one random number per window: the first place whose cumulative probability is larger
        h, w = windows.shape[2:4]
        r = torch.rand(h, w, 1, device=x.device, dtype=x.dtype)
        idx = (probs.cumsum(dim=-1) <= r).sum(dim=-1, keepdim=True).clamp(max=k * k - 1)
        return windows.gather(-1, idx).squeeze(-1)
