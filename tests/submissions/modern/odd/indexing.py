# Everything as sums over indices.
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn


class Unfolded(nn.Conv2d):
    """Cross-correlation by columns, groups and all."""

    def forward(self, x):
        n, _, H, W = x.shape
        (h, w), (p, q), (s, t), g = self.kernel_size, self.padding, self.stride, self.groups
        columns = F.unfold(x, (h, w), padding=(p, q), stride=(s, t))
        columns = columns.reshape(n, g, -1, columns.shape[-1])
        matrix = self.weight.reshape(g, self.out_channels // g, -1)
        y = torch.einsum("goi,ngil->ngol", matrix, columns)
        return y.reshape(n, self.out_channels, (H + 2 * p - h) // s + 1, (W + 2 * q - w) // t + 1)


class Shifted(nn.Conv2d):
    """A 3×3 convolution with padding 1 as nine shifted matrix products."""

    def forward(self, x):
        s, t = self.stride
        H, W = (x.shape[2] - 1) // s + 1, (x.shape[3] - 1) // t + 1
        z = F.pad(x, (1, 1, 1, 1))
        y = 0
        for i, j in itertools.product(range(3), repeat=2):
            part = z[:, :, i : i + s * (H - 1) + 1 : s, j : j + t * (W - 1) + 1 : t]
            y = y + torch.einsum("oc,ncyx->noyx", self.weight[:, :, i, j], part)
        return y


class Pointwise(nn.Conv2d):
    """A 1×1 convolution: one matrix product."""

    def forward(self, x):
        s, t = self.stride
        x = x[:, :, ::s, ::t]
        n, c, h, w = x.shape
        y = torch.matmul(self.weight.flatten(1), x.reshape(n, c, h * w)).reshape(n, -1, h, w)
        return y if self.bias is None else y + self.bias[:, None, None]


def relu(x):
    return torch.where(x > 0, x, torch.zeros_like(x))


def silu(x):
    return x * torch.special.expit(x)


class Bend(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__()
        self.W = Unfolded(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.N = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return relu(self.N(self.W(x)))


class SqueezeExcitation(nn.Module):
    """In float64 inside."""

    def __init__(self, channels, squeezed, f=relu):
        super().__init__()
        self.W1 = nn.Conv2d(channels, squeezed, 1)
        self.W2 = nn.Conv2d(squeezed, channels, 1)
        self.f = f

    def forward(self, x):
        m = torch.einsum("nchw->nc", x.double()) / (x.shape[2] * x.shape[3])
        a = torch.einsum("sc,nc->ns", self.W1.weight[..., 0, 0].double(), m) + self.W1.bias.double()
        b = torch.einsum("cs,ns->nc", self.W2.weight[..., 0, 0].double(), self.f(a)) + self.W2.bias.double()
        return torch.einsum("nchw,nc->nchw", x, torch.special.expit(b).to(x.dtype))


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        middle = expand_ratio * in_channels
        self.project = Pointwise(middle, out_channels, 1, bias=False)
        self.n3 = nn.BatchNorm2d(out_channels)
        self.gate = SqueezeExcitation(middle, max(1, int(in_channels * se_ratio)), F.silu)
        self.depth = nn.Conv2d(middle, middle, kernel_size, stride, kernel_size // 2, groups=middle, bias=False)
        self.n2 = nn.BatchNorm2d(middle)
        self.expand = None
        if expand_ratio > 1:
            self.n1 = nn.BatchNorm2d(middle)
            self.expand = Pointwise(in_channels, middle, 1, bias=False)
        self.delta = int(stride == 1) * int(in_channels == out_channels)

    def forward(self, x):
        y = x if self.expand is None else F.silu(self.n1(self.expand(x)))
        y = F.silu(self.n2(self.depth(y)))
        y = self.n3(self.project(self.gate(y)))
        return torch.add(y, x) if self.delta else y


class PreActBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.n = nn.ModuleList(map(nn.BatchNorm2d, (in_channels, out_channels)))
        self.w = nn.ModuleList(
            [
                Shifted(in_channels, out_channels, 3, stride, 1, bias=False),
                Shifted(out_channels, out_channels, 3, 1, 1, bias=False),
            ]
        )
        if stride - 1 or in_channels - out_channels:
            self.w.append(Pointwise(in_channels, out_channels, 1, stride, bias=False))

    def forward(self, x):
        y = x
        for n, w in zip(self.n, self.w):
            y = w(relu(n(y)))
        for w in self.w[2:]:
            x = w(x)
        return y + x


class ModernBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        c = [in_channels, out_channels // 4, out_channels // 4, out_channels]
        self.n = nn.ModuleList(nn.BatchNorm2d(c[k]) for k in range(3))
        self.w = nn.ModuleList(
            (
                Pointwise(c[0], c[1], 1, bias=False),
                Shifted(c[1], c[2], 3, stride, 1, bias=False),
                Pointwise(c[2], c[3], 1, bias=False),
            )
        )
        self.gate = SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))
        self.short = None if stride == 1 and in_channels == out_channels else Pointwise(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x):
        y = x
        for k in range(3):
            y = self.w[k](relu(self.n[k](y)))
        return self.gate(y).add(x if self.short is None else self.short(x))


class Mean(nn.Module):
    def forward(self, x):
        return torch.einsum("nchw->nc", x) / math.prod(x.shape[2:])


class ModernCNN(nn.Sequential):
    def __init__(self, num_classes=1000):
        widths = (64, 256, 512, 1024, 2048)
        stages = (
            ModernBlock(widths[i + (k > 0)], widths[i + 1], 2 if i and not k else 1) for i, n in enumerate((3, 4, 6, 3)) for k in range(n)
        )
        super().__init__(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            Bend(relu),
            nn.MaxPool2d((3, 1), (2, 1), (1, 0)),
            nn.MaxPool2d((1, 3), (1, 2), (0, 1)),
            *stages,
            Mean(),
            nn.Linear(2048, num_classes),
        )


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if abs(alpha * (beta * gamma) ** 2 / 2 - 1) > 0.1 + 1e-12:
        raise ValueError("alpha · beta² · gamma² must lie between 1.8 and 2.2")
    return tuple(math.exp(phi * math.log(base)) for base in (alpha, beta, gamma))


class EfficientNetB0(nn.Module):
    STAGES = (
        (1, 16, 1, 3, 1),
        (6, 24, 2, 3, 2),
        (6, 40, 2, 5, 2),
        (6, 80, 3, 3, 2),
        (6, 112, 3, 5, 1),
        (6, 192, 4, 5, 2),
        (6, 320, 1, 3, 1),
    )

    def __init__(self, num_classes=1000):
        super().__init__()
        e, c, n, k, s = zip(*self.STAGES)
        c = (32, *c)
        index = [(i, j) for i in range(7) for j in range(n[i])]
        self.blocks = nn.ModuleList(MBConvBlock(c[i + (j > 0)], c[i + 1], e[i], k[i], s[i] ** (j == 0)) for i, j in index)
        self.last = Pointwise(320, 1280, 1, bias=False)
        self.first = Unfolded(3, 32, 3, 2, 1, bias=False)
        self.n0, self.n1 = nn.BatchNorm2d(32), nn.BatchNorm2d(1280)
        self.mean, self.out = Mean(), nn.Linear(1280, num_classes)

    def forward(self, x):
        x = silu(self.n0(self.first(x)))
        for block in self.blocks:
            x = block(x)
        return self.out(self.mean(silu(self.n1(self.last(x)))))


class Wide(nn.Module):
    def __init__(self, n, k, num_classes):
        super().__init__()
        c = [16] + [16 * k * 2 ** (j // n) for j in range(3 * n)]
        self.first = Shifted(3, 16, 3, 1, 1, bias=False)
        self.blocks = nn.ModuleList(PreActBlock(c[j], c[j + 1], 1 + (j in (n, 2 * n))) for j in range(3 * n))
        self.norm = nn.BatchNorm2d(c[-1])
        self.out = nn.Linear(c[-1], num_classes)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        x = relu(self.norm(x)).flatten(2)
        return self.out(x @ x.new_full((x.shape[2],), 1 / x.shape[2]))


def wide_resnet(depth, widen_factor, num_classes=10):
    if depth < 10 or depth % 6 != 4:
        raise ValueError(f"depth {depth}: 10, 16, 22, 28, … are possible")
    return Wide((depth - 4) // 6, widen_factor, num_classes)
