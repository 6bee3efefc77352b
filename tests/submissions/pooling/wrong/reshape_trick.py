# wrong: max_pool_2d, avg_pool_2d
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
    k = kernel_size
    h, w = x.shape[-2] , x.shape[-1]
    if h < k or w < k:
        raise ValueError("kernel does not fit")
    out_h, out_w = (h - k) // stride + 1, (w - k) // stride + 1
    if stride == k:
        # fast way: cut into blocks
        blocks = x[..., :out_h * k, :out_w * k].reshape(*x.shape[:-2], out_h, k, out_w, k)
        return blocks.amax(dim=(-3, -1))
    # general case
    out = x.new_zeros(*x.shape[:-2], out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            out[..., i, j] = x[..., i * stride:i * stride + k, j * stride:j * stride + k].amax(dim=(-2, -1))
    return out


def avg_pool_2d(x, kernel_size=2, stride=2):
    k = kernel_size
    h, w = x.shape[-2], x.shape[-1]
    if h < k or w < k:
        raise ValueError("kernel does not fit")
    out_h, out_w = h // k, w // k
    blocks = x[..., :out_h * k, :out_w * k].reshape(*x.shape[:-2], out_h, k, out_w, k)
    return blocks.mean(dim=(-3, -1))


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
