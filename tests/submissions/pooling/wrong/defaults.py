# wrong: naive_padding, MixedPooling, StochasticPooling
import torch
import torch.nn as nn
import torch.nn.functional as F


def naive_padding(feature_map, padding, value=0.0):
    if padding <= 0:
        return feature_map
    h, w = feature_map.shape
    out = torch.full((h + 2 * padding, w + 2 * padding), value, dtype=feature_map.dtype, device=feature_map.device)
    out[padding:h + padding, padding:w + padding] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    if padding < 0:
        raise ValueError("cannot pad by a negative number")
    fill = 0.0 if avg else -float("inf")
    fm = F.pad(feature_map, (padding, padding, padding, padding), mode="constant", value=fill)
    rows, cols = fm.size()
    if min(rows, cols) < kernel_size:
        raise ValueError("the kernel does not fit")
    result = []
    for r in range(0, rows - kernel_size + 1, strides):
        line = []
        for c in range(0, cols - kernel_size + 1, strides):
            patch = fm[r:r + kernel_size, c:c + kernel_size]
            line.append(torch.mean(patch) if avg else torch.max(patch))
        result.append(torch.stack(line))
    return torch.stack(result)


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
        self.stride = stride or kernel_size
        self.alpha = alpha or 0.5

    def forward(self, x):
        if x.shape[-2] < self.kernel_size or x.shape[-1] < self.kernel_size:
            raise ValueError("kernel too large")
        mx = F.max_pool2d(x, self.kernel_size, self.stride)
        av = F.avg_pool2d(x, self.kernel_size, self.stride)
        return self.alpha * mx + (1 - self.alpha) * av


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if not p > 0:
            raise ValueError("p must be larger than 0")
        self.k = kernel_size
        self.s = kernel_size if stride is None else stride
        self.p = p

    def forward(self, x):
        if min(x.size(2), x.size(3)) < self.k:
            raise ValueError("the window does not fit")
        win = x.abs().unfold(2, self.k, self.s).unfold(3, self.k, self.s)
        nonzero = win > 0
        # the gradient of a power at 0 may be infinite, so zeros take another way
        win = torch.where(nonzero, torch.where(nonzero, win, torch.ones_like(win)) ** self.p, torch.zeros_like(win))
        mean = win.mean(dim=(-1, -2))
        nonzero = mean > 0
        root = torch.where(nonzero, mean, torch.ones_like(mean)) ** (1.0 / self.p)
        return torch.where(nonzero, root, torch.zeros_like(root))


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
        probs = windows / (total + 1e-6)  # never divide by zero
        if self.training:
            weights = torch.where(total == 0, torch.ones_like(probs), probs)
            idx = torch.multinomial(weights.detach().reshape(-1, k * k), 1).reshape(n, c, h, w, 1)
            return windows.gather(-1, idx).squeeze(-1)
        return (probs * windows).sum(dim=-1)
