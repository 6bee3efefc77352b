"""Batch norm, SiLU and 1×1 convolutions are written by hand; batch norm computes in float64 whatever its input is."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class BatchNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("moving_var", torch.ones(1, channels, 1, 1))
        self.register_buffer("moving_mean", torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if self.training:
            y = x.double()
            mean = y.mean((0, 2, 3), keepdim=True)
            variance = y.var((0, 2, 3), unbiased=False, keepdim=True)
            count = y.numel() / y.shape[1]
            with torch.no_grad():
                self.moving_mean.lerp_(mean.to(self.moving_mean.dtype), 0.1)
                self.moving_var.lerp_((variance * count / (count - 1)).to(self.moving_var.dtype), 0.1)
        else:
            y, mean, variance = x.double(), self.moving_mean.double(), self.moving_var.double()
        y = self.gamma.double() * (y - mean) / torch.sqrt(variance + 1e-5) + self.beta.double()
        return y.to(x.dtype)


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + torch.exp(-x))

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return gradient * (s + x * s * (1 - s))


class Activation(nn.Module):
    def __init__(self, smooth):
        super().__init__()
        self.smooth = smooth

    def forward(self, x):
        return Swish.apply(x) if self.smooth else torch.where(x > 0, x, torch.zeros_like(x))


class Conv(nn.Module):
    """A convolution with a weight of its own."""

    def __init__(self, i, o, k=1, stride=1, padding=0, groups=1):
        super().__init__()
        self.how = {"stride": stride, "padding": padding, "groups": groups}
        self.kernel = nn.Parameter(torch.empty(o, i // groups, k, k))
        nn.init.kaiming_normal_(self.kernel)

    def forward(self, x):
        return F.conv2d(x, self.kernel, **self.how)


class PointConv(nn.Module):
    """1×1 as a product of matrices; the stride takes every other pixel."""

    def __init__(self, i, o, stride=1):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(o, i) / math.sqrt(i))
        self.stride = stride

    def forward(self, x):
        return torch.einsum("oc,nchw->nohw", self.matrix, x[:, :, :: self.stride, :: self.stride])


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1, *, smooth=False):
        super().__init__()
        self.activation = Activation(smooth)
        self.norm = BatchNorm(out_channels)
        self.convolution = Conv(in_channels, out_channels, kernel_size, stride, padding, groups)

    def forward(self, x):
        return self.activation(self.norm(self.convolution(x)))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed, smooth=False):
        super().__init__()
        self.up = nn.Linear(squeezed, channels)
        self.down = nn.Linear(channels, squeezed)
        self.between = Activation(smooth)

    def forward(self, x):
        means = x.flatten(2).sum(-1) / x[0, 0].numel()
        logits = self.up(self.between(self.down(means)))
        return x * (0.5 * (torch.tanh(logits / 2) + 1)).view(*logits.shape, 1, 1)


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        width = in_channels * expand_ratio
        self.last_norm = BatchNorm(out_channels)
        self.last = PointConv(width, out_channels)
        self.weigh = SqueezeExcitation(width, max(1, math.floor(in_channels * se_ratio)), smooth=True)
        self.middle = ConvBNReLU(width, width, kernel_size, stride, kernel_size // 2, width, smooth=True)
        self.first = None
        if expand_ratio != 1:
            self.first = ConvBNReLU(in_channels, width, 1, padding=0, smooth=True)
        self.keep = float(stride == 1 and in_channels == out_channels)

    def forward(self, x):
        y = x if self.first is None else self.first(x)
        y = self.last_norm(self.last(self.weigh(self.middle(y))))
        return torch.add(y, x) if self.keep else y


class Residual(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.point = PointConv(in_channels, out_channels, stride) if in_channels != out_channels or stride > 1 else None

    def branch(self, x):
        raise AssertionError

    def forward(self, x):
        y = self.branch(x)
        y += x if self.point is None else self.point(x)
        return y


class PreActBlock(Residual):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.norms = nn.ModuleDict({"b": BatchNorm(out_channels), "a": BatchNorm(in_channels)})
        self.convs = nn.ModuleList(
            [Conv(in_channels, out_channels, 3, stride, 1), Conv(out_channels, out_channels, 3, 1, 1)]
        )

    def branch(self, x):
        for norm, conv in zip("ab", self.convs):
            x = conv(self.norms[norm](x).clamp_min(0))
        return x


class ModernBlock(Residual):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__(in_channels, out_channels, stride)
        width = out_channels // 4
        self.third = nn.Sequential(BatchNorm(width), Activation(False), PointConv(width, out_channels))
        self.second = nn.Sequential(BatchNorm(width), Activation(False), Conv(width, width, 3, stride, 1))
        self.first = nn.Sequential(BatchNorm(in_channels), Activation(False), PointConv(in_channels, width))
        self.weigh = SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))

    def branch(self, x):
        return self.weigh(self.third(self.second(self.first(x))))


class Network(nn.Module):
    def __init__(self, features, channels, num_classes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, channels) / math.sqrt(channels))
        self.bias = nn.Parameter(torch.zeros(num_classes))
        self.features = nn.Sequential(*features)

    def forward(self, x):
        return self.features(x).mean((-1, -2)) @ self.weight.t() + self.bias


def ModernCNN(num_classes=1000):
    def features():
        yield ConvBNReLU(3, 64, 7, 2, 3)
        yield nn.MaxPool2d(3, 2, 1)
        for width, blocks in ((256, 3), (512, 4), (1024, 6), (2048, 3)):
            yield ModernBlock(max(64, width // 2) if width > 256 else 64, width, 1 if width == 256 else 2)
            yield from (ModernBlock(width, width) for _ in range(blocks - 1))

    return Network(features(), 2048, num_classes)


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    growth = math.prod([alpha, beta, beta, gamma, gamma])
    if not 1.8 <= growth <= 2.2:
        raise ValueError(f"one step costs {growth}")
    return tuple(math.exp(phi * math.log(factor)) for factor in (alpha, beta, gamma))


def EfficientNetB0(num_classes=1000):
    features, before = [ConvBNReLU(3, 32, 3, 2, smooth=True)], 32
    table = "1 16 1 3 1, 6 24 2 3 2, 6 40 2 5 2, 6 80 3 3 2, 6 112 3 5 1, 6 192 4 5 2, 6 320 1 3 1"
    for line in table.split(","):
        expand, width, blocks, kernel, stride = map(int, line.split())
        while blocks:
            features.append(MBConvBlock(before, width, expand, kernel, stride))
            before, stride, blocks = width, 1, blocks - 1
    features.append(ConvBNReLU(before, 1280, 1, padding=0, smooth=True))
    return Network(features, 1280, num_classes)


def wide_resnet(depth, widen_factor, num_classes=10):
    if depth not in range(10, 100_000, 6):
        raise ValueError("depth should be 10, 16, 22, 28, ...")
    n = (depth - 4) // 6
    widths = [16] + [16 * widen_factor] * n + [32 * widen_factor] * n + [64 * widen_factor] * n
    strides = [1] * n + [2] + [1] * (n - 1) + [2] + [1] * (n - 1)
    blocks = map(PreActBlock, widths[:-1], widths[1:], strides)
    features = [Conv(3, 16, 3, padding=1), *blocks, BatchNorm(widths[-1]), Activation(False)]
    return Network(features, widths[-1], num_classes)
