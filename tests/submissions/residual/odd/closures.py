"""Functions in place of classes, partial in place of functions, and an autograd.Function of one's own."""

import functools
import itertools

import torch
from torch import nn

conv3x3 = functools.partial(nn.Conv2d, kernel_size=3, padding=1, bias=False)


def conv3x3(in_planes, out_planes, stride=1, _make=conv3x3):
    return _make(in_planes, out_planes, stride=stride)


class _ReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x > 0)
        return torch.where(x > 0, x, torch.zeros_like(x))

    @staticmethod
    def backward(ctx, slope):
        (positive,) = ctx.saved_tensors
        return slope * positive


class _Residual(nn.Module):
    """Any body, any shortcut."""

    def __init__(self, shortcut, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.register_module(name, layer)
        self.order = tuple(layers)
        if shortcut is not None:
            for name, layer in shortcut.items():
                self.register_module(name, layer)
            (self.way,) = shortcut
        else:
            self.way = None

    def forward(self, x):
        y = functools.reduce(lambda value, name: getattr(self, name)(value), self.order, x)
        return _ReLU.apply(y + (x if self.way is None else getattr(self, self.way)(x)))


class _Activation(nn.Module):
    def forward(self, x):
        return _ReLU.apply(x)


def _projection(inputs, outputs, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, (1, 1), (stride, stride), bias=False), nn.BatchNorm2d(outputs))


def ResidualBlock(in_channels, out_channels, stride=1):
    if stride == 1 and in_channels == out_channels:
        shortcut = nn.Identity()
    else:
        shortcut = _projection(in_channels, out_channels, stride)
    return _Residual(
        {"shortcut": shortcut},
        first=nn.Sequential(conv3x3(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels), _Activation()),
        second=nn.Sequential(conv3x3(out_channels, out_channels), nn.BatchNorm2d(out_channels)),
    )


def BasicBlock(inplanes, planes, stride=1, downsample=None):
    return _Residual(
        None if downsample is None else {"downsample": downsample},
        conv1=conv3x3(inplanes, planes, stride),
        bn1=nn.BatchNorm2d(planes),
        relu=_Activation(),
        conv2=conv3x3(planes, planes),
        bn2=nn.BatchNorm2d(planes),
    )


def Bottleneck(inplanes, planes, stride=1, downsample=None):
    return _Residual(
        None if downsample is None else {"downsample": downsample},
        conv1=nn.Conv2d(inplanes, planes, 1, bias=False),
        bn1=nn.BatchNorm2d(planes),
        relu1=_Activation(),
        conv2=conv3x3(planes, planes, stride),
        bn2=nn.BatchNorm2d(planes),
        relu2=_Activation(),
        conv3=nn.Conv2d(planes, planes * Bottleneck.expansion, 1, bias=False),
        bn3=nn.BatchNorm2d(planes * Bottleneck.expansion),
    )


BasicBlock.expansion = 1
Bottleneck.expansion = 4


class ResNet(nn.Sequential):
    def __init__(self, block, layers, num_classes=1000, *, width=64):
        super().__init__()
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, width, layers[0], 1)
        self.layer2 = self._make_layer(block, 2 * width, layers[1], 2)
        self.layer3 = self._make_layer(block, 4 * width, layers[2], 2)
        self.layer4 = self._make_layer(block, 8 * width, layers[3], 2)
        self.avgpool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(self.inplanes, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def _make_layer(self, block, planes, blocks, stride=1):
        def made():
            for step in itertools.chain([stride], itertools.repeat(1, blocks - 1)):
                inplanes, self.inplanes = self.inplanes, planes * block.expansion
                if step == 1 and inplanes == self.inplanes:
                    yield block(inplanes, planes)
                else:
                    yield block(inplanes, planes, step, downsample=_projection(inplanes, self.inplanes, step))

        return nn.Sequential(*made())


resnet18 = functools.partial(ResNet, BasicBlock, [2, 2, 2, 2])
resnet34 = functools.partial(ResNet, BasicBlock, [3, 4, 6, 3])
resnet50 = functools.partial(ResNet, Bottleneck, [3, 4, 6, 3])
resnet101 = functools.partial(ResNet, Bottleneck, [3, 4, 23, 3])


class _ResNet152:
    def __call__(self, num_classes=1000, verbose=False):
        return ResNet(Bottleneck, iter_of(3, 8, 36, 3), num_classes)


def iter_of(*numbers):
    return dict(enumerate(numbers))


resnet152 = _ResNet152()


class _Pad(nn.Module):
    def forward(self, x):
        n, c, h, w = x.size()
        result = torch.zeros(n, 2 * c, (h + 1) // 2, (w + 1) // 2, dtype=x.dtype, device=x.device)
        result[:, :c] = nn.functional.max_pool2d(x, 1, 2)
        return result


def cifar_resnet(n, num_classes=10):
    def stage(inputs, width):
        for i in range(n):
            yield BasicBlock(width, width) if i or inputs == width else BasicBlock(inputs, width, 2, _Pad())

    stem = nn.Sequential(conv3x3(3, 16), nn.BatchNorm2d(16), _Activation())
    stages = [nn.Sequential(*stage(*widths)) for widths in ((16, 16), (16, 32), (32, 64))]
    head = nn.ModuleDict({"fc": nn.Conv2d(64, num_classes, 1)})

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.stages, self.stem = head, nn.ModuleList(stages), stem

        def forward(self, x):
            x = self.stem(x)
            for part in self.stages:
                x = part(x)
            return self.head["fc"](x.mean((2, 3), keepdim=True)).squeeze(-1).squeeze(-1)

    return Net()
