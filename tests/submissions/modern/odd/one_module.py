"""One class runs programs: lists of steps over parameters that live in the module itself, functions of F only."""

from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F


class Norm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))
        self.register_buffer("running_mean", torch.zeros(n))
        self.register_buffer("running_var", torch.ones(n))

    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training, 0.1, 1e-5)


class Program(nn.Module):
    """A network as text: every line is an operation with its numbers."""

    def __init__(self, *lines):
        super().__init__()
        self.lines = [line.split() for line in lines if line]
        self.store = nn.ModuleDict()
        for number, (what, *numbers) in enumerate(self.lines):
            layer = self.layer(what, *map(int, numbers))
            if layer is not None:
                self.store[str(number)] = layer

    @staticmethod
    def layer(what, *n):
        if what == "conv":
            i, o, k, stride, padding, groups = n
            return nn.Conv2d(i, o, (k, k), (stride, stride), (padding, padding), groups=groups, bias=False)
        if what == "point":
            return nn.Conv2d(n[0], n[1], 1, bias=True)
        if what == "norm":
            return Norm(*n)
        if what == "linear":
            return nn.Linear(*n)
        return None

    def forward(self, x):
        stack = []
        for number, (what, *_) in enumerate(self.lines):
            if str(number) in self.store:
                x = self.store[str(number)](x)
            elif what == "push":
                stack.append(x)
            elif what == "swap":
                stack[-1], x = x, stack[-1]
            elif what == "add":
                x = x + stack.pop()
            elif what == "times":
                x = stack.pop() * x
            else:
                x = self.plain(what, x)
        return x

    @staticmethod
    def plain(what, x):
        return {
            "relu": F.relu,
            "silu": lambda t: t * torch.sigmoid(t),
            "sigmoid": torch.sigmoid,
            "gap": partial(F.adaptive_avg_pool2d, output_size=1),
            "flat": partial(torch.flatten, start_dim=1),
            "pool": partial(F.max_pool2d, kernel_size=3, stride=2, padding=1),
        }[what](x)


def conv(i, o, k=1, s=1, p=0, g=1):
    return f"conv {i} {o} {k} {s} {p} {g}"


def excitation(channels, squeezed, activation="relu"):
    return ["push", "gap", f"point {channels} {squeezed}", activation, f"point {squeezed} {channels}", "sigmoid", "times"]


def brick(i, o, k=3, s=1, p=1, g=1, activation="relu"):
    return [conv(i, o, k, s, p, g), f"norm {o}", activation]


def inverted(i, o, expand, k, s, ratio=0.25):
    wide = i * expand
    lines = brick(i, wide, 1, 1, 0, 1, "silu") if expand != 1 else []
    lines += brick(wide, wide, k, s, k // 2, wide, "silu")
    lines += excitation(wide, max(1, int(ratio * i)), "silu") + [conv(wide, o), f"norm {o}"]
    return ["push", *lines, "add"] if s == 1 and i == o else lines


def residual(i, o, s, lines):
    side = ["swap", conv(i, o, 1, s), "add"] if (i, s) != (o, 1) else ["add"]
    return ["push", *lines, *side]


def pre_act(i, o, s=1):
    return residual(i, o, s, [f"norm {i}", "relu", conv(i, o, 3, s, 1), f"norm {o}", "relu", conv(o, o, 3, 1, 1)])


def modern(i, o, s=1, ratio=0.25):
    w = o // 4
    lines = [f"norm {i}", "relu", conv(i, w), f"norm {w}", "relu", conv(w, w, 3, s, 1)]
    lines += [f"norm {w}", "relu", conv(w, o), *excitation(o, max(1, int(o * ratio)))]
    return residual(i, o, s, lines)


def ConvBNReLU(in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
    return Program(*brick(in_channels, out_channels, kernel_size, stride, padding, groups))


SqueezeExcitation = lambda channels, squeezed: Program(*excitation(channels, squeezed))


class _MBConvBlock:
    """A callable object."""

    def __call__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25, name=None):
        return Program(*inverted(in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio))


MBConvBlock = _MBConvBlock()


def PreActBlock(in_channels, out_channels, stride=1):
    return Program(*pre_act(in_channels, out_channels, stride))


def ModernBlock(in_channels, out_channels, stride=1, se_ratio=0.25, *ignored, **options):
    return Program(*modern(in_channels, out_channels, stride, se_ratio))


def network(stem, stages, tail, channels, num_classes=1000):
    return Program(*stem, *stages, *tail, "gap", "flat", f"linear {channels} {num_classes}")


ModernCNN = partial(
    network,
    [*brick(3, 64, 7, 2, 3), "pool"],
    sum(
        (
            modern(i if n == 0 else o, o, s if n == 0 else 1)
            for i, o, blocks, s in ((64, 256, 3, 1), (256, 512, 4, 2), (512, 1024, 6, 2), (1024, 2048, 3, 2))
            for n in range(blocks)
        ),
        [],
    ),
    [],
    2048,
)


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if abs(alpha * beta * beta * gamma * gamma / 2.0 - 1.0) > 0.1:
        raise ValueError("alpha * beta^2 * gamma^2 != 2")
    return [pow(alpha, phi), pow(beta, phi), pow(gamma, phi)]


class EfficientNetB0(Program):
    def __init__(self, num_classes: int = 1000):
        lines, i = brick(3, 32, 3, 2, activation="silu"), 32
        for e, o, n, k, s in zip(
            [1] + [6] * 6, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1), b"\3\3\5\3\5\5\3", (1, 2, 2, 2, 1, 2, 1)
        ):
            for repeat in range(n):
                lines += inverted(i, o, e, k, (s, 1)[repeat > 0])
                i = o
        lines += brick(i, 1280, 1, 1, 0, activation="silu")
        super().__init__(*lines, "gap", "flat", f"linear 1280 {num_classes}")


def wide_resnet(depth, widen_factor, num_classes=10, **unused):
    n = (depth - 4) / 6
    if n != int(n) or n < 1:
        raise ValueError("depth = 6n + 4!")
    lines, i = [conv(3, 16, 3, 1, 1)], 16
    for stage in range(3):
        o = 16 * widen_factor << stage
        for repeat in range(int(n)):
            lines += pre_act(i, o, 1 + (stage > 0 and repeat == 0))
            i = o
    return Program(*lines, f"norm {i}", "relu", "gap", "flat", f"linear {i} {num_classes}")
