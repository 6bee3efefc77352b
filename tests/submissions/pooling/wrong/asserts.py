# wrong: DepthPool, MixedPooling
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
        self.pool = nn.AdaptiveAvgPool2d((1, 1))

    def forward(self, x):
        out = self.pool(x)
        if not self.keepdim:
            out = out.flatten(1)
        return out


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.p = pool_size
        self.pool = nn.MaxPool2d(pool_size, stride=pool_size)

    def forward(self, x):
        N, C, H, W = x.size()
        assert C >= self.p, "not enough channels"
        if min(H, W) < self.p:
            raise ValueError("the window does not fit")
        y = self.pool(x)[:, :C - C % self.p]
        y = y.reshape(N, C // self.p, self.p, y.size(2), y.size(3))
        return y.max(dim=2)[0]


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        assert 0 <= alpha <= 1, "alpha must be between 0 and 1"
        self.k = kernel_size
        self.alpha = alpha
        self.maxpool = nn.MaxPool2d(kernel_size, stride)
        self.avgpool = nn.AvgPool2d(kernel_size, stride)

    def forward(self, x):
        if min(x.size(2), x.size(3)) < self.k:
            raise ValueError("the window does not fit")
        return self.alpha * self.maxpool(x) + (1 - self.alpha) * self.avgpool(x)


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
