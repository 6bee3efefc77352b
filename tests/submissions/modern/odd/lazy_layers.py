"""Everything is an nn.Sequential of lazy layers that learn their input channels from the first batch."""

import torch
from torch import nn


def conv(out_channels, kernel_size, stride=1, padding=0, bias=False, **options):
    return nn.LazyConv2d(out_channels, kernel_size, stride=stride, padding=padding, bias=bias, **options)


class ConvBNReLU(nn.Sequential):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__(
            conv(out_channels, kernel_size, stride, padding, groups=groups),
            nn.LazyBatchNorm2d(),
            nn.ReLU(inplace=True),
        )


class Scaled(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return torch.mul(self.layers(x), x)


class Plus(nn.ModuleList):
    def forward(self, x):
        return sum(branch(x) for branch in self)


class SqueezeExcitation(Scaled):
    activation = nn.ReLU

    def __init__(self, channels, squeezed):
        super().__init__(
            nn.AdaptiveAvgPool2d((1, 1)),
            conv(squeezed, 1, bias=True),
            self.activation(inplace=True),
            conv(channels, 1, bias=True),
            nn.Sigmoid(),
        )


class SmoothExcitation(SqueezeExcitation):
    activation = nn.SiLU


class MBConvBlock(nn.Sequential):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        wide = in_channels * expand_ratio
        layers = [conv(wide, 1), nn.LazyBatchNorm2d(), nn.SiLU(inplace=True)] if expand_ratio > 1 else []
        layers += [
            conv(wide, kernel_size, stride, (kernel_size - 1) // 2, groups=wide),
            nn.LazyBatchNorm2d(),
            nn.SiLU(inplace=True),
            SmoothExcitation(wide, int(in_channels * se_ratio) or 1),
            conv(out_channels, 1),
            nn.LazyBatchNorm2d(),
        ]
        if (stride, in_channels) == (1, out_channels):
            layers = [Plus([nn.Sequential(*layers), nn.Identity()])]
        super().__init__(*layers)


def shortcut(in_channels, out_channels, stride):
    return nn.Identity() if stride == 1 and in_channels == out_channels else conv(out_channels, 1, stride)


def activated(convolution):
    return nn.Sequential(nn.LazyBatchNorm2d(), nn.ReLU(inplace=True), convolution)


class PreActBlock(Plus):
    def __init__(self, in_channels, out_channels, stride=1):
        long = nn.Sequential(activated(conv(out_channels, 3, stride, 1)), activated(conv(out_channels, 3, 1, 1)))
        super().__init__([shortcut(in_channels, out_channels, stride), long])


class ModernBlock(Plus):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        width = out_channels // 4
        long = nn.Sequential(
            activated(conv(width, 1)),
            activated(conv(width, 3, stride, 1)),
            activated(conv(out_channels, 1)),
            SqueezeExcitation(out_channels, int(out_channels * se_ratio) or 1),
        )
        super().__init__([long, shortcut(in_channels, out_channels, stride)])


class Head(nn.Sequential):
    def __init__(self, num_classes):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(num_classes))


class ModernCNN(nn.Sequential):
    def __init__(self, num_classes=1000):
        super().__init__(ConvBNReLU(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1))
        before = 64
        for stage, (width, depth) in enumerate(zip((256, 512, 1024, 2048), (3, 4, 6, 3))):
            for index in range(depth):
                self.append(ModernBlock(before, width, 2 if stage and not index else 1))
                before = width
        self.append(Head(num_classes))


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    factors = torch.tensor([alpha, beta, gamma], dtype=torch.float64)
    off = float(factors @ factors.new_tensor([0, 0, 0])) + float(factors[0] * (factors[1] * factors[2]).square()) / 2 - 1
    if abs(off) > 0.1:
        raise ValueError("choose alpha, beta and gamma so that alpha * beta**2 * gamma**2 is about 2")
    return factors.pow(phi).tolist()


class EfficientNetB0(nn.Sequential):
    def __init__(self, num_classes=1000):
        layers = [conv(32, 3, 2, 1), nn.LazyBatchNorm2d(), nn.SiLU(inplace=True)]
        before = 32
        expand = [1, 6, 6, 6, 6, 6, 6]
        widths = [16, 24, 40, 80, 112, 192, 320]
        depths = [1, 2, 2, 3, 3, 4, 1]
        kernels = [3, 3, 5, 3, 5, 5, 3]
        strides = [1, 2, 2, 2, 1, 2, 1]
        for e, c, d, k, s in zip(expand, widths, depths, kernels, strides):
            layers += [MBConvBlock(before, c, e, k, s), *(MBConvBlock(c, c, e, k, 1) for _ in range(d - 1))]
            before = c
        layers += [conv(1280, 1), nn.LazyBatchNorm2d(), nn.SiLU(inplace=True), Head(num_classes)]
        super().__init__(*layers)


class wide_resnet(nn.Sequential):
    """A class in the place of a function."""

    def __init__(self, depth, widen_factor, num_classes=10):
        if depth < 10 or depth % 6 != 4:
            raise ValueError(f"no Wide ResNet has a depth of {depth}")
        super().__init__(conv(16, 3, padding=1))
        before = 16
        for index in range((depth - 4) // 6 * 3):
            stage, first = divmod(index, (depth - 4) // 6)
            width = 16 * 2**stage * widen_factor
            self.append(PreActBlock(before, width, 2 if stage > 0 and first == 0 else 1))
            before = width
        self.append(nn.LazyBatchNorm2d()).append(nn.ReLU()).append(Head(num_classes))
