import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def layer_summary(net, input_shape):
    rows = []

    def note(module, args, output):
        rows.append((type(module).__name__, tuple(output.shape)))

    twin = copy.deepcopy(net).eval().requires_grad_(False)
    first = next(iter(twin.parameters()), None)
    x = torch.zeros(torch.Size(input_shape)) if first is None else first.new_zeros(torch.Size(input_shape))
    with torch.inference_mode():
        for layer in twin:
            handle = layer.register_forward_hook(note)
            try:
                x = layer(x)
            finally:
                handle.remove()
    return rows


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.register_module("net", nn.Sequential(
            nn.LazyConv2d(6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            nn.LazyConv2d(16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.LazyLinear(120), nn.Sigmoid(), nn.LazyLinear(84), nn.Sigmoid(), nn.LazyLinear(num_classes)))

    def forward(self, x):
        return self.net(x)


class _LRN(torch.autograd.Function):
    """y = x s^-b, s = k + a B x²; B is symmetric, so dx = g s^-b - 2ab x B(g x s^(-b-1))."""

    @staticmethod
    def window(t, size):
        h, c = size // 2, t.shape[1]
        out = t.clone()
        for d in range(1, min(h, c - 1) + 1):
            out[:, d:] += t[:, :-d]
            out[:, :-d] += t[:, d:]
        return out

    @staticmethod
    def forward(ctx, x, size, alpha, beta, k):
        s = k + alpha * _LRN.window(x * x, size)
        ctx.save_for_backward(x)
        ctx.constants = size, alpha, beta, k
        return x * s ** -beta

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        size, alpha, beta, k = ctx.constants
        s = k + alpha * _LRN.window(x * x, size)
        inner = _LRN.window(g * x * s ** (-beta - 1), size)
        return g * s ** -beta - 2 * alpha * beta * x * inner, None, None, None, None


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    return _LRN.apply(x, size, alpha, beta, k)


class _Checkpointed(nn.Sequential):
    """Keeps no activations: they are computed again in the backward pass."""

    def forward(self, x):
        if self.training and torch.is_grad_enabled():
            return checkpoint(super().forward, x, use_reentrant=False, preserve_rng_state=False)
        return super().forward(x)


def vgg_block(num_convs, in_channels, out_channels):
    block = _Checkpointed()
    for _ in range(num_convs):
        block.append(nn.LazyConv2d(out_channels, 3, padding=1))
        block.append(nn.ReLU(inplace=True))
    return block.append(nn.MaxPool2d(2))


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.stack = nn.Sequential()
        for n, c in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512)):
            for _ in range(n):
                self.stack.append(nn.LazyConv2d(c, 3, padding=1)).append(nn.ReLU(inplace=True))
            self.stack.append(nn.MaxPool2d(2))
        self.stack.append(nn.Flatten())
        for _ in range(2):
            self.stack.append(nn.LazyLinear(4096)).append(nn.ReLU(inplace=True)).append(nn.Dropout(0.5, inplace=True))
        self.stack.append(nn.LazyLinear(num_classes))

    def forward(self, x):
        return self.stack(x)


def _rectify(module, args, output):
    return F.relu(output)


def _conv(*args, **kwargs):
    conv = nn.LazyConv2d(*args, **kwargs)
    conv.register_forward_hook(_rectify)
    return conv


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return nn.Sequential(_conv(out_channels, kernel_size, strides, padding), _conv(out_channels, 1), _conv(out_channels, 1))


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.net = nn.Sequential()
        for args in ((96, 11, 4, 0), (256, 5, 1, 2), (384, 3, 1, 1)):
            self.net.append(nin_block(None, *args)).append(nn.MaxPool2d(3, 2))
        self.net.extend([nn.Dropout(0.5), nin_block(None, num_classes, 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()])

    def forward(self, x):
        return self.net(x)


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.branches = nn.ModuleList([
            nn.Sequential(_conv(c1, 1)),
            nn.Sequential(_conv(c2[0], 1), _conv(c2[1], 3, padding="same")),
            nn.Sequential(_conv(c3[0], 1), _conv(c3[1], 5, padding="same")),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), _conv(c4, 1))])

    def forward(self, x):
        return torch.concat([b(x) for b in self.branches], dim=1)


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        stages = [
            [_conv(64, 7, 2, 3), nn.MaxPool2d(3, 2, 1)],
            [_conv(64, 1), _conv(192, 3, padding=1), nn.MaxPool2d(3, 2, 1)],
            [Inception(None, 64, (96, 128), (16, 32), 32), Inception(None, 128, (128, 192), (32, 96), 64),
             nn.MaxPool2d(3, 2, 1)],
            [Inception(None, 192, (96, 208), (16, 48), 64), Inception(None, 160, (112, 224), (24, 64), 64),
             Inception(None, 128, (128, 256), (24, 64), 64), Inception(None, 112, (144, 288), (32, 64), 64),
             Inception(None, 256, (160, 320), (32, 128), 128), nn.MaxPool2d(3, 2, 1)],
            [Inception(None, 256, (160, 320), (32, 128), 128), Inception(None, 384, (192, 384), (48, 128), 128),
             nn.AdaptiveAvgPool2d(1), nn.Flatten()],
        ]
        self.net = nn.Sequential()
        for i, s in enumerate(stages, 1):
            self.net.add_module(f"b{i}", nn.Sequential(*s))
        self.net.add_module("classifier", nn.LazyLinear(num_classes))

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = round(num_channels * bot_mul)
        if width % group_width:
            raise ValueError(f"group_width={group_width} does not divide the width {width}")
        if use_1x1conv:
            self.short = nn.Sequential(nn.LazyConv2d(num_channels, 1, strides), nn.LazyBatchNorm2d())
        else:
            self.register_module("short", None)
        self.long = nn.Sequential(
            nn.LazyConv2d(width, 1), nn.LazyBatchNorm2d(), nn.ReLU(inplace=True),
            nn.LazyConv2d(width, 3, strides, 1, groups=width // group_width), nn.LazyBatchNorm2d(), nn.ReLU(inplace=True),
            nn.LazyConv2d(num_channels, 1), nn.LazyBatchNorm2d())
        self.register_forward_hook(_rectify)

    def forward(self, x):
        return self.long(x) + (x if self.short is None else self.short(x))


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        stem = nn.Sequential(nn.LazyConv2d(stem_channels, 3, 2, 1), nn.LazyBatchNorm2d(), nn.ReLU(inplace=True))
        stages = [nn.Sequential(*(ResNeXtBlock(None, c, g, b, use_1x1conv=i == 0, strides=2 if i == 0 else 1)
                                  for i in range(d))) for d, c, g, b in arch]
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(num_classes))
        self.net = nn.Sequential(stem, *stages, head)

    def forward(self, x):
        return self.net(x)
