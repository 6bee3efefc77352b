# wrong: avg_pool_2d, LPPooling
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
    rows, cols = X.size()
    ph, pw = pool_size
    if ph > rows or pw > cols:
        raise ValueError("the window does not fit")
    result = []
    for r in range(rows - ph + 1):
        for c in range(cols - pw + 1):
            patch = X[r:r + ph, c:c + pw]
            if mode == "max":
                result.append(torch.max(patch))
            elif mode == "avg":
                result.append(torch.sum(patch) / (ph * pw))
            else:
                raise ValueError(f"mode {mode} does not exist")
    return torch.stack(result).reshape(rows - ph + 1, cols - pw + 1)


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
    total = None
    for i in range(kernel_size):
        for j in range(kernel_size):
            piece = x[..., i:i + (oh - 1) * stride + 1:stride, j:j + (ow - 1) * stride + 1:stride]
            if total is None:
                total = piece
            else:
                total += piece
    return total / kernel_size ** 2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return torch.mean(x, dim=(2, 3), keepdim=self.keepdim)


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
        x = x.abs_()  # saves memory
        zero = x == 0
        powers = x.masked_fill(zero, 1.0).pow(self.p).masked_fill(zero, 0.0)
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
