"""Functions of F on weights that lie about; no layer of torch.nn but batch norm."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import Parameter


class conv3x3(nn.Conv2d):
    def __init__(self, in_planes, out_planes, stride=1, *, dilation=1):
        super().__init__(in_planes, out_planes, (3, 3), (stride, stride), "same" if stride == 1 else 1, dilation, bias=None)


class _Weight(nn.Module):
    """Nothing but a weight, with the name that a convolution gives it."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = Parameter(torch.empty(*shape))
        with torch.no_grad():
            self.weight.normal_(0, math.sqrt(2 / self.weight[0].numel()))

    def forward(self, x, stride=1):
        k = self.weight.shape[-1]
        return torch.conv2d(x, self.weight, stride=stride, padding=k // 2)


class _Conv1x1(nn.Module):
    """A matrix product over channels."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride = stride
        self.matrix = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        s = self.stride
        return self.matrix(x[..., ::s, ::s].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        # registered from the last to the first
        self.norms = nn.ModuleDict({name: nn.BatchNorm2d(out_channels) for name in "ba"})
        self.kernels = nn.ParameterDict(
            {
                "b": Parameter(torch.randn(out_channels, out_channels, 3, 3) / 10),
                "a": Parameter(torch.randn(out_channels, in_channels, 3, 3) / 10),
            }
        )
        self.stride = stride
        self.fits = stride == 1 and in_channels == out_channels
        if not self.fits:
            self.way = nn.ModuleList([_Conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels)])

    def shortcut(self, x):
        if self.fits:
            return x
        matrix, norm = self.way
        return norm(matrix(x))

    def forward(self, x):
        y = F.conv2d(x, self.kernels["a"], stride=self.stride, padding=1)
        y = self.norms["a"](y)
        y = y * (y > 0)
        y = F.conv2d(y, self.kernels["b"], padding=(1, 1))
        y = torch.add(self.norms["b"](y), self.shortcut(x))
        return y.clamp_min(0)


class BasicBlock(nn.Module):
    expansion: int = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None, *, zero_init=False):
        super().__init__()
        if downsample is not None:
            self.downsample = downsample
        self.bn2 = nn.BatchNorm2d(planes)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = _Weight(planes, planes, 3, 3)
        self.conv1 = _Weight(planes, inplanes, 3, 3)
        self.stride = stride
        if zero_init:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu_(self.bn1(self.conv1(x, self.stride)))
        y = self.bn2(self.conv2(y))
        y += self.downsample(x) if hasattr(self, "downsample") else x
        return F.relu_(y)


class Bottleneck(nn.Module):
    expansion: int = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        widths = [inplanes, planes, planes, 4 * planes]
        for i, kernel in enumerate((1, 3, 1)):
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(widths[i + 1]))
            self.add_module(f"conv{i + 1}", _Weight(widths[i + 1], widths[i], kernel, kernel))
        self.add_module("downsample", downsample)
        self.strides = (1, stride, 1)

    def forward(self, x):
        y = x
        for i, stride in enumerate(self.strides, 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y, stride))
            if i == 3:
                y = y + (x if self.downsample is None else self.downsample(x))
            y = torch.relu(y)
        return y


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self.inplanes = 64
        for i, blocks in enumerate(layers):
            setattr(self, f"layer{i + 1}", self._make_layer(block=block, planes=64 << i, blocks=blocks, stride=1 + (i > 0)))
        self.bn1 = nn.BatchNorm2d(64)
        self.conv1 = _Weight(64, 3, 7, 7)

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = nn.ModuleList()
        for i in range(blocks):
            outplanes = planes * block.expansion
            downsample = None
            if stride > 1 or outplanes != self.inplanes:
                conv = nn.Conv2d(self.inplanes, outplanes, 1, stride, bias=False)
                downsample = nn.Sequential(conv, nn.BatchNorm2d(outplanes))
            stage.append(block(inplanes=self.inplanes, planes=planes, stride=stride, downsample=downsample))
            self.inplanes, stride = outplanes, 1
        return stage

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.bn1(self.conv1(x, 2))), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in stage:
                y = block(y)
        return F.linear(y.mean(dim=[-2, -1]), self.fc.weight, self.fc.bias)


class resnet18(ResNet):
    def __init__(self, num_classes=1000):
        super().__init__(BasicBlock, (2, 2, 2, 2), num_classes)


class resnet34(ResNet):
    def __init__(self, num_classes=1000):
        super().__init__(BasicBlock, (3, 4, 6, 3), num_classes)


class resnet50(ResNet):
    def __init__(self, num_classes=1000):
        super().__init__(Bottleneck, (3, 4, 6, 3), num_classes)


class resnet101(ResNet):
    def __init__(self, num_classes=1000):
        super().__init__(Bottleneck, (3, 4, 23, 3), num_classes)


class resnet152(ResNet):
    def __init__(self, num_classes=1000):
        super().__init__(Bottleneck, (3, 8, 36, 3), num_classes)


class cifar_resnet(nn.Module):
    def __init__(self, n, num_classes=10):
        super().__init__()
        widths = [3, 16] + [16] * (2 * n) + [32] * (2 * n) + [64] * (2 * n)
        self.kernels = nn.ParameterList(
            [Parameter(torch.randn(o, i, 3, 3) * math.sqrt(2 / (9 * i))) for i, o in zip(widths, widths[1:])]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(o) for o in widths[1:]])
        self.matrix = Parameter(torch.randn(num_classes, 64) / 8)
        self.bias = Parameter(torch.zeros(num_classes))

    def forward(self, x):
        layers = list(zip(self.kernels, self.norms))
        kernel, norm = layers[0]
        x = norm(F.conv2d(x, kernel, padding=1)).relu()
        for (k1, n1), (k2, n2) in zip(layers[1::2], layers[2::2]):
            stride = 1 if k1.shape[0] == k1.shape[1] else 2
            y = n1(F.conv2d(x, k1, None, stride, 1)).relu()
            y = n2(F.conv2d(y, k2, None, 1, 1))
            if stride == 2:
                x = x[:, :, ::2, ::2]
                x = torch.cat((x, x.new_zeros(x.shape)), dim=1)
            x = (x + y).relu()
        return F.adaptive_avg_pool2d(x, 1).flatten(1) @ self.matrix.T + self.bias
