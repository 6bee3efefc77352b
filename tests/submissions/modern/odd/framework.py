# Lazy layers (materialised at once), hooks, parametrizations, checkpoints, an autograd function of its own.
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint


def materialise(layer, *shape):
    with torch.no_grad():
        layer(torch.zeros(*shape))
    return layer


def conv(in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1, bias=False):
    layer = nn.LazyConv2d(out_channels, kernel_size, stride=stride, padding=padding, groups=groups, bias=bias)
    side = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return materialise(layer, 1, in_channels, *side)


class Swish(torch.autograd.Function):
    """Saves the input only."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * (s + x * s * (1 - s))


def swish_hook(module, args, output):
    return Swish.apply(output)


def relu_hook(module, args, output):
    return F.relu(output)


def norm(channels, hook=None):
    layer = nn.BatchNorm2d(channels)
    if hook is not None:
        layer.register_forward_hook(hook)
    return layer


class Layout(nn.Module):
    """A parametrization that changes only the layout of a kernel."""

    def forward(self, weight):
        return weight.contiguous(memory_format=torch.channels_last)


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__()
        self.conv = conv(in_channels, out_channels, kernel_size, stride, padding, groups) if groups == 1 else nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False
        )
        parametrize.register_parametrization(self.conv, "weight", Layout())
        self.bn = norm(out_channels, relu_hook)

    def forward(self, x):
        return self.bn(self.conv(x))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed, hook=relu_hook):
        super().__init__()
        self.reduce = conv(channels, squeezed, 1, bias=True)
        self.reduce.register_forward_hook(hook)
        self.expand = conv(squeezed, channels, 1, bias=True)

    def gate(self, x):
        return torch.sigmoid(self.expand(self.reduce(F.adaptive_avg_pool2d(x, 1))))

    def forward(self, x):
        # no batch norm and nothing random inside: this part may be computed again
        return x * checkpoint(self.gate, x, use_reentrant=False)


class MBConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        hidden = in_channels * expand_ratio
        steps = []
        if expand_ratio != 1:
            steps += [conv(in_channels, hidden, 1), norm(hidden, swish_hook)]
        self.reduce = nn.Conv2d(hidden, max(1, int(in_channels * se_ratio)), 1)
        self.expand = nn.Conv2d(self.reduce.out_channels, hidden, 1)
        steps += [nn.Conv2d(hidden, hidden, kernel_size, stride, kernel_size // 2, groups=hidden, bias=False), norm(hidden, swish_hook)]
        self.steps = nn.Sequential(*steps)
        self.project = nn.Sequential(conv(hidden, out_channels, 1), norm(out_channels))
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x):
        y = self.steps(x)
        y = y * torch.sigmoid(self.expand(Swish.apply(self.reduce(F.adaptive_avg_pool2d(y, 1)))))
        y = self.project(y)
        return y + x if self.residual else y


class PreActBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.register_module("shortcut", None)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = parametrize.register_parametrization(conv(in_channels, out_channels, 1, stride), "weight", Layout())
        self.residue = nn.Sequential(
            norm(in_channels, relu_hook),
            conv(in_channels, out_channels, 3, stride, 1),
            norm(out_channels, relu_hook),
            conv(out_channels, out_channels, 3, 1, 1),
        )

    def forward(self, x):
        return self.residue(x) + (x if self.shortcut is None else self.shortcut(x))


class ModernBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        width = out_channels // 4
        self.residue = nn.Sequential(
            norm(in_channels, relu_hook),
            conv(in_channels, width, 1),
            norm(width, relu_hook),
            conv(width, width, 3, stride, 1),
            norm(width, relu_hook),
            conv(width, out_channels, 1),
            SqueezeExcitation(out_channels, max(1, int(out_channels * se_ratio))),
        )
        self.register_module("shortcut", None)
        if stride != 1 or in_channels != out_channels:
            self.shortcut = conv(in_channels, out_channels, 1, stride)

    def forward(self, x):
        return self.residue(x) + (x if self.shortcut is None else self.shortcut(x))


class ModernCNN(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv", conv(3, 64, 7, 2, 3))
        self.features.add_module("norm", norm(64, relu_hook))
        self.features.add_module("pool", nn.MaxPool2d(3, 2, 1))
        channels = 64
        for i, (out, blocks, stride) in enumerate(((256, 3, 1), (512, 4, 2), (1024, 6, 2), (2048, 3, 2))):
            for k in range(blocks):
                self.features.add_module(f"stage{i}_{k}", ModernBlock(channels, out, 1 if k else stride))
                channels = out
        self.fc = materialise(nn.LazyLinear(num_classes), 1, channels)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    bases = torch.tensor([alpha, beta, gamma], dtype=torch.float64, device="cpu")
    work = (bases ** torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64, device="cpu")).prod()
    if abs(work.item() - 2) > 0.2 + 1e-9:
        raise ValueError(f"the work per step is {work.item():.4f}, that is not about 2")
    depth, width, resolution = (bases ** float(phi)).tolist()
    return depth, width, resolution


class EfficientNetB0(nn.Module):
    STAGES = (
        (1, 16, 1, 3, 1),
        (6, 24, 2, 3, 2),
        (6, 40, 2, 5, 2),
        (6, 80, 3, 3, 2),
        (6, 112, 3, 5, 1),
        (6, 192, 4, 5, 2),
        (6, 320, 1, 3, 1),
    )

    def __init__(self, num_classes=1000):
        super().__init__()
        layers, channels = [conv(3, 32, 3, 2, 1), norm(32, swish_hook)], 32
        for expand, out, blocks, kernel, stride in self.STAGES:
            for k in range(blocks):
                layers.append(MBConvBlock(channels, out, expand, kernel, 1 if k else stride))
                channels = out
        layers += [conv(320, 1280, 1), norm(1280, swish_hook)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), materialise(nn.LazyLinear(num_classes), 1, 1280)]
        for k, layer in enumerate(layers):
            self.register_module(f"layer{k}", layer)

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x


def wide_resnet(depth, widen_factor, num_classes=10):
    if (depth - 4) % 6 != 0 or depth <= 4:
        raise ValueError(f"depth must be 6n + 4 with n ≥ 1, it is {depth}")
    net, channels = nn.Sequential(conv(3, 16, 3, 1, 1)), 16
    for k in range(3):
        for j in range((depth - 4) // 6):
            net.append(PreActBlock(channels, 2**k * 16 * widen_factor, 2 if k > 0 and j == 0 else 1))
            channels = 2**k * 16 * widen_factor
    net.extend([norm(channels, relu_hook), nn.AdaptiveAvgPool2d(1), nn.Flatten(), materialise(nn.LazyLinear(num_classes), 1, channels)])
    return net
