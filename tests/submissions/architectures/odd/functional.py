"""Right: functional style, layers registered backwards and under other names, hooks that are removed again."""

import torch
import torch.nn.functional as F
from torch import nn


def layer_summary(net, input_shape):
    modes = [(module, module.training) for module in net.modules()]
    rows, handles = [], []

    def note(module, _, output):
        rows.append((type(module).__name__, tuple(output.shape)))

    for layer in set(net):
        handles.append(layer.register_forward_hook(note))
    floats = [t for t in list(net.parameters()) + list(net.buffers()) if t.dtype.is_floating_point]
    x = floats[0].new_ones(input_shape) if floats else torch.ones(input_shape)
    net.eval()
    try:
        with torch.no_grad():
            net(x)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    # A layer may be called inside another entry, too: the hooks of entries are told apart by walking again.
    return rows if len(rows) == len(net) else _walk(net, x, modes)


def _walk(net, x, modes):
    rows = []
    net.eval()
    with torch.no_grad():
        for name in net._modules:
            x = net._modules[name](x)
            rows.append((type(net._modules[name]).__name__, tuple(x.shape)))
    for module, mode in modes:
        module.training = mode
    return rows


class LeNet(nn.Module):
    def __init__(self, num_classes=10, verbose=False):
        super().__init__()
        last, middle, first = nn.Linear(84, num_classes), nn.Linear(120, 84), nn.Linear(400, 120)
        stack = [nn.Conv2d(1, 6, 5, 1, 2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid()]
        stack += [nn.AvgPool2d(2), nn.Flatten(), first, nn.Sigmoid(), middle, nn.Sigmoid(), last]
        self.verbose = verbose
        self.net = nn.Sequential(*stack)

    def forward(self, x):
        for layer in self.net:
            x = layer(x)
            if self.verbose:
                print(layer, x.shape)
        return x


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    r = size // 2
    squares = F.pad(x * x, (0, 0, 0, 0, r, r))
    windows = squares.unfold(1, size, 1)  # (N, C, H, W, size)
    return x / torch.pow(k + alpha * windows.sum(-1), beta)


class vgg_block(nn.Module):
    def __init__(self, num_convs, in_channels, out_channels):
        super().__init__()
        widths = [in_channels] + [out_channels] * num_convs
        self.convolutions = nn.ModuleDict()
        for i in reversed(range(num_convs)):
            self.convolutions[f"number{i}"] = nn.Conv2d(widths[i], widths[i + 1], 3, padding=1)

    def forward(self, x):
        for i in range(len(self.convolutions)):
            x = F.relu(self.convolutions[f"number{i}"](x))
        return F.max_pool2d(x, 2)


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.scores = nn.Linear(4096, num_classes)
        self.fc2 = nn.Linear(4096, 4096)
        self.fc1 = nn.Linear(25088, 4096)
        widths = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
        self.plan, channels = [], 3
        for width in widths:
            if width == "M":
                self.plan.append(None)
            else:
                self.plan.append(f"conv{len(self.plan)}")
                self.add_module(self.plan[-1], nn.Conv2d(channels, width, 3, padding=1))
                channels = width

    def forward(self, x):
        for name in self.plan:
            x = F.max_pool2d(x, 2, 2) if name is None else torch.relu(getattr(self, name)(x))
        x = x.flatten(start_dim=1)
        for layer in (self.fc1, self.fc2):
            x = F.dropout(F.relu(layer(x)), p=0.5, training=self.training)
        return self.scores(x)


class nin_block(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, strides, padding):
        super().__init__()
        self.last = nn.Conv2d(out_channels, out_channels, 1)
        self.middle = nn.Conv2d(out_channels, out_channels, 1)
        self.first = nn.Conv2d(in_channels, out_channels, kernel_size, stride=strides, padding=padding)

    def forward(self, x):
        for layer in (self.first, self.middle, self.last):
            x = layer(x).clamp(min=0)
        return x


class _Average(nn.Module):
    def forward(self, x):
        return x.mean(dim=(2, 3))


class NiN(nn.Module):
    """The mean and the flattening are one layer."""

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nin_block(in_channels, 96, 11, 4, 0),
            nn.MaxPool2d(3, 2),
            nin_block(96, 256, 5, 1, 2),
            nn.MaxPool2d(3, 2),
            nin_block(256, 384, 3, 1, 1),
            nn.MaxPool2d(3, 2),
            nn.Dropout(p=0.5),
            nin_block(384, num_classes, 3, 1, 1),
            _Average(),
        )

    def forward(self, x):
        return self.net(x)


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        shapes = {
            "pooled": (in_channels, c4, 1),
            "five": (c3[0], c3[1], 5),
            "before_five": (in_channels, c3[0], 1),
            "three": (c2[0], c2[1], 3),
            "before_three": (in_channels, c2[0], 1),
            "one": (in_channels, c1, 1),
        }
        self.layers = nn.ModuleDict({name: nn.Conv2d(*shape, padding=shape[2] // 2) for name, shape in shapes.items()})

    def step(self, x, *names):
        for name in names:
            x = F.relu(self.layers[name](x))
        return x

    def forward(self, x):
        pooled = F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        return torch.cat(
            (
                self.step(x, "one"),
                self.step(x, "before_three", "three"),
                self.step(x, "before_five", "five"),
                self.step(pooled, "pooled"),
            ),
            1,
        )


class _Stage(nn.Module):
    def __init__(self, *layers, end=None):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.end = end or (lambda x: F.max_pool2d(x, 3, 2, 1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                x = F.relu(x, inplace=True)
        return self.end(x)


class GoogLeNet(nn.Module):
    SETTINGS = (
        ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),
        (
            (192, (96, 208), (16, 48), 64),
            (160, (112, 224), (24, 64), 64),
            (128, (128, 256), (24, 64), 64),
            (112, (144, 288), (32, 64), 64),
            (256, (160, 320), (32, 128), 128),
        ),
        ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
    )

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        stages = [_Stage(nn.Conv2d(in_channels, 64, 7, 2, 3))]
        stages += [_Stage(nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, padding=1))]
        channels = 192
        for number, settings in enumerate(self.SETTINGS):
            blocks = []
            for c1, c2, c3, c4 in settings:
                blocks.append(Inception(channels, c1, c2, c3, c4))
                channels = c1 + c2[1] + c3[1] + c4
            stages.append(_Stage(*blocks, end=(lambda x: x.mean((-2, -1))) if number == 2 else None))
        self.net = nn.ModuleList([*stages, nn.Linear(channels, num_classes)])

    def forward(self, x):
        for stage in self.net:
            x = stage(x)
        return x


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = round(num_channels * bot_mul)
        groups, rest = divmod(width, group_width)
        if rest != 0:
            raise ValueError("The bottleneck must be a multiple of group_width.")
        self.stride, self.groups = strides, groups
        if use_1x1conv:
            self.norm_s, self.conv_s = nn.BatchNorm2d(num_channels), nn.Conv2d(in_channels, num_channels, 1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(num_channels), nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
        self.wide = nn.Conv2d(width, num_channels, 1)
        self.grouped = nn.Conv2d(width, width, 3, groups=groups)
        self.narrow = nn.Conv2d(in_channels, width, 1)

    def forward(self, x):
        y = F.relu(self.norms[2](self.narrow(x)))
        y = F.conv2d(y, self.grouped.weight, self.grouped.bias, self.stride, 1, 1, self.groups)
        y = self.norms[0](self.wide(F.relu(self.norms[1](y))))
        if hasattr(self, "conv_s"):
            x = self.norm_s(self.conv_s(x[:, :, :: self.stride, :: self.stride]))
        return F.relu(torch.add(x, y))


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        parts = {"classify": nn.Linear(arch[-1][1], num_classes)}
        before = stem_channels
        self.order = []
        for s, (depth, channels, group_width, bot_mul) in enumerate(arch):
            for d in range(depth):
                self.order.append(f"stage{s}block{d}")
                new = d == 0
                block = ResNeXtBlock(before, channels, group_width, bot_mul, new, 2 if new else 1)
                parts[self.order[-1]] = block
                before = channels
        parts["normalise"] = nn.BatchNorm2d(stem_channels)
        parts["look"] = nn.Conv2d(in_channels, stem_channels, 3, stride=2, padding=1)
        self.net = nn.ModuleDict(parts)

    def forward(self, x):
        x = F.relu(self.net["normalise"](self.net["look"](x)))
        for name in self.order:
            x = self.net[name](x)
        return self.net["classify"](F.adaptive_avg_pool2d(x, 1).flatten(1))
