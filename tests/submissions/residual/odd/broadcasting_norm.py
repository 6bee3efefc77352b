"""Broadcasting batch norm of my own where names are free; torchvision-like elsewhere."""
import torch
import torch.nn.functional as F
from torch import nn


class BatchNorm(nn.Module):
    def __init__(self, num_features):
        super().__init__()
        shape = (1, num_features, 1, 1)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    def forward(self, X):
        if self.training:
            mean = X.mean(dim=(0, 2, 3), keepdim=True)
            var = ((X - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
            n = X.numel() / X.shape[1]
            self.moving_mean = 0.9 * self.moving_mean + 0.1 * mean.detach()
            self.moving_var = 0.9 * self.moving_var + 0.1 * var.detach() * n / (n - 1)
        else:
            mean, var = self.moving_mean, self.moving_var
        return self.gamma * (X - mean) / torch.sqrt(var + 1e-5) + self.beta


def conv3x3(in_planes: int, out_planes: int, stride: "int | tuple" = 1) -> nn.Conv2d:
    return nn.Conv2d(in_planes, out_planes, 3, stride, 1, bias=False)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.net = nn.ModuleList([conv3x3(in_channels, out_channels, stride), BatchNorm(out_channels), nn.ReLU(True),
                                  conv3x3(out_channels, out_channels), BatchNorm(out_channels), nn.Dropout(0.0)])
        self.proj = None
        if in_channels != out_channels or stride > 1:
            self.proj = nn.ModuleDict(dict(conv=nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), bn=BatchNorm(out_channels)))

    def shortcut(self, x):
        return x if self.proj is None else self.proj["bn"](self.proj["conv"](x))

    def forward(self, x):
        y = x
        for l in self.net:
            y = l(y)
        return (y + self.shortcut(x)).relu_()


class _Block(nn.Module):
    def __init__(self, pieces, out, downsample):
        super().__init__()
        for i, c in enumerate(pieces, 1):
            setattr(self, f"conv{i}", c)
            setattr(self, f"bn{i}", nn.BatchNorm2d(c.out_channels))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample if downsample is not None else nn.Identity()
        self.k = len(pieces)
        nn.init.zeros_(getattr(self, f"bn{self.k}").weight)

    def forward(self, x):
        y = x
        for i in range(1, self.k + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.k:
                y = self.relu(y)
        y += self.downsample(x)
        return self.relu(y)


class BasicBlock(_Block):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__([conv3x3(inplanes, planes, stride), conv3x3(planes, planes)], planes, downsample)


class Bottleneck(_Block):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__([nn.Conv2d(inplanes, planes, 1, bias=False), conv3x3(planes, planes, stride), nn.Conv2d(planes, 4 * planes, 1, bias=False)], 4 * planes, downsample)


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        self.inplanes = 64
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i, n in enumerate(layers):
            setattr(self, f"layer{i + 1}", self._make_layer(block, 64 << i, n, 1 + (i > 0)))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def _make_layer(self, block, planes, blocks, stride=1):
        out = planes * block.expansion
        stage = nn.Sequential()
        for k in range(blocks):
            down = None
            if k == 0 and (stride != 1 or self.inplanes != out):
                down = nn.Sequential(nn.Conv2d(self.inplanes, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            stage.append(block(inplanes=self.inplanes, planes=planes, stride=1 if k else stride, downsample=down))
            self.inplanes = out
        return stage

    @torch.jit.ignore
    def no_weight_decay(self):
        return {}

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(self.avgpool(x).squeeze(-1).squeeze(-1))


def resnet18(num_classes=1000): return ResNet(BasicBlock, [2, 2, 2, 2], num_classes)
def resnet34(num_classes=1000): return ResNet(BasicBlock, [3, 4, 6, 3], num_classes)
def resnet50(num_classes=1000): return ResNet(Bottleneck, [3, 4, 6, 3], num_classes)
def resnet101(num_classes=1000): return ResNet(Bottleneck, [3, 4, 23, 3], num_classes)
def resnet152(num_classes=1000): return ResNet(Bottleneck, [3, 8, 36, 3], num_classes)


class CifarBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        s = 1 if i == o else 2
        self.f = nn.Sequential(conv3x3(i, o, s), BatchNorm(o), nn.ReLU(), conv3x3(o, o), BatchNorm(o))
        self.s, self.new = s, o - i

    def forward(self, x):
        id = F.avg_pool2d(x, 1, self.s)
        id = torch.cat([id, id.new_zeros(id.size(0), self.new, *id.shape[2:])], 1) if self.new else id
        return torch.relu(self.f(x) + id)


class CifarNet(nn.Module):
    def __init__(self, n, num_classes):
        super().__init__()
        self.stem = nn.Sequential(conv3x3(3, 16), BatchNorm(16), nn.ReLU())
        w = [16] * (n + 1) + [32] * n + [64] * n
        self.blocks = nn.Sequential(*(CifarBlock(a, b) for a, b in zip(w, w[1:])))
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((-2, -1)))


def cifar_resnet(n, num_classes=10):
    return CifarNet(n, num_classes)
