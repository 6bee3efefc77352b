"""All convolutions in double precision, ReLUs by hand, batch norm as a subclass; written with many words."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Precise(nn.Conv2d):
    """Computes in double precision and returns the dtype it was given."""

    def _conv_forward(self, input, weight, bias):
        return super()._conv_forward(input.double(), weight.double(), bias).to(input.dtype)


class Norm(nn.BatchNorm2d):
    def __init__(self, channels: int) -> None:
        super().__init__(num_features=channels, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True)


def conv3x3(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    return Precise(in_channels=in_planes, out_channels=out_planes, kernel_size=3, stride=stride, padding=1, bias=False)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    return Precise(in_planes, out_planes, 1, stride=stride, bias=False)


class ConvNorm(nn.Sequential):
    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv, Norm(conv.out_channels))


def relu(x: torch.Tensor) -> torch.Tensor:
    return torch.maximum(x, torch.zeros((), dtype=x.dtype, device=x.device))


class Shortcut(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.project = None
        if stride != 1 or in_channels != out_channels:
            self.project = ConvNorm(conv1x1(in_channels, out_channels, stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clone() if self.project is None else self.project(x)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, name: str = "") -> None:
        super().__init__()
        self.name = name
        self.layers = nn.ModuleList(
            [ConvNorm(conv3x3(in_channels, out_channels, stride)), ConvNorm(conv3x3(out_channels, out_channels))]
        )
        self.shortcut = Shortcut(in_channels, out_channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = self.shortcut(x)
        return relu(shortcut.add_(self.layers[1](relu(self.layers[0](x)))))


class _Block(nn.Module):
    """What the two blocks have in common: a chain of conv_i and bn_i, a ReLU before all but the first."""

    expansion: int

    def chain(self, *convolutions: nn.Conv2d) -> None:
        self.depth = len(convolutions)
        for number, convolution in enumerate(convolutions, start=1):
            setattr(self, f"conv{number}", convolution)
            setattr(self, f"bn{number}", Norm(convolution.out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for number in range(1, self.depth + 1):
            if number > 1:
                y = self.relu(y)
            y = self._modules[f"bn{number}"](self._modules[f"conv{number}"](y))
        return self.relu(sum((y, self.identity(x))))

    def identity(self, x: torch.Tensor) -> torch.Tensor:
        return x if self.downsample is None else self.downsample(x)


class BasicBlock(_Block):
    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        self.chain(conv3x3(inplanes, planes, stride), conv3x3(planes, planes))
        self.relu = nn.ReLU(inplace=False)
        self.downsample = downsample
        self.stride = stride


class Bottleneck(_Block):
    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        self.chain(conv1x1(inplanes, planes), conv3x3(planes, planes, stride), conv1x1(planes, planes * self.expansion))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride


class ResNet(nn.Module):
    def __init__(self, block: type[_Block], layers: list[int], num_classes: int = 1000) -> None:
        super().__init__()
        self.block = block
        self.inplanes = 64
        self.conv1 = Precise(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = Norm(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            self._make_layer(block, planes, blocks, stride)
            for planes, blocks, stride in zip((64, 128, 256, 512), layers, (1, 2, 2, 2))
        )
        self.avgpool = nn.AdaptiveAvgPool2d(output_size=(1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)

    def _make_layer(self, block: type[_Block], planes: int, blocks: int, stride: int = 1) -> nn.Sequential:
        width = planes * block.expansion
        downsample: nn.Module | None = None
        if (stride, self.inplanes) != (1, width):
            downsample = ConvNorm(conv1x1(self.inplanes, width, stride))
        first = block(self.inplanes, planes, stride=stride, downsample=downsample)
        self.inplanes = width
        return nn.Sequential(first, *(block(width, planes) for _ in range(blocks - 1)))

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(self.avgpool(x).reshape(x.size(0), -1))


def resnet18(num_classes: int = 1000, **options: object) -> ResNet:
    return ResNet(block=BasicBlock, layers=[2] * 4, num_classes=num_classes, **options)


def resnet34(num_classes: int = 1000, **options: object) -> ResNet:
    return ResNet(block=BasicBlock, layers=[3, 4, 6, 3], num_classes=num_classes, **options)


def resnet50(num_classes: int = 1000, **options: object) -> ResNet:
    return ResNet(block=Bottleneck, layers=[3, 4, 6, 3], num_classes=num_classes, **options)


def resnet101(num_classes: int = 1000, **options: object) -> ResNet:
    return ResNet(block=Bottleneck, layers=[3, 4, 23, 3], num_classes=num_classes, **options)


def resnet152(num_classes: int = 1000, **options: object) -> ResNet:
    return ResNet(block=Bottleneck, layers=[3, 8, 36, 3], num_classes=num_classes, **options)


class CifarBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.grows = inputs != outputs
        self.first = ConvNorm(conv3x3(inputs, outputs, 2 if self.grows else 1))
        self.second = ConvNorm(conv3x3(outputs, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(relu(self.first(x)))
        if self.grows:
            pixels = torch.einsum("nchwab->nchw", x.unfold(2, 1, 2).unfold(3, 1, 2))
            old = x.size(1)
            return relu(torch.cat([y[:, :old] + pixels, y[:, old:]], 1))
        return relu(y + x)


class CifarResNet(nn.Module):
    def __init__(self, n: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(64, num_classes, bias=True)
        widths = [16] * (n + 1) + [32] * n + [64] * n
        self.blocks = nn.ModuleList(CifarBlock(*pair) for pair in zip(widths[:-1], widths[1:]))
        self.stem = ConvNorm(conv3x3(3, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = relu(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.classifier(functional.avg_pool2d(x, x.shape[-2:]).view(x.shape[0], 64))


cifar_resnet = lambda n, num_classes=10: CifarResNet(n, num_classes)  # noqa: E731
