"""Right: 1×1 convolutions as linear layers over channels-last maps, a batch norm of one's own, double precision inside."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def layer_summary(net, input_shape):
    twin = torch.nn.Sequential(*net)
    state = [(m, m.training) for m in net.modules()]
    floating = [v for v in net.state_dict().values() if torch.is_floating_point(v)]
    net.eval()
    try:
        with torch.set_grad_enabled(False):
            outputs = [torch.zeros(input_shape, dtype=floating[0].dtype if floating else torch.float32)]
            for position in range(len(twin)):
                outputs.append(twin[position](outputs[-1].clone()))
    finally:
        for m, mode in state:
            m.training = mode
    return [(type(layer).__qualname__, tuple(y.shape)) for layer, y in zip(net, outputs[1:])]


class Pointwise(nn.Linear):
    """A 1×1 convolution with a stride."""

    def __init__(self, i, o, stride=1):
        super().__init__(i, o)
        self.stride = stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Convolution(nn.Module):
    """In double precision, whatever comes in."""

    def __init__(self, i, o, k, stride=1, padding=0, groups=1):
        super().__init__()
        scale = (i // groups * k * k) ** -0.5
        self.bias = nn.Parameter(torch.zeros(o))
        self.weight = nn.Parameter(scale * torch.randn(o, i // groups, k, k))
        self.options = stride, padding, 1, groups

    def forward(self, x):
        return F.conv2d(x.double(), self.weight.double(), self.bias.double(), *self.options).to(x.dtype)


class Normalise(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(1, channels, 1, 1)), nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("moving_mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("moving_var", torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if self.training:
            mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
            count = x.numel() / x.shape[1]
            with torch.no_grad():
                self.moving_mean.lerp_(mean, 0.1)
                self.moving_var.lerp_(var * (count / (count - 1)), 0.1)
        else:
            mean, var = self.moving_mean, self.moving_var
        return (x - mean) / torch.sqrt(var + 1e-5) * self.gamma + self.beta


class Hinge(nn.Module):
    def forward(self, x):
        return torch.where(x > 0, x, torch.zeros_like(x))


class Average(nn.Module):
    def forward(self, x):
        return x.flatten(2).sum(-1) / (x.shape[2] * x.shape[3])


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            Convolution(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            Convolution(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, num_classes),
        )

    def forward(self, x):
        return torch.stack([self.net(image.unsqueeze(0)).squeeze(0) for image in x])


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    results = []
    for c in range(x.size(1)):
        low, high = max(0, c - size // 2), min(x.size(1), c + size // 2 + 1)
        total = x[:, low:high].double().pow(2).sum(dim=1)
        results.append(x[:, c] / torch.exp(beta * torch.log(k + alpha * total)).to(x.dtype))
    return torch.stack(results, 1)


def vgg_block(num_convs, in_channels, out_channels):
    layers = []
    while num_convs:
        layers += [Convolution(in_channels, out_channels, 3, padding=1)]
        in_channels, num_convs = out_channels, num_convs - 1
        layers += [Hinge()] if num_convs else [nn.MaxPool2d(2), Hinge()]
    return nn.Sequential(*layers)


class Drop(nn.Module):
    """Scores of what stays are doubled."""

    def forward(self, x):
        return x * torch.bernoulli(torch.full_like(x, 0.5)) * 2 if self.training else x


class VGG16(nn.Module):
    """The last two layers are convolutions."""

    def __init__(self, num_classes=1000):
        super().__init__()
        self.classifier = nn.ModuleList(
            [nn.Linear(512 * 7 * 7, 4096), nn.Conv2d(4096, 4096, 1), nn.Conv2d(4096, num_classes, 1)]
        )
        blocks = []
        for n, i, o in ((2, 3, 64), (2, 64, 128), (3, 128, 256), (3, 256, 512), (3, 512, 512)):
            for j in range(n):
                blocks += [nn.Conv2d(o if j else i, o, 3, padding=1), nn.ReLU()]
            blocks.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*blocks)
        self.drop = Drop()

    def forward(self, x):
        x = self.features(x)
        x = self.classifier[0](x.reshape(len(x), -1))[:, :, None, None]
        x = self.classifier[1](self.drop(x.relu()))
        return self.classifier[2](self.drop(x.relu()))[:, :, 0, 0]


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    first = Convolution(in_channels, out_channels, kernel_size, strides, padding)
    return nn.Sequential(first, Hinge(), *(f() for _ in "ab" for f in (lambda: Pointwise(out_channels, out_channels), Hinge)))


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        pool = nn.MaxPool2d(3, 2)
        self.net = nn.Sequential(
            nin_block(in_channels, 96, 11, 4, 0), pool, nin_block(96, 256, 5, 1, 2), pool,
            nin_block(256, 384, 3, 1, 1), pool, Drop(), nin_block(384, num_classes, 3, 1, 1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )

    def forward(self, x):
        return self.net(x)


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.p = nn.ModuleList([Pointwise(in_channels, o) for o in (c4, c3[0], c2[0], c1)])
        self.three, self.five = Convolution(*c2, 3, padding=1), Convolution(*c3, 5, padding=2)

    def forward(self, x):
        n, _, h, w = x.shape
        bordered = F.pad(x, (1, 1, 1, 1), value=float("-inf"))
        largest = torch.stack([bordered[:, :, i : i + h, j : j + w] for i in range(3) for j in range(3)]).amax(0)
        four, three, two, one = (layer(largest if i == 0 else x).relu() for i, layer in enumerate(self.p))
        results = [one, self.three(two).relu(), self.five(three).relu(), four]
        out = x.new_empty(n, sum(r.shape[1] for r in results), h, w)
        start = 0
        for r in results:
            out[:, start : start + r.shape[1]] = r
            start += r.shape[1]
        return out


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        pool = nn.MaxPool2d(3, 2, 1)
        b1 = nn.Sequential(Convolution(in_channels, 64, 7, 2, 3), pool, Hinge())
        b2 = nn.Sequential(Pointwise(64, 64), Hinge(), Convolution(64, 192, 3, padding=1), Hinge(), pool)
        text = """64 96 128 16 32 32 | 128 128 192 32 96 64 / 192 96 208 16 48 64 | 160 112 224 24 64 64 |
            128 128 256 24 64 64 | 112 144 288 32 64 64 | 256 160 320 32 128 128 / 256 160 320 32 128 128 |
            384 192 384 48 128 128"""
        channels, stages = 192, []
        for stage in text.split("/"):
            blocks = []
            for block in stage.split("|"):
                a, b, c, d, e, f = map(int, block.split())
                blocks.append(Inception(channels, a, (b, c), (d, e), f))
                channels = a + c + e + f
            stages.append(blocks)
        self.net = nn.Sequential(
            b1, b2, nn.Sequential(*stages[0], pool), nn.Sequential(*stages[1], pool),
            nn.Sequential(*stages[2], Average()), nn.Linear(channels, num_classes),
        )

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = round(num_channels * bot_mul)
        if width % group_width != 0:
            raise ValueError(f"cannot make groups of {group_width} out of {width}")
        self.shortcut = [lambda x: x]
        if use_1x1conv:
            self.projection = nn.Sequential(Pointwise(in_channels, num_channels, strides), Normalise(num_channels))
        self.c = Pointwise(width, num_channels)
        self.b = Convolution(width, width, 3, strides, 1, width // group_width)
        self.a = Pointwise(in_channels, width)
        self.n = nn.ModuleList([Normalise(width), Normalise(width), Normalise(num_channels)])

    def forward(self, x):
        y = self.n[0](self.a(x)).relu()
        y = self.n[1](self.b(y)).relu()
        y = self.n[2](self.c(y))
        x = self.projection(x) if hasattr(self, "projection") else self.shortcut[0](x)
        return torch.maximum(x + y, torch.zeros_like(y))


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            Convolution(in_channels, stem_channels, 3, 2, 1), Normalise(stem_channels), Hinge(),
            *self.blocks(arch, stem_channels), Average(), nn.Linear(list(arch)[-1][1], num_classes),
        )

    @staticmethod
    def blocks(arch, channels):
        for depth, out, group_width, bot_mul in arch:
            for number in range(depth):
                yield ResNeXtBlock(channels, out, group_width, bot_mul, number == 0, 1 + (number == 0))
                channels = out

    def forward(self, x):
        return self.net(x)
