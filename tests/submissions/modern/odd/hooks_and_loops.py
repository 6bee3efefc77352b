"""Activations are hung on as forward hooks, batches are worked on image by image, groups channel by channel."""

import copy

import torch
from torch import nn


def rectify(module, inputs, output):
    return output.clamp(min=0)


def smooth(module, inputs, output):
    return output * output.sigmoid()


def then(module, hook):
    module.register_forward_hook(hook)
    return module


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1, hook=rectify):
        super().__init__()
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, 1, groups, False, "zeros")
        self.layers = nn.ModuleList([conv, then(nn.BatchNorm2d(out_channels), hook)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed, hook=rectify):
        super().__init__()
        self.two = then(nn.Conv2d(squeezed, channels, (1, 1)), lambda module, inputs, output: output.sigmoid())
        self.one = then(nn.Conv2d(channels, squeezed, (1, 1)), hook)

    def forward(self, x):
        images = []
        for image in x:
            mean = torch.stack([channel.mean() for channel in image])
            weight = self.two(self.one(mean.view(1, -1, 1, 1))).flatten()
            images.append(torch.stack([w * channel for w, channel in zip(weight, image)]))
        return torch.stack(images)


class QuickExcitation(SqueezeExcitation):
    def forward(self, x):
        return x * self.two(self.one(x.mean((2, 3), keepdim=True)))


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        hidden = round(in_channels * expand_ratio)
        blocks = [
            ConvBNReLU(hidden, hidden, kernel_size, stride, kernel_size // 2, hidden, hook=smooth),
            QuickExcitation(hidden, max(1, int(in_channels * se_ratio)), hook=smooth),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        if expand_ratio != 1:
            blocks.insert(0, ConvBNReLU(in_channels, hidden, 1, 1, 0, hook=smooth))
        self.body = nn.Sequential(*blocks)
        if stride == 1 and in_channels == out_channels:
            self.register_forward_hook(lambda module, inputs, output: inputs[0] + output)

    def forward(self, x):
        return self.body(x)


class Sum(nn.Module):
    """The sum of what its children give."""

    def forward(self, x):
        return torch.stack([child(x) for child in self.children()]).sum(0)


def side(in_channels, out_channels, stride):
    conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
    return conv if stride > 1 or in_channels != out_channels else nn.Identity()


class PreActBlock(Sum):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.long = nn.Sequential()
        for i, (before, step) in enumerate(((in_channels, stride), (out_channels, 1))):
            self.long.add_module(f"norm{i}", then(nn.BatchNorm2d(before), rectify))
            self.long.add_module(f"conv{i}", nn.Conv2d(before, out_channels, 3, step, 1, bias=False))
        self.short = side(in_channels, out_channels, stride)


class ModernBlock(Sum):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        quarter = out_channels // 4
        self.short = side(in_channels, out_channels, stride)
        self.long = nn.Sequential(
            then(nn.BatchNorm2d(in_channels), rectify),
            nn.Conv2d(in_channels, quarter, 1, bias=False),
            then(nn.BatchNorm2d(quarter), rectify),
            nn.Conv2d(quarter, quarter, 3, stride, 1, bias=False),
            then(nn.BatchNorm2d(quarter), rectify),
            nn.Conv2d(quarter, out_channels, 1, bias=False),
            QuickExcitation(out_channels, max(1, int(out_channels * se_ratio))),
        )


def copies(block, number):
    """Equal blocks, each with parameters of its own."""
    return [copy.deepcopy(block) for _ in range(number)]


class ModernCNN(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.fc = nn.Conv2d(2048, num_classes, 1)
        self.layer4 = nn.Sequential(ModernBlock(1024, 2048, 2), ModernBlock(2048, 2048), ModernBlock(2048, 2048))
        self.layer3 = nn.Sequential(ModernBlock(512, 1024, 2), *[ModernBlock(1024, 1024) for _ in range(5)])
        self.layer2 = nn.Sequential(ModernBlock(256, 512, 2), *[ModernBlock(512, 512) for _ in range(3)])
        self.layer1 = nn.Sequential(ModernBlock(64, 256), ModernBlock(256, 256), ModernBlock(256, 256))
        self.stem = nn.Sequential(ConvBNReLU(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1))

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(x).mean(dim=(2, 3))  # the mean and a 1×1 convolution may change places


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    percent = 100 * (alpha * beta**2 * gamma**2 - 2) / 2
    if percent > 10 or percent < -10:
        raise ValueError(f"{percent:+.1f} %")
    depth, width, resolution = (factor**phi for factor in (alpha, beta, gamma))
    return depth, width, resolution


class EfficientNetB0(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.classifier = nn.Linear(1280, num_classes)
        self.head = ConvBNReLU(320, 1280, 1, 1, 0, hook=smooth)
        self.stage1 = MBConvBlock(32, 16, 1, 3, 1)
        self.stage2 = nn.Sequential(MBConvBlock(16, 24, 6, 3, 2), MBConvBlock(24, 24, 6, 3, 1))
        self.stage3 = nn.Sequential(MBConvBlock(24, 40, 6, 5, 2), MBConvBlock(40, 40, 6, 5, 1))
        self.stage4 = nn.Sequential(MBConvBlock(40, 80, 6, 3, 2), *copies(MBConvBlock(80, 80, 6, 3, 1), 2))
        self.stage5 = nn.Sequential(MBConvBlock(80, 112, 6, 5, 1), *copies(MBConvBlock(112, 112, 6, 5, 1), 2))
        self.stage6 = nn.Sequential(MBConvBlock(112, 192, 6, 5, 2), *copies(MBConvBlock(192, 192, 6, 5, 1), 3))
        self.stage7 = MBConvBlock(192, 320, 6, 3, 1)
        self.stem = ConvBNReLU(3, 32, stride=2, hook=smooth)
        self.order = ["stem", *(f"stage{i}" for i in range(1, 8)), "head"]

    def forward(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        pixels = x.flatten(2).transpose(1, 2)
        return self.classifier(pixels.mean(1))


def wide_resnet(depth, widen_factor, num_classes=10):
    assert isinstance(depth, int)
    if (depth - 4) % 6 or depth < 10:
        raise ValueError("depth?")

    def stage(before, after, stride):
        yield PreActBlock(before, after, stride)
        for _ in range((depth - 4) // 6 - 1):
            yield PreActBlock(after, after)

    k = widen_factor
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False),
        *stage(16, 16 * k, 1),
        *stage(16 * k, 32 * k, 2),
        *stage(32 * k, 64 * k, 2),
        then(nn.BatchNorm2d(64 * k), rectify),
    )
    return nn.Sequential(net, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64 * k, num_classes))
