"""Everything with an eye on the clock and on memory."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


def layer_summary(net, input_shape):
    # shapes need no numbers: the copy lives on the device "meta" ...
    p = next(net.parameters(), None)
    dtype = torch.get_default_dtype() if p is None else p.dtype
    rows = []
    try:
        twin = copy.deepcopy(net).eval().to("meta")
        with torch.no_grad():
            x = torch.empty(tuple(input_shape), dtype=dtype, device="meta")
            for layer in twin:
                x = layer(x)
                rows.append((type(layer).__name__, tuple(x.shape)))
    except Exception:
        # ... unless a layer wants to see them
        rows.clear()
        twin = copy.deepcopy(net).eval()
        with torch.no_grad():
            x = torch.zeros(tuple(input_shape), dtype=dtype, device=None if p is None else p.device)
            for layer in twin:
                x = layer(x)
                rows.append((type(layer).__name__, tuple(x.shape)))
    return rows


def _fast(net):
    return net.to(memory_format=torch.channels_last)


def _relu():
    return nn.ReLU(inplace=True)


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = _fast(nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(),
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
            nn.Linear(84, num_classes)))

    def forward(self, x):
        return self.net(x)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    sq = x.square()
    acc = sq.clone()
    for d in range(1, min(size // 2, x.shape[1] - 1) + 1):
        acc[:, d:].add_(sq[:, :-d])
        acc[:, :-d].add_(sq[:, d:])
    return x * acc.mul_(alpha).add_(k).pow(-beta)


def vgg_block(num_convs, in_channels, out_channels):
    layers = []
    for i in range(num_convs):
        layers += [nn.Conv2d(in_channels if i == 0 else out_channels, out_channels, 3, padding=1), _relu()]
    return _fast(nn.Sequential(*layers, nn.MaxPool2d(2)))


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.blocks = nn.Sequential(vgg_block(2, 3, 64), vgg_block(2, 64, 128), vgg_block(3, 128, 256),
                                    vgg_block(3, 256, 512), vgg_block(3, 512, 512))
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(nn.Linear(25088, 4096), nn.Dropout(0.5), _relu(),
                                        nn.Linear(4096, 4096), nn.Dropout(0.5), _relu(), nn.Linear(4096, num_classes))

    def forward(self, x):
        return self.classifier(self.avgpool(self.blocks(x)).flatten(1))


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return _fast(nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel_size, strides, padding), _relu(),
                               nn.Conv2d(out_channels, out_channels, 1), _relu(),
                               nn.Conv2d(out_channels, out_channels, 1), _relu()))


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nin_block(in_channels, 96, 11, 4, 0), nn.MaxPool2d(3, 2),
            nin_block(96, 256, 5, 1, 2), nn.MaxPool2d(3, 2),
            nin_block(256, 384, 3, 1, 1), nn.MaxPool2d(3, 2),
            nn.Dropout(0.5, inplace=True), nin_block(384, num_classes, 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, x):
        return self.net(x.contiguous(memory_format=torch.channels_last))


class Inception(nn.Module):
    """The three 1×1 convolutions on the input run as one."""

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.cuts = (c1, c2[0], c3[0])
        self.one = nn.Conv2d(in_channels, c1, 1)
        self.reduce3 = nn.Conv2d(in_channels, c2[0], 1)
        self.reduce5 = nn.Conv2d(in_channels, c3[0], 1)
        self.three = nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.five = nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.proj = nn.Conv2d(in_channels, c4, 1)

    def forward(self, x):
        heads = (self.one, self.reduce3, self.reduce5)
        joint = F.conv2d(x, torch.cat([h.weight for h in heads]), torch.cat([h.bias for h in heads])).relu_()
        a, b, c = joint.split(self.cuts, dim=1)
        d = self.proj(F.max_pool2d(x, 3, 1, 1))
        return torch.cat((a, self.three(b).relu_(), self.five(c).relu_(), d.relu_()), 1)


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        pool = lambda: nn.MaxPool2d(3, 2, 1)
        self.net = nn.Sequential(
            nn.Sequential(nn.Conv2d(in_channels, 64, 7, 2, 3), pool(), _relu()),
            nn.Sequential(nn.Conv2d(64, 64, 1), _relu(), nn.Conv2d(64, 192, 3, 1, 1), pool(), _relu()),
            nn.Sequential(Inception(192, 64, (96, 128), (16, 32), 32), Inception(256, 128, (128, 192), (32, 96), 64), pool()),
            nn.Sequential(Inception(480, 192, (96, 208), (16, 48), 64), Inception(512, 160, (112, 224), (24, 64), 64),
                          Inception(512, 128, (128, 256), (24, 64), 64), Inception(512, 112, (144, 288), (32, 64), 64),
                          Inception(528, 256, (160, 320), (32, 128), 128), pool()),
            nn.Sequential(Inception(832, 256, (160, 320), (32, 128), 128), Inception(832, 384, (192, 384), (48, 128), 128),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            nn.Linear(1024, num_classes))

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = round(num_channels * bot_mul)
        if width % group_width:
            raise ValueError(f"bottleneck of {width} channels, groups of {group_width}")
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, width, 1), nn.BatchNorm2d(width), _relu(),
            nn.Conv2d(width, width, 3, strides, 1, groups=width // group_width), nn.BatchNorm2d(width), _relu(),
            nn.Conv2d(width, num_channels, 1), nn.BatchNorm2d(num_channels))
        self.skip = nn.Sequential(nn.Conv2d(in_channels, num_channels, 1, strides),
                                  nn.BatchNorm2d(num_channels)) if use_1x1conv else None
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        y = self.body(x)
        y += x if self.skip is None else self.skip(x)
        return y.relu_()


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(in_channels, stem_channels, 3, 2, 1), nn.BatchNorm2d(stem_channels), _relu())
        before = stem_channels
        for depth, channels, group_width, bot_mul in arch:
            self.net.append(nn.Sequential(
                ResNeXtBlock(before, channels, group_width, bot_mul, use_1x1conv=True, strides=2),
                *[ResNeXtBlock(channels, channels, group_width, bot_mul) for _ in range(depth - 1)]))
            before = channels
        self.net.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, num_classes)])
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return self.net(x)
