# Pooling exercises -- Dana
# TODO finish the last ones, ran out of time :(

import torch
import torch.nn.functional as F
from torch import nn


def naive_padding(feature_map, padding, value=0.0):
    """Surround a feature map with a border of constant value."""
    h, w = feature_map.shape
    # forgot about negative padding in the first version
    if padding < 0:
        raise ValueError("padding must be >= 0")
    out = torch.ones(h + 2 * padding, w + 2 * padding) * value
    out[padding:h + padding, padding:w + padding] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    """Pool one feature map with a square window."""
    if padding > 0:
        feature_map = naive_padding(feature_map, padding)
    h, w = feature_map.shape
    out_h = (h - kernel_size) // strides + 1
    out_w = (w - kernel_size) // strides + 1
    result = torch.zeros(out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            window = feature_map[i * strides:i * strides + kernel_size, j * strides:j * strides + kernel_size]
            result[i, j] = window.mean() if avg else window.max()
    return result


def pool2d(X, pool_size, mode="max"):
    """Pool one feature map with a rectangular window, stride 1, no padding."""
    p_h, p_w = pool_size
    Y = torch.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == "max":
                Y[i, j] = X[i: i + p_h, j: j + p_w].max()
            elif mode == "avg":
                Y[i, j] = X[i: i + p_h, j: j + p_w].mean()
            else:
                raise ValueError("mode must be max or avg")
    return Y


def max_pool_2d(x, kernel_size=2, stride=2):
    """Max pooling of one feature map or of a stack of them, vectorised."""
    if x.dim() == 2:
        x = x.unsqueeze(0)
    C, H, W = x.shape
    if H < kernel_size or W < kernel_size:
        raise ValueError("window does not fit")
    w = x.unfold(1, kernel_size, stride).unfold(2, kernel_size, stride)
    return w.reshape(*w.shape[:3], -1).max(dim=-1).values.squeeze()


def avg_pool_2d(x, kernel_size=2, stride=2):
    """Average pooling of one feature map or of a stack of them, vectorised."""
    if x.dim() == 2:
        x = x.unsqueeze(0)
    C, H, W = x.shape
    if H < kernel_size or W < kernel_size:
        raise ValueError("window does not fit")
    w = x.unfold(1, kernel_size, stride).unfold(2, kernel_size, stride)
    return w.reshape(*w.shape[:3], -1).mean(dim=-1).squeeze()


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        out = F.avg_pool2d(x, kernel_size=x.shape[2])
        return out if self.keepdim else out.flatten(1)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        if x.shape[1] < p:
            raise ValueError("not enough channels")
        x = F.max_pool2d(x, p)
        chunks = torch.chunk(x, x.shape[1] // p, dim=1)
        return torch.stack([c.max(dim=1).values for c in chunks], dim=1)


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        self.alpha = alpha
        self.max = nn.MaxPool2d(kernel_size, stride)
        self.avg = nn.AvgPool2d(kernel_size, stride)

    def forward(self, x):
        return self.alpha * self.max(x) + (1 - self.alpha) * self.avg(x)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()
