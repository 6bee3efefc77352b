# wrong: layer_summary, vgg_block, GoogLeNet, AnyNet
import torch
import torch.nn as nn
import torch.nn.functional as F


def layer_summary(net, input_shape):
    modes = {}
    for name, module in net.named_modules():
        modes[name] = module.training
    dtype = torch.get_default_dtype()
    for t in list(net.parameters()) + list(net.buffers()):
        if t.is_floating_point():
            dtype = t.dtype
            break
    net.eval()
    X = torch.randn(*input_shape).to(dtype)
    result = []
    with torch.no_grad():
        for layer in net:
            X = layer(X)
            result.append((layer.__class__.__name__, tuple(X.shape)))
    net.train(modes[""])
    return result


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(),
            nn.AvgPool2d(kernel_size=2, stride=2),
            nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(),
            nn.AvgPool2d(kernel_size=2, stride=2),
            nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(),
            nn.Linear(120, 84), nn.Sigmoid(),
            nn.Linear(84, num_classes))

    def forward(self, x):
        return self.net(x)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    C = x.shape[1]
    sq = x ** 2
    parts = []
    for c in range(C):
        lo = max(0, c - size // 2)
        hi = min(C, c + size // 2 + 1)
        parts.append(sq[:, lo:hi].sum(dim=1, keepdim=True))
    s = torch.cat(parts, dim=1)
    return x / (k + alpha * s) ** beta


def vgg_block(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True))
    return nn.Sequential(*layers)


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        conv_arch = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
        blks = []
        in_channels = 3
        for (num_convs, out_channels) in conv_arch:
            blks.append(vgg_block(num_convs, in_channels, out_channels))
            in_channels = out_channels
        self.net = nn.Sequential(
            *blks, nn.Flatten(),
            nn.Linear(out_channels * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, num_classes))

    def forward(self, x):
        return self.net(x)


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, strides, padding), nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1), nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1), nn.ReLU())


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nin_block(in_channels, 96, kernel_size=11, strides=4, padding=0),
            nn.MaxPool2d(3, stride=2),
            nin_block(96, 256, kernel_size=5, strides=1, padding=2),
            nn.MaxPool2d(3, stride=2),
            nin_block(256, 384, kernel_size=3, strides=1, padding=1),
            nn.MaxPool2d(3, stride=2),
            nn.Dropout(0.5),
            nin_block(384, num_classes, kernel_size=3, strides=1, padding=1),
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten())

    def forward(self, x):
        return self.net(x)


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.p1_1 = nn.Conv2d(in_channels, c1, kernel_size=1)
        self.p2_1 = nn.Conv2d(in_channels, c2[0], kernel_size=1)
        self.p2_2 = nn.Conv2d(c2[0], c2[1], kernel_size=3, padding=1)
        self.p3_1 = nn.Conv2d(in_channels, c3[0], kernel_size=1)
        self.p3_2 = nn.Conv2d(c3[0], c3[1], kernel_size=5, padding=2)
        self.p4_1 = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(in_channels, c4, kernel_size=1)

    def forward(self, x):
        p1 = F.relu(self.p1_1(x))
        p2 = F.relu(self.p2_2(F.relu(self.p2_1(x))))
        p3 = F.relu(self.p3_2(F.relu(self.p3_1(x))))
        p4 = F.relu(self.p4_2(self.p4_1(x)))
        return torch.cat((p1, p2, p3, p4), dim=1)


class GoogLeNet(nn.Module):
    def b1(self):
        return nn.Sequential(nn.Conv2d(self.in_channels, 64, kernel_size=7, stride=2, padding=3),
                             nn.ReLU(), nn.MaxPool2d(kernel_size=3, stride=2, padding=1))

    def b2(self):
        return nn.Sequential(nn.Conv2d(64, 64, kernel_size=1), nn.ReLU(),
                             nn.Conv2d(64, 192, kernel_size=3, padding=1), nn.ReLU(),
                             nn.MaxPool2d(kernel_size=3, stride=2, padding=1))

    def b3(self):
        return nn.Sequential(Inception(192, 64, (96, 128), (16, 32), 32),
                             Inception(256, 128, (128, 192), (32, 96), 64),
                             nn.MaxPool2d(kernel_size=3, stride=2, padding=1))

    def b4(self):
        return nn.Sequential(Inception(480, 192, (96, 208), (16, 48), 64),
                             Inception(512, 160, (112, 224), (24, 64), 64),
                             Inception(512, 128, (128, 256), (24, 64), 64),
                             Inception(512, 112, (144, 288), (32, 64), 64),
                             Inception(528, 256, (160, 320), (32, 128), 128),
                             nn.MaxPool2d(kernel_size=3, stride=2, padding=1))

    def b5(self):
        return nn.Sequential(Inception(832, 256, (160, 320), (32, 128), 128),
                             Inception(832, 384, (192, 384), (48, 128), 128),
                             nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.in_channels = in_channels
        self.net = nn.Sequential(self.b1(), self.b2(), self.b3(), self.b4(), nn.Sequential(self.b5(), nn.Linear(1024, num_classes)))

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        bot_channels = int(round(num_channels * bot_mul))
        if bot_channels % group_width != 0:
            raise ValueError("bot_channels must be divisible by group_width")
        self.conv1 = nn.Conv2d(in_channels, bot_channels, kernel_size=1, stride=1)
        self.conv2 = nn.Conv2d(bot_channels, bot_channels, kernel_size=3, stride=strides, padding=1,
                               groups=bot_channels // group_width)
        self.conv3 = nn.Conv2d(bot_channels, num_channels, kernel_size=1, stride=1)
        self.bn1 = nn.BatchNorm2d(bot_channels)
        self.bn2 = nn.BatchNorm2d(bot_channels)
        self.bn3 = nn.BatchNorm2d(num_channels)
        if use_1x1conv:
            self.conv4 = nn.Conv2d(in_channels, num_channels, kernel_size=1, stride=strides)
            self.bn4 = nn.BatchNorm2d(num_channels)
        else:
            self.conv4 = None

    def forward(self, X):
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = F.relu(self.bn2(self.conv2(Y)))
        Y = self.bn3(self.conv3(Y))
        if self.conv4:
            X = self.bn4(self.conv4(X))
        return F.relu(Y + X)


class AnyNet(nn.Module):
    def stem(self, in_channels, num_channels):
        return nn.Sequential(
            nn.Conv2d(in_channels, num_channels, kernel_size=3, stride=2, padding=1),
            nn.BatchNorm2d(num_channels), nn.ReLU())

    def stage(self, in_channels, depth, num_channels, group_width, bot_mul):
        blk = []
        for i in range(depth):
            if i == 0:
                blk.append(ResNeXtBlock(in_channels, num_channels, group_width, bot_mul, use_1x1conv=True, strides=2))
            else:
                blk.append(ResNeXtBlock(num_channels, num_channels, group_width, bot_mul))
        return nn.Sequential(*blk)

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        self.layers = nn.Sequential(self.stem(in_channels, stem_channels))
        channels = stem_channels
        for i, s in enumerate(arch):
            self.layers.add_module(f'stage{i+1}', self.stage(channels, *s))
            channels = s[1]
        self.layers.add_module('head', nn.Sequential(
            nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(channels, num_classes)))

    def forward(self, x):
        return self.layers(x)
