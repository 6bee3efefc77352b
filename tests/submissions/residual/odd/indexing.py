# Everything as index arithmetic.
import torch
import torch.nn.functional as F
from torch import nn


class Window(nn.Conv2d):
    """Cross-correlation as one einsum over a strided view of the padded input."""

    def forward(self, x):
        (p, q), (s, t), (h, w) = self.padding, self.stride, self.kernel_size
        z = x.new_zeros(x.shape[0], x.shape[1], x.shape[2] + 2 * p, x.shape[3] + 2 * q)
        z[:, :, p : p + x.shape[2], q : q + x.shape[3]] = x
        n, c, H, W = z.shape
        a, b, d, e = z.stride()
        z = z.as_strided((n, c, (H - h) // s + 1, (W - w) // t + 1, h, w), (a, b, d * s, e * t, d, e))
        return torch.einsum("ncyxij,ocij->noyx", z, self.weight)


class Point(nn.Conv2d):
    """A 1×1 convolution: a matrix times every s-th pixel."""

    def forward(self, x):
        s, t = self.stride
        return torch.einsum("oi,niyx->noyx", self.weight[:, :, 0, 0], x[:, :, ::s, ::t])


class Standardise(nn.BatchNorm2d):
    """Batch norm in float64, cast back."""

    def forward(self, x):
        z = x.double()
        if self.training:
            m = z.mean((0, 2, 3))
            v = (z - m[:, None, None]).square().mean((0, 2, 3))
            with torch.no_grad():
                n = z.numel() // z.shape[1]
                if n < 2:
                    raise ValueError("more than one value per channel is needed in training")
                self.num_batches_tracked += 1
                self.running_mean.lerp_(m.to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_((v * n / (n - 1)).to(self.running_var.dtype), self.momentum)
        else:
            m, v = self.running_mean.double(), self.running_var.double()
        scale = self.weight.double() * (v + self.eps).rsqrt()
        shift = self.bias.double() - m * scale
        return torch.addcmul(shift[:, None, None], z, scale[:, None, None]).to(x.dtype)


def positive(x):
    return x * (x > 0)


class Positive(nn.Module):
    def forward(self, x):
        return F.threshold(x, 0.0, 0.0)


def conv3x3(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, (3, 3), (stride, stride), (1, 1), bias=False)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.a = Window(in_channels, out_channels, 3, stride, 1, bias=False)
        self.b = Standardise(out_channels)
        self.c = Window(out_channels, out_channels, 3, 1, 1, bias=False)
        self.d = Standardise(out_channels)
        self.shortcut = nn.Sequential()
        if abs(stride - 1) + abs(in_channels - out_channels):
            self.shortcut.append(Point(in_channels, out_channels, 1, stride, bias=False)).append(Standardise(out_channels))

    def forward(self, x):
        return positive(self.d(self.c(positive(self.b(self.a(x))))) + self.shortcut(x))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1, self.conv2 = conv3x3(inplanes, planes, stride), conv3x3(planes, planes)
        self.bn1, self.bn2 = nn.BatchNorm2d(planes), nn.BatchNorm2d(planes)
        self.relu = Positive()
        self.downsample = downsample

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        z = x if self.downsample is None else self.downsample(x)
        return self.relu(torch.add(y, z, alpha=1))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1, self.bn1 = Point(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = conv3x3(planes, planes, stride), nn.BatchNorm2d(planes)
        self.conv3, self.bn3 = Point(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)
        self.relu = Positive()
        self.downsample = downsample

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + x if self.downsample is None else y + self.downsample(x))


class Mean(nn.Module):
    def forward(self, x):
        n, c, h, w = x.shape
        return torch.einsum("nchw->nc", x.double()).div(h * w).to(x.dtype)


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        e = block.expansion
        self.fc = nn.Linear(2**9 * e, num_classes)
        self.inplanes = 2**6
        self.conv1 = nn.Conv2d(3, 2**6, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(2**6)
        self.relu = Positive()
        # the maximum over a square is the maximum over rows of the maxima over columns
        self.maxpool = nn.Sequential(nn.MaxPool2d((3, 1), (2, 1), (1, 0)), nn.MaxPool2d((1, 3), (1, 2), (0, 1)))
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            self._make_layer(block, 2 ** (6 + k), layers[k], 1 + (k > 0)) for k in range(4)
        )
        self.avgpool = Mean()

    def _make_layer(self, block, planes, blocks, stride=1):
        stage = []
        for k in range(blocks):
            s = stride ** (k == 0)
            i, o = self.inplanes, planes * block.expansion
            down = None
            if k == 0 and not (s == 1 and i == o):
                down = nn.Sequential(Point(i, o, 1, s, bias=False), nn.BatchNorm2d(o))
            stage += [block(i, planes, s, down)]
            self.inplanes = o
        return nn.Sequential(*stage)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.addmm(self.fc.bias, self.avgpool(x), self.fc.weight.T)


def resnet18(num_classes=1000):
    return ResNet(BasicBlock, [2] * 4, num_classes)


def resnet34(num_classes=1000):
    return ResNet(BasicBlock, [3, 4, 6, 3], num_classes)


def resnet50(num_classes=1000):
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes)


def resnet101(num_classes=1000):
    return ResNet(Bottleneck, [3, 4, 23, 3], num_classes)


def resnet152(num_classes=1000):
    return ResNet(Bottleneck, [3, 8, 36, 3], num_classes)


class Embed(nn.Module):
    """Pixel (2y, 2x) of channel c to pixel (y, x) of channel c, all else 0."""

    def forward(self, x):
        n, c, h, w = x.shape
        rows = torch.arange(0, h, 2, device=x.device)
        cols = torch.arange(0, w, 2, device=x.device)
        even = x[:, :, rows[:, None], cols]
        matrix = torch.eye(2 * c, c, dtype=x.dtype, device=x.device)
        return torch.tensordot(matrix, even, ([1], [1])).movedim(0, 1)


class Cifar(nn.Module):
    def __init__(self, n, num_classes):
        super().__init__()
        self.n = n
        self.stem = nn.ModuleList([conv3x3(3, 16), nn.BatchNorm2d(16)])
        self.blocks = nn.ModuleList()
        for k in range(3 * n):
            o = 16 << k // n
            half = k > 0 and k % n == 0
            self.blocks.append(BasicBlock(o >> half, o, 1 + half, Embed() if half else None))
        self.linear = nn.Linear(64, num_classes)

    def forward(self, x):
        conv, norm = self.stem
        x = positive(norm(conv(x)))
        for block in self.blocks:
            x = block(x)
        return self.linear(x.flatten(2) @ x.new_full((x.shape[2] * x.shape[3],), 1 / (x.shape[2] * x.shape[3])))


def cifar_resnet(n, num_classes=10):
    return Cifar(n, num_classes)
