# wrong: pool2d, GlobalAveragePooling
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
    p_h, p_w = pool_size
    if X.shape[0] < p_h or X.shape[1] < p_w:
        raise ValueError("pool_size too large")
    Y = torch.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == "max":
                Y[i, j] = X[i: i + p_h, j: j + p_w].max()
            elif mode == "avg":
                Y[i, j] = X[i: i + p_h, j: j + p_w].mean()
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
        out = nn.AdaptiveAvgPool2d((1, 1))(x)
        return out if self.keepdim else out.squeeze()


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.p = pool_size
        self.pool = nn.MaxPool2d(pool_size, stride=pool_size)

    def forward(self, x):
        N, C, H, W = x.size()
        if C < self.p:
            raise ValueError("not enough channels")
        if min(H, W) < self.p:
            raise ValueError("the window does not fit")
        y = self.pool(x)[:, :C - C % self.p]
        y = y.reshape(N, C // self.p, self.p, y.size(2), y.size(3))
        return y.max(dim=2)[0]


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
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride

    def forward(self, x):
        N, C, H, W = x.size()
        if min(H, W) < self.k:
            raise ValueError("the window does not fit")
        if x.min() < 0:
            raise ValueError("negative values are not allowed")
        oh, ow = (H - self.k) // self.s + 1, (W - self.k) // self.s + 1
        win = F.unfold(x, self.k, stride=self.s).reshape(N, C, self.k ** 2, oh * ow).transpose(2, 3)
        total = win.sum(-1, keepdim=True)
        p = win / total.masked_fill(total == 0, 1.0)
        if not self.training:
            return (p * win).sum(-1).reshape(N, C, oh, ow)
        p = p.detach().masked_fill(total == 0, 1.0)
        idx = torch.multinomial(p.reshape(-1, self.k ** 2), 1).reshape(N, C, oh * ow, 1)
        return win.gather(3, idx).reshape(N, C, oh, ow)
