"""Right: lazy layers wherever there are some, so no number of input channels is written down."""

import itertools

import torch
from torch import nn


def layer_summary(net, input_shape):
    was = {module: module.training for module in net.modules()}
    dtype = next((t.dtype for t in itertools.chain(net.parameters(), net.buffers()) if t.is_floating_point()), None)
    try:
        for module in was:
            module.training = False
        with torch.inference_mode():
            x = torch.rand(*input_shape, dtype=dtype)
            rows = []
            for index in range(len(net)):
                x = net[index](x)
                rows.append((net[index].__class__.__name__, tuple(int(extent) for extent in x.size())))
    finally:
        for module, mode in was.items():
            module.training = mode
    return rows


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = nn.Sequential()
        for channels, padding in ((6, 2), (16, 0)):
            self.net.extend([nn.LazyConv2d(channels, 5, padding=padding), nn.Sigmoid(), nn.AvgPool2d((2, 2))])
        self.net.append(nn.Flatten())
        for width in (120, 84):
            self.net.extend([nn.LazyLinear(width), nn.Sigmoid()])
        self.net.append(nn.LazyLinear(num_classes))

    def forward(self, x):
        return self.net(x)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """A banded matrix says who is whose neighbour."""
    c = torch.arange(x.shape[1], device=x.device)
    band = ((c[:, None] - c[None, :]).abs() <= size // 2).to(x.dtype)
    total = torch.einsum("cd,nd...->nc...", band, x.square())
    return x * (k + alpha * total).pow(-beta)


def vgg_block(num_convs, in_channels, out_channels):
    def pair():
        return [nn.LazyConv2d(out_channels, kernel_size=(3, 3), padding="same"), nn.ReLU(inplace=True)]

    return nn.Sequential(*itertools.chain.from_iterable(pair() for _ in range(num_convs)), nn.MaxPool2d(2))


class VGG16(nn.Sequential):
    def __init__(self, num_classes=1000):
        plan = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
        super().__init__(
            *(vgg_block(num, None, width) for num, width in plan),
            nn.Flatten(),
            *(layer for _ in range(2) for layer in (nn.LazyLinear(4096), nn.Dropout(), nn.ReLU(True))),
            nn.LazyLinear(num_classes),
        )


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return nn.Sequential(
        nn.LazyConv2d(out_channels, kernel_size, strides, padding),
        nn.ReLU(),
        nn.LazyConv2d(out_channels, 1),
        nn.ReLU(),
        nn.LazyConv2d(out_channels, 1),
        nn.ReLU(),
    )


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        layers = []
        for width, kernel, stride, padding in ((96, 11, 4, 0), (256, 5, 1, 2), (384, 3, 1, 1)):
            layers += [nin_block(None, width, kernel, stride, padding), nn.MaxPool2d(3, stride=2)]
        layers += [nn.Dropout(), nin_block(None, num_classes, 3, 1, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()]
        self.net = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.net:
            x = layer(x)
        return x


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.d = nn.LazyConv2d(c4, 1)
        self.c = nn.ModuleList([nn.LazyConv2d(c3[0], 1), nn.LazyConv2d(c3[1], 5, padding="same")])
        self.b = nn.ModuleList([nn.LazyConv2d(c2[0], 1), nn.LazyConv2d(c2[1], 3, padding="same")])
        self.a = nn.LazyConv2d(c1, 1)
        self.pool = nn.MaxPool2d(3, 1, 1)

    def forward(self, x):
        one = self.a(x).relu()
        two = self.b[1](self.b[0](x).relu()).relu()
        three = self.c[1](self.c[0](x).relu()).relu()
        return torch.hstack([one, two, three, self.d(self.pool(x)).relu()])


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()

        def pool():
            return nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

        def inceptions(*settings):
            return [Inception(None, *setting) for setting in settings]

        self.net = nn.Sequential(
            nn.Sequential(nn.LazyConv2d(64, 7, stride=2, padding=3), nn.ReLU(), pool()),
            nn.Sequential(
                nn.LazyConv2d(64, 1), nn.ReLU(), nn.LazyConv2d(192, 3, padding=1), nn.ReLU(), pool()
            ),
            nn.Sequential(*inceptions((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)), pool()),
            nn.Sequential(
                *inceptions(
                    (192, (96, 208), (16, 48), 64),
                    (160, (112, 224), (24, 64), 64),
                    (128, (128, 256), (24, 64), 64),
                    (112, (144, 288), (32, 64), 64),
                    (256, (160, 320), (32, 128), 128),
                ),
                pool(),
            ),
            nn.Sequential(
                *inceptions((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
                nn.AdaptiveAvgPool2d((1, 1)),
                nn.Flatten(),
            ),
            nn.LazyLinear(num_classes),
        )

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = int(round(num_channels * bot_mul))
        if width % group_width:
            raise ValueError(f"{width} % {group_width} != 0")
        self.conv1 = nn.LazyConv2d(width, kernel_size=1)
        self.conv2 = nn.LazyConv2d(width, 3, stride=strides, padding=1, groups=width // group_width)
        self.conv3 = nn.LazyConv2d(num_channels, kernel_size=1)
        self.bn1, self.bn2, self.bn3 = nn.LazyBatchNorm2d(), nn.LazyBatchNorm2d(), nn.LazyBatchNorm2d()
        self.conv4 = nn.LazyConv2d(num_channels, kernel_size=1, stride=strides) if use_1x1conv else None
        self.bn4 = nn.LazyBatchNorm2d() if use_1x1conv else None

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(y))
        if self.conv4 is not None:
            x = self.bn4(self.conv4(x))
        return (y + x).relu()


class AnyNet(nn.Module):
    def stem(self, num_channels):
        return nn.Sequential(nn.LazyConv2d(num_channels, 3, stride=2, padding=1), nn.LazyBatchNorm2d(), nn.ReLU())

    def stage(self, depth, num_channels, group_width, bot_mul):
        blocks = []
        for i in range(depth):
            first = {"use_1x1conv": True, "strides": 2} if i == 0 else {}
            blocks.append(ResNeXtBlock(None, num_channels, group_width, bot_mul, **first))
        return nn.Sequential(*blocks)

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(self.stem(stem_channels))
        for i, setting in enumerate(arch):
            self.net.add_module(f"stage{i + 1}", self.stage(*setting))
        head = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.LazyLinear(num_classes))
        self.net.add_module("head", head)

    def forward(self, x):
        return self.net(x)
