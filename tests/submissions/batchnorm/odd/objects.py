from __future__ import annotations

import abc
from dataclasses import dataclass

import torch
import torch.nn as nn


class Layout(abc.ABC):
    """Knows which axes belong to one feature."""

    axes: tuple

    @classmethod
    def of(cls, ndim):
        for layout in cls.__subclasses__():
            if layout.ndim == ndim:
                return layout()
        raise ValueError(f"no layout with {ndim} dimensions is known")

    @abc.abstractmethod
    def shape(self, features): ...

    def count(self, x):
        total = 1
        for axis in self.axes:
            total *= x.size(axis)
        return total


class Vectors(Layout):
    ndim, axes = 2, (0,)

    def shape(self, features):
        return (1, features)


class Images(Layout):
    ndim, axes = 4, (0, 2, 3)

    def shape(self, features):
        return (1, features, 1, 1)


@dataclass(frozen=True, eq=False)
class Statistics:
    mean: torch.Tensor
    var: torch.Tensor

    def moved_towards(self, other: Statistics, momentum) -> Statistics:
        keep = 1 - momentum
        with torch.no_grad():
            return Statistics(keep * self.mean + momentum * other.mean, keep * self.var + momentum * other.var)

    def standardise(self, x, eps):
        return (x - self.mean) / torch.sqrt(self.var + eps)


class Batch:
    def __init__(self, x):
        self.x = x
        self.layout = Layout.of(x.ndim)
        self.n = self.layout.count(x)

    @property
    def biased(self):
        mean = self.x.mean(dim=self.layout.axes, keepdim=True)
        return Statistics(mean, (self.x - mean).square().mean(dim=self.layout.axes, keepdim=True))

    def require_two_values(self):
        if self.n <= 1:
            raise ValueError("training needs at least two values per feature")

    def unbiased(self, biased):
        return Statistics(biased.mean.detach(), biased.var.detach() * self.n / (self.n - 1))


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    batch, memory = Batch(X), Statistics(moving_mean, moving_var)
    used = memory
    if training:
        batch.require_two_values()
        used = batch.biased
        memory = memory.moved_towards(batch.unbiased(used), momentum)
    return gamma * used.standardise(X, eps) + beta, memory.mean, memory.var


class Remembering(nn.Module):
    """A module with a pair of buffers that reads and writes them as one object."""

    def _remember(self, shape):
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    @property
    def memory(self):
        return Statistics(self.moving_mean, self.moving_var)

    @memory.setter
    def memory(self, statistics):
        with torch.no_grad():
            self.moving_mean.copy_(statistics.mean)
            self.moving_var.copy_(statistics.var)


class Affine(nn.Module):
    def _learn(self, shape):
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))

    def rescale(self, x):
        return torch.addcmul(self.beta, x, self.gamma)


class BatchNorm(Remembering, Affine):
    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        if num_dims not in (2, 4):
            raise ValueError("num_dims must be 2 (vectors) or 4 (images)")
        super().__init__()
        shape = Layout.of(num_dims).shape(num_features)
        self._remember(shape)
        self._learn(shape)
        self.__eps, self.__momentum = eps, momentum

    def _statistics(self, x):
        if not self.training:
            return self.memory
        batch = Batch(x)
        batch.require_two_values()
        now = batch.biased
        self.memory = self.memory.moved_towards(batch.unbiased(now), self.__momentum)
        return now

    def forward(self, x):
        used = self._statistics(x)
        return torch.addcmul(self.beta, x - used.mean, self.gamma * torch.rsqrt(used.var + self.__eps))


class ChannelMap:
    """y = a * x + b, one a and one b per channel."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    @classmethod
    def of_norm(cls, bn):
        a = torch.rsqrt(bn.running_var + bn.eps)
        if bn.weight is not None:
            a = a * bn.weight
        b = -bn.running_mean * a
        if bn.bias is not None:
            b = b + bn.bias
        return cls(a, b)

    def after(self, conv):
        weight = conv.weight * self.a[:, None, None, None]
        return weight, self.b if conv.bias is None else self.b + self.a * conv.bias


class Folder:
    def __init__(self, conv):
        self.conv = conv

    def blank(self):
        c = self.conv
        layer = nn.Conv2d(
            c.in_channels, c.out_channels, c.kernel_size, c.stride, c.padding, c.dilation, c.groups, True, c.padding_mode
        )
        return layer.to(device=c.weight.device, dtype=c.weight.dtype).train(c.training)

    def fold(self, bn):
        with torch.no_grad():
            weight, bias = ChannelMap.of_norm(bn).after(self.conv)
            layer = self.blank()
            layer.load_state_dict({"weight": weight, "bias": bias})
        return layer


def fold_batchnorm(conv, bn):
    return Folder(conv).fold(bn)
