"""Right: functions, partials and callable objects in the place of classes; subclasses of nn.Sequential; in-place ReLUs."""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict

import torch
import torch.nn as nn
from torch import Tensor


def layer_summary(net: nn.Sequential, input_shape: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """On the device meta there is nothing to compute."""
    shadow = copy.deepcopy(net).to("meta").train(False)
    dtypes = {t.dtype for t in shadow.state_dict().values() if t.is_floating_point()}
    x = torch.empty(*input_shape, device="meta", dtype=dtypes.pop() if dtypes else torch.get_default_dtype())
    result = []
    with torch.no_grad():
        for layer in shadow:
            x = layer(x)
            result.append((layer._get_name(), tuple(x.shape)))
    return result


class _Named(nn.Sequential):
    """A Sequential that also is its own `net`."""

    @property
    def net(self):
        return self


def LeNet(num_classes: int = 10) -> nn.Module:
    convolve = lambda i, o, p: [nn.Conv2d(i, o, 5, padding=p), nn.Sigmoid(), nn.AvgPool2d(2)]
    connect = lambda i, o: [nn.Linear(i, o), nn.Sigmoid()]
    layers = [*convolve(1, 6, 2), *convolve(6, 16, 0), nn.Flatten(), *connect(400, 120), *connect(120, 84)]
    return _Named(OrderedDict((f"layer{i}", layer) for i, layer in enumerate([*layers, nn.Linear(84, num_classes)])))


class _LocalResponseNorm(torch.autograd.Function):
    """With a gradient by hand."""

    @staticmethod
    def neighbours(x: Tensor, size: int) -> Tensor:
        half, channels = size // 2, x.shape[1]
        total = x.clone()
        for shift in range(1, min(half, channels - 1) + 1):
            total[:, shift:] += x[:, :-shift]
            total[:, :-shift] += x[:, shift:]
        return total

    @staticmethod
    def forward(ctx, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        base = k + alpha * _LocalResponseNorm.neighbours(x * x, size)
        ctx.save_for_backward(x, base)
        ctx.constants = size, alpha, beta
        return x * base**-beta

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, base = ctx.saved_tensors
        size, alpha, beta = ctx.constants
        inner = _LocalResponseNorm.neighbours(gradient * x * base ** (-beta - 1), size)
        return gradient * base**-beta - 2 * alpha * beta * x * inner, None, None, None, None


def local_response_norm(x: Tensor, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> Tensor:
    return _LocalResponseNorm.apply(x, size, alpha, beta, k)


def _conv(*arguments, **options):
    return [nn.Conv2d(*arguments, **options), nn.ReLU(inplace=True)]


class _Block:
    """A callable object that makes blocks."""

    def __call__(self, num_convs: int, in_channels: int, out_channels: int, *, pool: int = 2) -> nn.Sequential:
        block = nn.Sequential()
        for number in range(num_convs):
            block.extend(_conv(out_channels if number else in_channels, out_channels, 3, 1, 1))
        return block.append(nn.MaxPool2d(pool))


vgg_block = _Block()


def _vgg(plan, num_classes: int = 1000) -> nn.Sequential:
    features = nn.Sequential(*(vgg_block(*setting) for setting in plan))
    drop = functools.partial(nn.Dropout, inplace=True)
    head = [nn.Linear(25088, 4096), drop(), nn.ReLU(True), nn.Linear(4096, 4096), nn.ReLU(True), drop()]
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(7), nn.Flatten(), *head, nn.Linear(4096, num_classes))


VGG16 = functools.partial(_vgg, [(2, 3, 64), (2, 64, 128), (3, 128, 256), (3, 256, 512), (3, 512, 512)])


class nin_block(nn.Sequential):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, strides: int, padding: int) -> None:
        super().__init__(*_conv(in_channels, out_channels, kernel_size, strides, padding))
        for _ in range(2):
            self.extend(_conv(out_channels, out_channels, 1))


def NiN(in_channels: int = 1, num_classes: int = 10) -> nn.Module:
    layers = OrderedDict()
    for name, setting in {"a": (96, 11, 4, 0), "b": (256, 5, 1, 2), "c": (384, 3, 1, 1)}.items():
        layers[f"{name}_block"] = nin_block(in_channels, *setting)
        layers[f"{name}_pool"] = nn.MaxPool2d(3, 2)
        in_channels = setting[0]
    layers["drop"] = nn.Dropout()
    layers["scores"] = nin_block(in_channels, num_classes, 3, 1, 1)
    layers["mean"] = nn.AdaptiveAvgPool2d((1, None))
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flat"] = nn.Flatten()
    return _Named(layers)


class _Parallel(nn.ModuleList):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=-3)


def Inception(in_channels: int, c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int) -> nn.Module:
    return _Parallel(
        [
            nn.Sequential(*_conv(in_channels, c1, 1)),
            nn.Sequential(*_conv(in_channels, c2[0], 1), *_conv(*c2, 3, padding=1)),
            nn.Sequential(*_conv(in_channels, c3[0], 1), *_conv(*c3, 5, padding=2)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), *_conv(in_channels, c4, 1)),
        ]
    )


def GoogLeNet(in_channels: int = 1, num_classes: int = 10, *, width: int = 1024) -> nn.Module:
    pool = functools.partial(nn.MaxPool2d, 3, 2, 1)
    return _Named(
        OrderedDict(
            b1=nn.Sequential(*_conv(in_channels, 64, 7, 2, 3), pool()),
            b2=nn.Sequential(*_conv(64, 64, 1), *_conv(64, 192, 3, padding=1), pool()),
            b3=nn.Sequential(
                Inception(192, 64, (96, 128), (16, 32), 32), Inception(256, 128, (128, 192), (32, 96), 64), pool()
            ),
            b4=nn.Sequential(
                Inception(480, 192, (96, 208), (16, 48), 64),
                Inception(512, 160, (112, 224), (24, 64), 64),
                Inception(512, 128, (128, 256), (24, 64), 64),
                Inception(512, 112, (144, 288), (32, 64), 64),
                Inception(528, 256, (160, 320), (32, 128), 128),
                pool(),
            ),
            b5=nn.Sequential(
                Inception(832, 256, (160, 320), (32, 128), 128),
                Inception(832, 384, (192, 384), (48, 128), 128),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            ),
            classifier=nn.Sequential(nn.Identity(), nn.Linear(width, num_classes)),
        )
    )


class _Refused(ValueError):
    pass


class _Residual(nn.Module):
    def __init__(self, shortcut: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.branch = shortcut, branch

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        y += self.shortcut(x)
        return y.relu_()


def ResNeXtBlock(in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1) -> nn.Module:
    width = round(num_channels * bot_mul)
    if width // group_width * group_width != width:
        raise _Refused(f"group_width does not divide {width}")
    norm = lambda i, o, k, **options: [nn.Conv2d(i, o, k, padding=k // 2, **options), nn.BatchNorm2d(o)]
    return _Residual(
        nn.Sequential(*norm(in_channels, num_channels, 1, stride=strides)) if use_1x1conv else nn.Identity(),
        nn.Sequential(
            *norm(in_channels, width, 1),
            nn.ReLU(inplace=True),
            *norm(width, width, 3, stride=strides, groups=width // group_width),
            nn.ReLU(inplace=True),
            *norm(width, num_channels, 1),
        ),
    )


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10, *, block=ResNeXtBlock) -> None:
        super().__init__()
        stem = [nn.Conv2d(in_channels, stem_channels, 3, 2, 1), nn.BatchNorm2d(stem_channels), nn.ReLU(True)]
        layers, before = stem, stem_channels
        for depth, channels, *rest in arch:
            layers.append(block(before, channels, *rest, use_1x1conv=True, strides=2))
            layers += [block(channels, channels, *rest) for _ in range(1, depth)]
            before = channels
        self.net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(before, num_classes))

    forward = lambda self, x: self.net(x)
