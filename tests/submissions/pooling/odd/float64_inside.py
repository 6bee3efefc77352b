"""Right: every computation is done in float64, and the result is cast back."""

import functools
import math

import torch
from torch import nn
from torch.nn import functional as F


def in_float64(function):
    """Casts the first argument, positional or not, and the result back."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        if args:
            dtype, args = args[0].dtype, (args[0].double(), *args[1:])
        else:
            (name,) = (name for name, value in kwargs.items() if torch.is_tensor(value))
            dtype, kwargs[name] = kwargs[name].dtype, kwargs[name].double()
        return function(*args, **kwargs).to(dtype)

    return wrapped


def fit(x, k_h, k_w):
    h, w = x.shape[-2:]
    if k_h > h or k_w > w:
        raise ValueError("The window is larger than the map.")
    return h - k_h, w - k_w


def box_sums(x, k_h, k_w, stride):
    """The sum of every window, from a table of the sums of all rectangles that start at the corner."""
    free_h, free_w = fit(x, k_h, k_w)
    table = F.pad(x.cumsum(-1).cumsum(-2), (1, 0, 1, 0))
    top, bottom = slice(0, free_h + 1, stride), slice(k_h, None, stride)
    left, right = slice(0, free_w + 1, stride), slice(k_w, None, stride)
    return (
        table[..., bottom, right] - table[..., top, right] - table[..., bottom, left] + table[..., top, left]
    )


def running_max(x, k_h, k_w, stride):
    """Rows first, then columns."""
    free_h, free_w = fit(x, k_h, k_w)
    rows = functools.reduce(torch.maximum, [x[..., i : i + free_h + 1 : stride, :] for i in range(k_h)])
    return functools.reduce(torch.maximum, [rows[..., j : j + free_w + 1 : stride] for j in range(k_w)])


@in_float64
def naive_padding(feature_map, padding, value=0.0):
    if padding < 0:
        raise ValueError("The padding is negative.")
    height, width = feature_map.shape
    beside = feature_map.new_full((height, padding), value)
    middle = torch.hstack((beside, feature_map, beside))
    above = feature_map.new_full((padding, width + 2 * padding), value)
    return torch.vstack((above, middle, above))


@in_float64
def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    if padding < 0:
        raise ValueError("The padding is negative.")
    frame = [padding] * 4
    if avg:
        return box_sums(F.pad(feature_map, frame), kernel_size, kernel_size, strides) / kernel_size**2
    return running_max(F.pad(feature_map, frame, value=-math.inf), kernel_size, kernel_size, strides)


@in_float64
def pool2d(X, pool_size, mode="max"):
    if mode == "avg":
        return box_sums(X, *pool_size, 1) / math.prod(pool_size)
    if mode == "max":
        return running_max(X, *pool_size, 1)
    raise ValueError("The mode is neither max nor avg.")


@in_float64
def max_pool_2d(x, kernel_size=2, stride=2):
    return running_max(x, kernel_size, kernel_size, stride).clone()


@in_float64
def avg_pool_2d(x, kernel_size=2, stride=2):
    # The table of sums would be slow here, so rows first, then columns.
    free_h, free_w = fit(x, kernel_size, kernel_size)
    rows = sum(x[..., i : i + free_h + 1 : stride, :] for i in range(kernel_size))
    return sum(rows[..., j : j + free_w + 1 : stride] for j in range(kernel_size)) / kernel_size**2


class GlobalAveragePooling(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return torch.mean(x, (-2, -1), keepdim=self.keepdim, dtype=torch.float64).to(x.dtype)


class DepthPool(nn.Module):
    def __init__(self, pool_size=2):
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x):
        p = self.pool_size
        if x.size(1) < p:
            raise ValueError("There are not enough channels.")
        space = running_max(x.double(), p, p, p)
        last = x.size(1) - p
        groups = torch.stack([space[:, i : last + i + 1 : p] for i in range(p)])
        return groups.amax(0).to(x.dtype)


class MixedPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError("A mixture needs an alpha between 0 and 1.")
        self.arguments = (kernel_size, kernel_size, kernel_size if stride is None else stride)
        self.alpha = alpha

    def forward(self, x):
        y = x.double()
        mean = box_sums(y, *self.arguments) / self.arguments[0] ** 2
        return (mean + self.alpha * (running_max(y, *self.arguments) - mean)).to(x.dtype)


class LPPooling(nn.Module):
    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        if not p > 0:
            raise ValueError("p must be positive.")
        self.kernel_size, self.p = kernel_size, p
        self.stride = kernel_size if stride is None else stride

    def forward(self, x):
        k = self.kernel_size
        fit(x, k, k)
        size = x.double().abs()
        # exp(p log|x|), with the zeros kept away from the logarithm
        zero = size == 0
        powers = torch.exp(self.p * size.masked_fill(zero, 1).log()).masked_fill(zero, 0)
        n, c, h, w = x.shape
        columns = F.unfold(powers.reshape(n * c, 1, h, w), k, stride=self.stride)
        mean = columns.mean(1).reshape(n, c, (h - k) // self.stride + 1, (w - k) // self.stride + 1)
        zero = mean == 0
        return torch.exp(mean.masked_fill(zero, 1).log() / self.p).masked_fill(zero, 0).to(x.dtype)


class StochasticPooling(nn.Module):
    def __init__(self, kernel_size, stride=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride

    def forward(self, x):
        k, s = self.kernel_size, self.stride
        free_h, free_w = fit(x, k, k)
        if bool(torch.any(x < 0)):
            raise ValueError("Negative activations have no probability.")
        y = x.double()
        places = torch.stack(
            [y[..., i : i + free_h + 1 : s, j : j + free_w + 1 : s] for i in range(k) for j in range(k)]
        )
        total = places.sum(0)
        if not self.training:
            return (places.square().sum(0) / total.where(total > 0, torch.ones_like(total))).to(x.dtype)
        # Walk along the places until the sum passes a random part of the total. Zeros never pass it.
        dice = torch.rand(total.shape, dtype=torch.float64, device=x.device) * total.detach()
        passed = places.detach().cumsum(0) > dice
        first = passed.to(torch.uint8).argmax(0, keepdim=True)
        return places.gather(0, first)[0].to(x.dtype)
