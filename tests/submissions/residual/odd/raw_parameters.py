"""Blocks whose convolution kernels and batch norm numbers all lie in one module; the rest inherits much."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv3x3(in_planes, out_planes, stride=1):
    layer = nn.Conv2d(in_planes, out_planes, 3, stride, 1)
    layer.bias = None
    return layer


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.left = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.left_norm = nn.BatchNorm2d(out_channels)
        self.right = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.right_norm = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.add_module("pool", nn.MaxPool2d(1, stride))
            self.shortcut.add_module("conv", nn.Conv2d(in_channels, out_channels, 1, bias=False))
            self.shortcut.add_module("norm", nn.BatchNorm2d(out_channels))

    def forward(self, x):
        identity = self.shortcut(x)
        out = self.left_norm(self.left(x))
        out = F.leaky_relu(out, 0.0)
        out = self.right_norm(self.right(out))
        return F.hardtanh(out + identity, 0.0, float("inf"))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None, groups=1):
        super().__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = nn.SyncBatchNorm(planes) if False else nn.BatchNorm2d(planes)
        self.relu = nn.Threshold(0.0, 0.0, inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        # the convolution as one matrix product over patches
        n, _, h, w = x.shape
        s = self.conv1.stride[0]
        patches = F.unfold(x, 3, padding=1, stride=s)
        out = self.conv1.weight.flatten(1) @ patches
        out = out.unflatten(-1, ((h - 1) // s + 1, (w - 1) // s + 1))
        out = self.relu(self.bn1(out))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            x = self.downsample(x)
        return self.relu(x + out)


class Bottleneck(BasicBlock):
    """Inherits nothing but the name of a block."""

    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None, groups=1):
        nn.Module.__init__(self)
        out = planes * 4
        self.conv3, self.bn3 = nn.Conv2d(planes, out, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = conv3x3(planes, planes, stride), nn.BatchNorm2d(planes)
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.downsample = downsample

    def forward(self, x):
        squeezed = torch.einsum("oc,nchw->nohw", self.conv1.weight[:, :, 0, 0], x)
        out = self.bn1(squeezed).relu()
        out = self.bn2(self.conv2(out)).relu()
        out = self.bn3(torch.einsum("oc,nchw->nohw", self.conv3.weight.squeeze(-1).squeeze(-1), out))
        out += x if self.downsample is None else self.downsample(x)
        return out.relu()


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.inplanes = self.bn1.num_features
        self.stages = []
        for number, (planes, blocks) in enumerate(zip([64, 128, 256, 512], layers), 1):
            stage = nn.Sequential(*self._make_layer(block, planes, blocks, min(number, 2)))
            self.add_module(f"layer{number}", stage)
        self.fc = nn.Linear(self.inplanes, num_classes)

    def _make_layer(self, block, planes, blocks, stride=1):
        """A plain list of blocks."""
        out = planes * block.expansion
        if stride == 1 and self.inplanes == out:
            found = [block(self.inplanes, planes)]
        else:
            conv, norm = nn.Conv2d(self.inplanes, out, 1, bias=False, stride=stride), nn.BatchNorm2d(out)
            found = [block(self.inplanes, planes, stride, nn.Sequential(conv, norm))]
        self.inplanes = out
        while len(found) < blocks:
            found.append(block(out, planes, 1))
        return found

    def features(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)  # behind a ReLU zeros are as good as minus infinity
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        x = self.features(x)
        return self.fc(x.flatten(2).mean(2))


def resnet18(num_classes=1000):
    return ResNet(BasicBlock, [2, 2, 2, 2], num_classes=num_classes)


def resnet34(num_classes=1000):
    return ResNet(BasicBlock, [3, 4, 6, 3], num_classes=num_classes)


def resnet50(num_classes=1000):
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes=num_classes)


def resnet101(num_classes=1000):
    return ResNet(Bottleneck, [3, 4, 23, 3], num_classes=num_classes)


def resnet152(num_classes=1000):
    return ResNet(Bottleneck, [3, 8, 36, 3], num_classes=num_classes)


class _Cifar(nn.Module):
    def __init__(self, n, num_classes):
        super().__init__()
        self.n = n
        self.stem = conv3x3(3, 16)
        self.stem_norm = nn.BatchNorm2d(16)
        for stage, width in enumerate((16, 32, 64)):
            for i in range(n):
                first = stage > 0 and i == 0
                setattr(self, f"c{stage}_{i}_1", conv3x3(width // 2 if first else width, width, 2 if first else 1))
                setattr(self, f"n{stage}_{i}_1", nn.BatchNorm2d(width))
                setattr(self, f"c{stage}_{i}_2", conv3x3(width, width))
                setattr(self, f"n{stage}_{i}_2", nn.BatchNorm2d(width))
        self.out = nn.Linear(64, num_classes)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        for stage in range(3):
            for i in range(self.n):
                y = F.relu(getattr(self, f"n{stage}_{i}_1")(getattr(self, f"c{stage}_{i}_1")(x)))
                y = getattr(self, f"n{stage}_{i}_2")(getattr(self, f"c{stage}_{i}_2")(y))
                if stage and not i:
                    n, c, h, w = x.shape
                    x = F.interpolate(x, scale_factor=0.5, mode="nearest")
                    x = torch.stack([x, 0 * x], dim=1).reshape(n, 2 * c, h // 2, w // 2)
                x = F.relu(x + y)
        return self.out(x.mean((-1, -2)))


def cifar_resnet(n, num_classes=10):
    return _Cifar(n, num_classes)
