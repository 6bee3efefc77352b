"""Lazy layers wherever torch has them, and modules made of lists."""

from collections import OrderedDict

import torch
from torch import nn


def conv3x3(in_planes, out_planes, stride=1):
    return nn.LazyConv2d(out_planes, 3, stride=stride, padding=1, bias=False)


def _norm():
    return nn.LazyBatchNorm2d()


def _project(outputs, stride):
    return nn.Sequential(nn.LazyConv2d(outputs, 1, stride=stride, bias=False), _norm())


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        needed = stride != 1 or in_channels != out_channels
        self.shortcut = _project(out_channels, stride) if needed else nn.Sequential()
        self.body = nn.Sequential(
            conv3x3(in_channels, out_channels, stride),
            _norm(),
            nn.ReLU(inplace=True),
            conv3x3(out_channels, out_channels),
            _norm(),
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.shortcut(x) + self.body(x))


class BasicBlock(nn.Sequential):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__(
            OrderedDict(
                conv1=conv3x3(inplanes, planes, stride),
                bn1=_norm(),
                relu=nn.ReLU(),
                conv2=conv3x3(planes, planes),
                bn2=_norm(),
            )
        )
        self.body = list(self)
        self.downsample = downsample or (lambda x: x)

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return self.relu(y + self.downsample(x))

    def __deepcopy__(self, memo):
        # self.body must hold the copy's layers
        import copy

        twin = self.__class__.__new__(self.__class__)
        memo[id(self)] = twin
        twin.__dict__ = copy.deepcopy(self.__dict__, memo)
        return twin


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.LazyConv2d(planes, 1, bias=False)
        self.bn1 = _norm()
        self.conv2 = conv3x3(planes, planes, stride)
        self.bn2 = _norm()
        self.conv3 = nn.LazyConv2d(4 * planes, 1, bias=False)
        self.bn3 = _norm()
        self.downsample = nn.Identity() if downsample is None else downsample

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu_()
        y = self.bn2(self.conv2(y)).relu_()
        return self.bn3(self.conv3(y)).add_(self.downsample(x)).relu_()


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        self.inplanes = 64
        self.conv1 = nn.LazyConv2d(64, 7, stride=2, padding=3, bias=False)
        self.bn1 = _norm()
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        strides = [1, 2, 2, 2]
        planes = [64, 128, 256, 512]
        for i in range(4):
            self.__setattr__("layer" + str(i + 1), self._make_layer(block, planes[i], layers[i], strides[i]))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.flatten = nn.Flatten()
        self.fc = nn.LazyLinear(num_classes)

    def _make_layer(self, block, planes, blocks, stride=1):
        outplanes = planes * block.expansion
        needed = stride != 1 or self.inplanes != outplanes
        stage = nn.Sequential()
        for i in range(blocks):
            if i == 0:
                stage.append(block(self.inplanes, planes, stride, _project(outplanes, stride) if needed else None))
                self.inplanes = outplanes
            else:
                stage.append(block(self.inplanes, planes, 1, None))
        return stage

    def forward(self, x):
        for name in "conv1 bn1 relu maxpool layer1 layer2 layer3 layer4 avgpool flatten fc".split():
            x = self.get_submodule(name)(x)
        return x


_DEPTHS = {
    18: (BasicBlock, 2, 2, 2, 2),
    34: (BasicBlock, 3, 4, 6, 3),
    50: (Bottleneck, 3, 4, 6, 3),
    101: (Bottleneck, 3, 4, 23, 3),
    152: (Bottleneck, 3, 8, 36, 3),
}


def _network(depth):
    def build(num_classes=1000):
        block, *layers = _DEPTHS[depth]
        return ResNet(block, layers, num_classes)

    return build


for _depth in _DEPTHS:
    globals()[f"resnet{_depth}"] = _network(_depth)


class _OptionA(nn.Module):
    """A strided depthwise 1×1 convolution with constant weights picks the pixels."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("pick", torch.ones(channels, 1, 1, 1))
        self.zeros = nn.ConstantPad3d((0, 0, 0, 0, 0, channels), 0.0)

    def forward(self, x):
        return self.zeros(nn.functional.conv2d(x, self.pick, stride=2, groups=x.shape[1]))


def cifar_resnet(n, num_classes=10):
    net = nn.Sequential(conv3x3(3, 16), _norm(), nn.ReLU())
    net.extend([BasicBlock(16, 16) for _ in range(n)])
    for width in (32, 64):
        net.append(BasicBlock(width // 2, width, 2, _OptionA(width // 2)))
        net.extend([BasicBlock(width, width) for _ in range(n - 1)])
    net.extend([nn.AvgPool2d(8), nn.Flatten(), nn.LazyLinear(num_classes)])
    return net
