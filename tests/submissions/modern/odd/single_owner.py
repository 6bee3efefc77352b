"""Kernels, scales, shifts and statistics of a block are all held by the block itself, in functional style."""

import torch
import torch.nn as nn
from torch.nn import functional as F


class Block(nn.Module):
    def kernel(self, name, *shape):
        self.register_parameter(name, nn.Parameter(torch.empty(*shape).normal_(0, 0.05)))

    def norm(self, name, channels):
        self.register_parameter(f"{name}_scale", nn.Parameter(torch.ones(channels)))
        self.register_parameter(f"{name}_shift", nn.Parameter(torch.zeros(channels)))
        self.register_buffer(f"{name}_mean", torch.zeros(channels))
        self.register_buffer(f"{name}_var", torch.ones(channels))

    def normalise(self, name, x):
        mean, var, scale, shift = (getattr(self, f"{name}_{what}") for what in ("mean", "var", "scale", "shift"))
        return F.batch_norm(x, mean, var, scale, shift, training=self.training)


class ConvBNReLU(Block):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__()
        self.norm("n", out_channels)
        self.kernel("k", out_channels, in_channels // groups, kernel_size, kernel_size)
        self.settings = stride, padding, 1, groups

    def forward(self, x):
        return F.relu_(self.normalise("n", F.conv2d(x, self.k, None, *self.settings)))


class SqueezeExcitation(Block):
    nonlinearity = staticmethod(F.relu)

    def __init__(self, channels, squeezed):
        super().__init__()
        self.kernel("w2", channels, squeezed)
        self.kernel("w1", squeezed, channels)
        self.b2 = nn.Parameter(torch.zeros(channels))
        self.b1 = nn.Parameter(torch.zeros(squeezed))

    def forward(self, x):
        z = torch.mean(x, (-2, -1))
        z = self.nonlinearity(torch.addmm(self.b1, z, self.w1.mT))
        z = torch.addmm(self.b2, z, self.w2.mT).sigmoid()
        return x * z[..., None, None]


class _Smooth(SqueezeExcitation):
    nonlinearity = staticmethod(F.silu)


class MBConvBlock(Block):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        self.c, self.s, self.p = in_channels * expand_ratio, stride, kernel_size // 2
        self.expands, self.adds = expand_ratio > 1, stride == 1 and in_channels == out_channels
        self.kernel("project", out_channels, self.c, 1, 1)
        self.norm("projected", out_channels)
        self.kernel("depthwise", self.c, 1, kernel_size, kernel_size)
        self.norm("filtered", self.c)
        self.gate = _Smooth(self.c, max(1, int(se_ratio * in_channels)))
        if self.expands:
            self.kernel("expand", self.c, in_channels, 1, 1)
            self.norm("expanded", self.c)

    def forward(self, x):
        y = x.contiguous(memory_format=torch.channels_last)
        if self.expands:
            y = F.silu(self.normalise("expanded", F.conv2d(y, self.expand)))
        y = F.silu(self.normalise("filtered", F.conv2d(y, self.depthwise, None, self.s, self.p, groups=self.c)))
        y = self.normalise("projected", F.conv2d(self.gate(y), self.project))
        return (x + y if self.adds else y).contiguous()


class PreActBlock(Block):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.stride = stride
        self.needs_conv = stride != 1 or in_channels != out_channels
        if self.needs_conv:
            self.kernel("side", out_channels, in_channels, 1, 1)
        self.kernel("one", out_channels, in_channels, 3, 3)
        self.kernel("two", out_channels, out_channels, 3, 3)
        self.norm("first", in_channels)
        self.norm("second", out_channels)

    def forward(self, x):
        out = F.conv2d(F.relu_(self.normalise("first", x)), self.one, stride=self.stride, padding="valid" if False else 1)
        out = F.conv2d(F.relu_(self.normalise("second", out)), self.two, padding="same")
        if not self.needs_conv:
            return out.add_(x)
        return out.add_(F.conv2d(x, self.side, stride=self.stride))


class ModernBlock(Block):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        width = out_channels // 4
        self.stride = stride
        self.side = None
        if stride != 1 or in_channels != out_channels:
            self.side = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        channels = (in_channels, width, width, out_channels)
        for index, size in enumerate((1, 3, 1)):
            self.norm(f"norm{index}", channels[index])
            self.kernel(f"kernel{index}", channels[index + 1], channels[index], size, size)
        self.weights = SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))

    def forward(self, x):
        y = x
        for index in range(3):
            middle = index == 1
            y = torch.clamp(self.normalise(f"norm{index}", y), min=0)
            y = F.conv2d(y, getattr(self, f"kernel{index}"), stride=self.stride if middle else 1, padding=int(middle))
        shortcut = x if self.side is None else F.conv2d(x, self.side, stride=self.stride)
        return torch.add(self.weights(y), shortcut)


class ModernCNN(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.head = nn.Linear(2048, num_classes)
        self.stages = nn.ModuleDict()
        channels = 64
        for name, wide, number in (("a", 256, 3), ("b", 512, 4), ("c", 1024, 6), ("d", 2048, 3)):
            self.stages[name] = nn.ModuleList()
            for _ in range(number):
                first = len(self.stages[name]) == 0
                self.stages[name].append(ModernBlock(channels, wide, stride=2 if first and name != "a" else 1))
                channels = wide
        self.stem = ConvBNReLU(3, 64, padding=3, stride=2, kernel_size=7)

    def forward(self, images):
        x = F.max_pool2d(self.stem(images), 3, stride=2, padding=1)
        for stage in self.stages.values():
            for block in stage:
                x = block(x)
        return self.head(F.avg_pool2d(x, x.shape[2:]).reshape(len(x), -1))


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    import numpy

    if numpy.abs(numpy.prod(numpy.power([alpha, beta, gamma], [1.0, 2.0, 2.0])) - 2) > 0.2:
        raise ValueError("too far from 2")
    return tuple(numpy.float_power([alpha, beta, gamma], phi))


class EfficientNetB0(Block):
    CONFIG = {1: (1, 16, 1, 3, 1), 2: (6, 24, 2, 3, 2), 3: (6, 40, 2, 5, 2), 4: (6, 80, 3, 3, 2)}
    CONFIG |= {5: (6, 112, 3, 5, 1), 6: (6, 192, 4, 5, 2), 7: (6, 320, 1, 3, 1)}

    def __init__(self, num_classes=1000):
        super().__init__()
        self.kernel("stem", 32, 3, 3, 3)
        self.norm("stem_norm", 32)
        self.kernel("top", 1280, 320, 1, 1)
        self.norm("top_norm", 1280)
        channels = 32
        for number, (expand, wide, blocks, kernel, stride) in self.CONFIG.items():
            for index in range(blocks):
                block = MBConvBlock(channels, wide, expand, kernel, 1 if index else stride)
                self.add_module(f"block{number}{'abcd'[index]}", block)
                channels = wide
        self.out = nn.Conv2d(1280, num_classes, 1)

    def forward(self, x):
        x = F.silu(self.normalise("stem_norm", F.conv2d(x, self.stem, stride=2, padding=1)))
        for name, block in self.named_children():
            x = block(x) if name.startswith("block") else x
        x = F.silu(self.normalise("top_norm", F.conv2d(x, self.top)))
        return self.out(x.mean((2, 3), True)).flatten(1)


class WideResNet(nn.Module):
    def __init__(self, blocks, channels, num_classes):
        super().__init__()
        self.classify = nn.Linear(channels[-1], num_classes)
        self.norm = nn.BatchNorm2d(channels[-1])
        groups = [
            [PreActBlock(channels[i] if j == 0 else channels[i + 1], channels[i + 1], 2 if i and not j else 1)
             for j in range(blocks)]
            for i in range(3)
        ]
        self.groups = nn.ModuleList(nn.Sequential(*group) for group in groups)
        self.stem = nn.Conv2d(3, channels[0], 3, padding="same", bias=False)

    def forward(self, x):
        x = self.stem(x)
        for group in self.groups:
            x = group(x)
        x = torch.relu(self.norm(x))
        return self.classify(F.avg_pool2d(x, 8).squeeze(-1).squeeze(-1))


def wide_resnet(depth, widen_factor, num_classes=10):
    for n in range(1, 1000):
        if depth == 6 * n + 4:
            return WideResNet(n, [16, *(16 * 2**i * widen_factor for i in range(3))], num_classes)
    raise ValueError(f"not a depth: {depth}")
