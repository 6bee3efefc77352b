import math
from itertools import chain

import torch
from torch import nn
from torch.nn import functional as F


def layer_summary(net, input_shape):
    # f(x; theta) with theta replaced by a copy
    theta = list(net.parameters())
    kind = dict(dtype=theta[0].dtype, device=theta[0].device) if theta else dict(dtype=torch.get_default_dtype())
    modes = {m: m.training for m in net.modules()}
    table = []
    try:
        for m in modes:
            m.training = False
        with torch.no_grad():
            x = torch.zeros(tuple(input_shape), **kind)
            for f in net:
                copies = {n: t.detach().clone() for n, t in chain(f.named_parameters(), f.named_buffers())}
                x = torch.func.functional_call(f, copies, (x,))
                table.append((type(f).__name__, tuple(x.shape)))
    finally:
        for m, t in modes.items():
            m.training = t
    return table


class Sigma(nn.Module):
    """1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2"""

    def forward(self, x):
        return 0.5 * torch.tanh(0.5 * x) + 0.5


class MeanMatrix(nn.Module):
    """Mean over disjoint 2×2 windows as A x Bᵀ."""

    @staticmethod
    def averager(n, like):
        i = torch.arange(n // 2, device=like.device)[:, None]
        j = torch.arange(n, device=like.device)[None]
        return (j // 2 == i).to(like.dtype) / 2

    def forward(self, x):
        h, w = x.shape[-2:]
        return torch.einsum("ab,ncbd,ed->ncae", self.averager(h, x), x, self.averager(w, x))


class Supremum(nn.Module):
    """The greatest value of each window, without padding."""

    def __init__(self, k, s):
        super().__init__()
        self.k, self.s = k, s

    def forward(self, x):
        return x.unfold(2, self.k, self.s).unfold(3, self.k, self.s).amax((-2, -1))


class Pointwise(nn.Conv2d):
    """A 1×1 convolution is a matrix that acts on the channels of a pixel."""

    def __init__(self, i, o, stride=1):
        super().__init__(i, o, 1, stride=stride)

    def forward(self, x):
        sh, sw = self.stride
        x = x[:, :, ::sh, ::sw]
        return torch.einsum("oi,nihw->nohw", self.weight.flatten(1), x) + self.bias[:, None, None]


class Unroll(nn.Module):
    def forward(self, x):
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Mean(nn.Module):
    def __init__(self, keepdim=False):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return x.mean((-2, -1), self.keepdim)


class Normal(nn.BatchNorm2d):
    """Batch norm written out."""

    def forward(self, x):
        if self.training:
            n = x.numel() // x.shape[1]
            if n == 1:
                raise ValueError("one value has no variance")
            mean = x.mean((0, 2, 3), keepdim=True)
            d = x - mean
            var = d.square().mean((0, 2, 3), keepdim=True)
            with torch.no_grad():
                self.num_batches_tracked += 1
                self.running_mean.lerp_(mean.flatten(), self.momentum)
                self.running_var.lerp_(var.flatten() * (n / (n - 1)), self.momentum)
        else:
            d = x - self.running_mean[:, None, None]
            var = self.running_var[:, None, None]
        return d * (var + self.eps).rsqrt() * self.weight[:, None, None] + self.bias[:, None, None]


class Thinning(nn.Module):
    """Bernoulli(1/2), scaled to keep the expectation."""

    def forward(self, x):
        if not self.training:
            return x
        return x * torch.bernoulli(torch.full_like(x, 0.5)) * 2


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), Sigma(), MeanMatrix(),
            nn.Conv2d(6, 16, 5), Sigma(), MeanMatrix(),
            Unroll(), nn.Linear(400, 120), Sigma(), nn.Linear(120, 84), Sigma(), nn.Linear(84, num_classes))

    def forward(self, x):
        return self.net(x)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    c = torch.arange(x.shape[1], device=x.device)
    band = ((c[:, None] - c[None]).abs() <= size // 2).double()
    y = x.double()
    s = torch.einsum("ij,njhw,njhw->nihw", band, y, y)
    return (y / (k + alpha * s) ** beta).to(x.dtype)


def vgg_block(num_convs, in_channels, out_channels):
    block = nn.Sequential()
    for j in range(num_convs):
        block.add_module(f"c{j}", nn.Conv2d(out_channels if j else in_channels, out_channels, 3, padding=1))
        block.add_module(f"r{j}", nn.Threshold(0.0, 0.0))
    block.add_module("sup", Supremum(2, 2))
    return block


class VGG16(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.g = nn.ModuleList([nn.Linear(4096, num_classes), nn.Linear(4096, 4096), nn.Linear(7 * 7 * 512, 4096)])
        self.f = nn.ModuleList([vgg_block(3 - (j < 2), 2 ** (5 + j) if j else 3, 2 ** (6 + j)) for j in range(4)])
        self.f.append(vgg_block(3, 512, 512))
        self.thin = Thinning()

    def forward(self, x):
        for f in self.f:
            x = f(x)
        last, second, first = self.g
        x = torch.einsum("nchw,ochw->no", x, first.weight.unflatten(1, (512, 7, 7))) + first.bias
        x = self.thin(x.clamp(min=0))
        return last(self.thin(second(x).clamp(min=0)))


class Nested(nn.Module):
    def __init__(self, i, o, k, s, p):
        super().__init__()
        self.outer = Pointwise(o, o)
        self.middle = Pointwise(o, o)
        self.inner = nn.Conv2d(i, o, k, s, p)

    def forward(self, x):
        return self.outer(self.middle(self.inner(x).relu()).relu()).relu()


def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    return Nested(in_channels, out_channels, kernel_size, strides, padding)


class NiN(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        self.net = nn.Sequential(
            Nested(in_channels, 96, 11, 4, 0), Supremum(3, 2), Nested(96, 256, 5, 1, 2), Supremum(3, 2),
            Nested(256, 384, 3, 1, 1), Supremum(3, 2), Thinning(), Nested(384, num_classes, 3, 1, 1),
            Mean(True), Unroll())

    def forward(self, x):
        return self.net(x)


def sup3(x):
    """Maximum over 3×3 with -inf outside, one axis after the other."""
    x = F.pad(x, (1, 1, 1, 1), value=-math.inf)
    x = torch.maximum(torch.maximum(x[..., :-2], x[..., 1:-1]), x[..., 2:])
    return torch.maximum(torch.maximum(x[..., :-2, :], x[..., 1:-1, :]), x[..., 2:, :])


class Inception(nn.Module):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        self.w = nn.ModuleList(nn.Conv2d(i, o, k, padding=k // 2) for i, o, k in (
            (in_channels, c4, 1), (c3[0], c3[1], 5), (c2[0], c2[1], 3),
            (in_channels, c1, 1), (in_channels, c2[0], 1), (in_channels, c3[0], 1)))

    def forward(self, x):
        w4, w5, w3, w1, r3, r5 = self.w
        return torch.cat((w1(x), w3(r3(x).relu()), w5(r5(x).relu()), w4(sup3(x))), -3).relu()


class GoogLeNet(nn.Module):
    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        A = ([(64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)],
             [(192, (96, 208), (16, 48), 64), (160, (112, 224), (24, 64), 64), (128, (128, 256), (24, 64), 64),
              (112, (144, 288), (32, 64), 64), (256, (160, 320), (32, 128), 128)],
             [(256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)])
        stages = [[nn.Conv2d(in_channels, 64, 7, 2, 3), nn.ReLU()],
                  [nn.Conv2d(64, 64, 1), nn.ReLU(), nn.Conv2d(64, 192, 3, 1, 1), nn.ReLU()]]
        c = 192
        for settings in A:
            stages.append([])
            for a, b, d, e in settings:
                stages[-1].append(Inception(c, a, b, d, e))
                c = a + b[1] + d[1] + e
        for s in stages[:-1]:
            s.append(nn.MaxPool2d(3, 2, 1))
        stages[-1].append(Mean())
        self.net = nn.Sequential(*(nn.Sequential(*s) for s in stages), nn.Linear(c, num_classes))

    def forward(self, x):
        return self.net(x)


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        w = round(num_channels * bot_mul)
        if math.gcd(w, group_width) != group_width:
            raise ValueError(f"{group_width} does not divide {w}")
        self.shortcut = nn.Sequential(*([Pointwise(in_channels, num_channels, strides), Normal(num_channels)]
                                        if use_1x1conv else []))
        self.n = nn.ModuleList([Normal(num_channels), Normal(w), Normal(w)])
        self.k = nn.Conv2d(w, w, 3, strides, 1, groups=w // group_width)
        self.a, self.b = Pointwise(in_channels, w), Pointwise(w, num_channels)

    def forward(self, x):
        n3, n1, n2 = self.n
        y = n1(self.a(x)).clamp_min(0)
        y = n2(self.k(y)).clamp_min(0)
        return (n3(self.b(y)) + self.shortcut(x)).clamp_min(0)


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        c = stem_channels
        stem = nn.Sequential(nn.Conv2d(in_channels, c, 3, 2, 1), Normal(c), nn.ReLU())
        body = nn.Sequential()
        for d, o, g, b in arch:
            body.append(nn.Sequential(*(ResNeXtBlock(o if j else c, o, g, b, j == 0, 2 - min(j, 1)) for j in range(d))))
            c = o
        self.net = nn.Sequential(stem, *body, nn.Sequential(Mean(), nn.Linear(c, num_classes)))

    def forward(self, x):
        return self.net(x)
