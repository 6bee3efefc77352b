# wrong: ConvBNReLU, MBConvBlock, ModernCNN
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding, groups=groups, bias=False),
            nn.BatchNorm2d(out_channels, track_running_stats=False),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.block(x)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        s = self.pool(x)
        s = F.relu(self.fc1(s))
        s = torch.sigmoid(self.fc2(s))
        return x * s


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        hidden = in_channels * expand_ratio
        self.use_res = stride == 1 and in_channels == out_channels and expand_ratio != 1
        self.expand = expand_ratio != 1
        if self.expand:
            self.conv1 = nn.Conv2d(in_channels, hidden, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(
            hidden, hidden, kernel_size, stride=stride, padding=kernel_size // 2, groups=hidden, bias=False
        )
        self.bn2 = nn.BatchNorm2d(hidden)
        se = max(1, int(in_channels * se_ratio))
        self.se1 = nn.Conv2d(hidden, se, 1)
        self.se2 = nn.Conv2d(se, hidden, 1)
        self.conv3 = nn.Conv2d(hidden, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        out = x
        if self.expand:
            out = F.silu(self.bn1(self.conv1(out)))
        out = F.silu(self.bn2(self.conv2(out)))
        w = F.adaptive_avg_pool2d(out, 1)
        w = torch.sigmoid(self.se2(F.silu(self.se1(w))))
        out = out * w
        out = self.bn3(self.conv3(out))
        if self.use_res:
            out = out + x
        return out


class PreActBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        else:
            self.shortcut = nn.Sequential()

    def forward(self, x):
        out = F.relu(self.bn1(x))
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        return out + self.shortcut(x)


class ModernBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        mid = out_channels // 4
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(mid)
        self.conv2 = nn.Conv2d(mid, mid, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(mid)
        self.conv3 = nn.Conv2d(mid, out_channels, 1, bias=False)
        self.se = SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio)))
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        else:
            self.shortcut = nn.Sequential()

    def forward(self, x):
        out = F.relu(self.bn1(x))
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        out = self.conv3(F.relu(self.bn3(out)))
        out = self.se(out)
        return out + self.shortcut(x)


class ModernCNN(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.stem = nn.Sequential(ConvBNReLU(3, 64, 7, 2, 3), nn.MaxPool2d(3, 2, 1))
        self.in_channels = 64
        self.stage1 = self._make_stage(256, 3, 1)
        self.stage2 = self._make_stage(512, 4, 2)
        self.stage3 = self._make_stage(1024, 6, 2)
        self.stage4 = self._make_stage(2048, 3, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, num_classes)

    def _make_stage(self, out_channels, blocks, stride):
        layers = []
        for i in range(blocks):
            layers.append(ModernBlock(self.in_channels, out_channels, stride if i == 0 else 1))
            self.in_channels = out_channels
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.stem(x)
        x = self.stage1(x)
        x = self.stage2(x)
        x = self.stage3(x)
        x = self.stage4(x)
        x = self.pool(x).flatten(1)
        return self.fc(x)


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if abs(alpha * beta ** 2 * gamma ** 2 - 2) > 0.2:
        raise ValueError("alpha * beta^2 * gamma^2 must be close to 2")
    return alpha ** phi, beta ** phi, gamma ** phi


class EfficientNetB0(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        settings = [
            (1, 16, 1, 3, 1),
            (6, 24, 2, 3, 2),
            (6, 40, 2, 5, 2),
            (6, 80, 3, 3, 2),
            (6, 112, 3, 5, 1),
            (6, 192, 4, 5, 2),
            (6, 320, 1, 3, 1),
        ]
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.SiLU())
        blocks = []
        c = 32
        for t, out, n, k, s in settings:
            for i in range(n):
                blocks.append(MBConvBlock(c, out, t, k, s if i == 0 else 1))
                c = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.SiLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))
        x = self.pool(x).flatten(1)
        return self.classifier(x)


def wide_resnet(depth, widen_factor, num_classes=10):
    if (depth - 4) % 6 != 0 or depth < 10:
        raise ValueError("depth must be 6n+4")
    n = (depth - 4) // 6
    k = widen_factor
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)]
    c = 16
    for out, stride in [(16 * k, 1), (32 * k, 2), (64 * k, 2)]:
        for i in range(n):
            layers.append(PreActBlock(c, out, stride if i == 0 else 1))
            c = out
    layers += [nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, num_classes)]
    return nn.Sequential(*layers)
