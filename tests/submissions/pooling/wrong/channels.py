# wrong: max_pool_2d, GlobalAveragePooling, DepthPool
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
    if x.dim() == 3:
        return torch.stack([max_pool_2d(channel, kernel_size, stride) for channel in x])
    if x.shape[0] < kernel_size or x.shape[1] < kernel_size:
        raise ValueError("kernel too large")
    windows = x.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride)
    return windows.amax(dim=(-2, -1))


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
        n, c, h, w = x.shape
        out = x.view(n, c, h * w).mean(dim=2)
        if self.keepdim:
            out = out.view(n, c, 1, 1)
        return out


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        c = x.shape[1]
        if c < p or x.shape[2] < p or x.shape[3] < p:
            raise ValueError("input too small")
        x = F.max_pool2d(x, p)
        groups = torch.chunk(x, c // p, dim=1)
        return torch.cat([g.max(dim=1, keepdim=True)[0] for g in groups], dim=1)


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
        probs = windows / torch.where(total == 0, torch.ones_like(total), total)
        if self.training:
            weights = torch.where(total == 0, torch.ones_like(probs), probs)
            idx = torch.multinomial(weights.detach().reshape(-1, k * k), 1).reshape(n, c, h, w, 1)
            return windows.gather(-1, idx).squeeze(-1)
        return (probs * windows).sum(dim=-1)
